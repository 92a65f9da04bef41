"""Turn lines of files into typed rows, as they are packed for Spark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from spark_jobs.landing.lines import BOM, Lines
from spark_jobs.landing.objects import Group, ObjectReader
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.text import Fields, parse_object
from spark_jobs.landing.values import KEYS_NAMED, Record, record

_NOTHING = Record({})


def schema_of(fields: Fields) -> pa.Schema:
    """Give the columns of packed rows: where a line stands and what it says, why it is refused already, and its fields.

    `misread` names the fields that hold something else than such a value (see `spark_jobs.landing.values.Record`).
    """
    values = {**dict.fromkeys(fields.texts, pa.string()), **dict.fromkeys(fields.wholes, pa.int64())}
    values |= dict.fromkeys(fields.doubles, pa.float64())
    places = [pa.field(name, pa.int32(), nullable=False) for name in ("file_id", "line_number")]
    told = [pa.field("line", pa.string(), nullable=False), ("refused", pa.string()), ("misread", pa.list_(pa.string()))]
    return pa.schema([*places, *told, *values.items()])


@dataclass
class Rows:
    """Typed rows of some files.

    Attributes:
        batches: The rows, in no order.
        unknown: Keys that no field has, the first of them, by file_id.
    """

    batches: list[pa.RecordBatch] = field(default_factory=list)
    unknown: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class _Block:
    """Lines of one or several files, one after the other."""

    file_ids: np.ndarray
    numbers: pa.Array
    lines: pa.Array
    records: dict[int, Record]
    refused: dict[int, Reason]


class RowMaker:
    """Makes the rows of one kind of file."""

    def __init__(self, fields: Fields) -> None:
        """Make rows with these fields."""
        self._fields = fields
        self.schema = schema_of(fields)
        self._reader = ObjectReader(fields)

    def rows(self, chunks: Sequence[tuple[int, Lines]]) -> Rows:
        """Read lines and type their fields.

        Args:
            chunks: Lines with the file_id of the file they are of.
        """
        block = _joined(chunks)
        unread = np.setdiff1d(np.arange(len(block.lines)), [*block.records, *block.refused])
        groups, left = self._reader.read(block.lines.take(pa.array(unread)))
        if len(chunks) > 1 and any(group.unknown for group in groups):
            # Which file a key is of can be told only where files are read one by one.
            parts = [self.rows([chunk]) for chunk in chunks]
            named = [named for part in parts for named in part.unknown.items()]
            return Rows([batch for part in parts for batch in part.batches], first_of_each(named))
        for place in map(int, unread[left]):
            values = parse_object(block.lines[place].as_py().removeprefix(BOM))
            if values is None:
                block.refused[place] = Reason.NOT_ONE_OBJECT
            else:
                block.records[place] = record(values, self._fields)
        batches = [self._batch(block, unread[group.places], group) for group in groups]
        if block.records or block.refused:
            batches.append(self._one_by_one(block))
        of_groups = [(int(block.file_ids[0]), group.unknown) for group in groups]
        of_records = [(int(block.file_ids[place]), read.unknown) for place, read in block.records.items()]
        return Rows(batches, first_of_each([*of_groups, *of_records]))

    def _batch(self, block: _Block, places: np.ndarray, group: Group) -> pa.RecordBatch:
        chosen, count = pa.array(places), len(places)
        told = [pa.nulls(count, pa.string()), pa.nulls(count, pa.list_(pa.string()))]
        columns = [pa.array(block.file_ids[places]), block.numbers.take(chosen), block.lines.take(chosen), *told]
        return pa.record_batch([*columns, *(group.columns[name] for name in self._fields.by_column)], schema=self.schema)

    def _one_by_one(self, block: _Block) -> pa.RecordBatch:
        places = sorted({*block.records, *block.refused})
        chosen, read = pa.array(places), [block.records.get(place, _NOTHING) for place in places]
        columns = [
            pa.array(block.file_ids[places]),
            block.numbers.take(chosen),
            block.lines.take(chosen),
            pa.array([block.refused.get(place) for place in places], pa.string()),
            pa.array([one.misread or None for one in read], pa.list_(pa.string())),
        ]
        values = [pa.array([one.values.get(name) for one in read], self.schema.field(name).type) for name in self._fields.by_column]
        return pa.record_batch([*columns, *values], schema=self.schema)


def _joined(chunks: Sequence[tuple[int, Lines]]) -> _Block:
    begin, records, refused = 0, dict[int, Record](), dict[int, Reason]()
    for _, lines in chunks:
        records.update({begin + place: read for place, read in lines.records.items()})
        refused.update({begin + place: reason for place, reason in lines.refused.items()})
        begin += len(lines)
    return _Block(
        np.repeat(np.array([file_id for file_id, _ in chunks], dtype=np.int32), [len(lines) for _, lines in chunks]),
        pa.concat_arrays([lines.numbers for _, lines in chunks]),
        pa.concat_arrays([lines.lines for _, lines in chunks]),
        records,
        refused,
    )


def first_of_each(named: Iterable[tuple[int, tuple[str, ...]]]) -> dict[int, tuple[str, ...]]:
    """Put together what was named of one file at several times; no more is kept than is recorded."""
    keys: defaultdict[int, set[str]] = defaultdict(set)
    for file_id, names in named:
        if names:
            keys[file_id].update(names)
    return {file_id: tuple(sorted(names)[:KEYS_NAMED]) for file_id, names in keys.items()}
