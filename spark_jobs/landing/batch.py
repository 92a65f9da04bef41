"""One batch of files on its way into the lake, which counts once `files` is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial, reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.contracts import CATALOG, EVENT_IDENTITY, EVENT_VALUES, EVENTS, FILES, REJECTS, SONG_VALUES, Table
from spark_jobs.lake import snapshot
from spark_jobs.lake.few import append_few, merge_few
from spark_jobs.lake.log import Positions
from spark_jobs.lake.snapshot import FileRecord
from spark_jobs.lake.tables import Lake, is_one_of, spark_schema
from spark_jobs.landing.events import validate_events
from spark_jobs.landing.outcome import Outcome, counted
from spark_jobs.landing.pack import PackedFile
from spark_jobs.landing.songs import validate_songs
from spark_jobs.locations import Location
from spark_jobs.pause import pause_at
from spark_jobs.session import side_by_side

_RAW_LINE = "rtrim('\\n', ltrim('\ufeff', line))"
"""The line as it stands in the file, without byte order marks before and line ends behind it."""

_FEW = 500_000
"""Rows that each Spark task can hold a table of."""


@dataclass(frozen=True)
class _Kind:
    """How files of one kind become rows."""

    name: str
    table: Table
    validate: Callable[[DataFrame], DataFrame]
    identity: tuple[str, ...]
    values: tuple[str, ...]


_KINDS = (
    _Kind("events", EVENTS, validate_events, EVENT_IDENTITY, EVENT_VALUES),
    _Kind("songs", CATALOG, validate_songs, ("song_id",), SONG_VALUES),
)


class Batch:
    """One batch of files on its way into the lake."""

    def __init__(
        self,
        lake: Lake,
        spool: Location,
        batch_id: str,
        begun_at: datetime,
        packed: list[PackedFile],
        known: dict[str, FileRecord],
        before: Positions,
    ) -> None:
        self._lake, self._spool, self._batch_id, self._begun_at = lake, spool, batch_id, begun_at
        self._packed, self._known, self._before = packed, known, before
        self.reasons: Counter[str] = Counter()

    def write(self) -> list[FileRecord]:
        """Write events and catalog, then rejects, and last `files`, which makes the batch count."""
        outcomes = side_by_side(self._lake.spark, [partial(self._write_kind, kind) for kind in _KINDS])
        rejects = [outcome.rejected for outcome in outcomes if outcome.rejected is not None]
        refused = sum(outcome.total("rejected") for outcome in outcomes)
        self._replace(self._lake, REJECTS, reduce(DataFrame.unionByName, rejects) if rejects else None, "rejected", refused)
        pause_at("rejects")
        counts = {file_id: counts for outcome in outcomes for file_id, counts in outcome.counts.items()}
        records = [self._record(packed, counts.get(packed.file_id, {})) for packed in self._packed]
        self._commit(records)
        pause_at("files")
        for outcome in outcomes:
            self.reasons.update(outcome.reasons)
        return records

    def _write_kind(self, kind: _Kind, spark: SparkSession) -> Outcome:
        """Write the valid lines of a kind."""
        outcome, accepted = Outcome(), None
        if any(packed.lines for packed in self._packed if packed.file.kind == kind.name):
            lines = self._validated(kind, spark)
            outcome = counted(lines, kind.identity)
            accepted = self._accepted(kind, lines, outcome) if outcome.total("accepted") else None
            outcome.rejected = self._rejected(kind, lines) if outcome.total("rejected") else None
        self._replace(replace(self._lake, spark=spark), kind.table, accepted, "accepted", outcome.total("accepted"), kind)
        pause_at(kind.table.name)
        return outcome

    def _validated(self, kind: _Kind, spark: SparkSession) -> DataFrame:
        """Validate the kind's packed rows; that is done anew by each later step, which costs less than keeping the outcome."""
        packed = spark.read.parquet(str(self._spool / f"{kind.name}.parquet")).join(F.broadcast(self._sources(kind, spark)), "file_id")
        return kind.validate(packed)

    def _sources(self, kind: _Kind, spark: SparkSession) -> DataFrame:
        """Give file_id, source_file, source_modified_at of the readable files of a kind."""
        readable = [packed for packed in self._packed if packed.file.kind == kind.name and packed.cause is None]
        return spark.createDataFrame(
            pa.table(
                {
                    "file_id": pa.array([packed.file_id for packed in readable], pa.int32()),
                    "source_file": pa.array([packed.file.path for packed in readable], pa.string()),
                    "source_modified_at": pa.array([packed.file.modified_at for packed in readable], pa.timestamp("us", "UTC")),
                }
            )
        )

    def _accepted(self, kind: _Kind, lines: DataFrame, outcome: Outcome) -> DataFrame:
        """Give the valid lines, of those with one identity in one file the one with the greatest content."""
        kept = [name for name in kind.table.column_names if name != "batch_id"]
        valid = lines.where("size(reasons) = 0").select("file_id", *kept)
        if repeated := outcome.total("repeated"):
            valid = _once(valid, ("file_id", *kind.identity), kind.values, few=repeated <= _FEW)
        return self._stamped(kind.table, valid)

    def _rejected(self, kind: _Kind, lines: DataFrame) -> DataFrame:
        refused = lines.where("size(reasons) > 0").withColumns({"kind": F.lit(kind.name), "raw_line": F.expr(_RAW_LINE)})
        return self._stamped(REJECTS, refused)

    def _stamped(self, table: Table, rows: DataFrame) -> DataFrame:
        return rows.withColumn("batch_id", F.lit(self._batch_id)).select(*table.column_names)

    def _replace(self, lake: Lake, table: Table, rows: DataFrame | None, counted: str, count: int, kind: _Kind | None = None) -> None:
        """Append that many rows, in the same commit taking away what earlier versions of the files had said."""
        kinds = {kind.name} if kind else {kind.name for kind in _KINDS}
        paths = [packed.file.path for packed in self._packed if packed.file.kind in kinds and self._said_before(packed, counted)]
        recorded = {"batch_id": self._batch_id}
        if paths:
            empty = lake.spark.createDataFrame([], spark_schema(table))
            lake.replace(table, empty if rows is None else rows, recorded, where=is_one_of("source_file", paths), vouched=True)
        elif rows is not None:
            lake.append(table, rows, recorded, count=count)

    def _said_before(self, packed: PackedFile, counted: str) -> bool:
        """Whether an earlier version of the file has rows of that sort in the lake."""
        record = self._known.get(packed.file.path)
        return record is not None and getattr(record, counted) > 0

    def _record(self, packed: PackedFile, counts: dict[str, int]) -> FileRecord:
        accepted, repeated, rejected = (counts.get(what, 0) if packed.cause is None else 0 for what in ("accepted", "repeated", "rejected"))
        if packed.lines != accepted + repeated + rejected:
            raise AssertionError(f"{packed.file.path}: {packed.lines} lines read, but {accepted} + {repeated} + {rejected} accounted for")
        return FileRecord(
            path=packed.file.path,
            kind=packed.file.kind,
            status="loaded" if packed.cause is None else "unreadable",
            cause=packed.cause,
            size=packed.file.size,
            modified_at=packed.file.modified_at,
            lines=packed.lines,
            accepted=accepted,
            repeated=repeated,
            rejected=rejected,
            batch_id=self._batch_id,
            ingested_at=self._begun_at,
            unknown_keys=list(packed.unknown_keys) or None,
        )

    def _commit(self, records: list[FileRecord]) -> None:
        now = snapshot.refuse_interference(self._lake.path, self._before, self._batch_id)
        recorded = snapshot.commit_of(self._batch_id, now)
        columns = {name: [getattr(record, name) for record in records] for name in FILES.column_names}
        rows = pa.table(columns, schema=_arrow_schema())
        if any(record.path in self._known for record in records):
            merge_few(self._lake.path, FILES, rows.append_column("deleted", pa.repeat(False, len(rows))), recorded, within=None)
        else:
            append_few(self._lake.path, FILES, rows, recorded)


def _once(rows: DataFrame, identity: Sequence[str], values: Sequence[str], *, few: bool) -> DataFrame:
    """Keep, of the rows with one identity, the one with the greatest values; with few such, all others cost only a look-up."""
    repeated = rows.groupBy(*identity).count().where("count > 1").select(*(F.col(name).alias(f"repeated_{name}") for name in identity))
    repeated = F.broadcast(repeated) if few else repeated
    same = reduce(Column.__and__, (F.col(name).eqNullSafe(F.col(f"repeated_{name}")) for name in identity))
    others = [name for name in rows.columns if name not in (*identity, *values)]
    greatest = F.max(F.struct(*values, *others)).alias("greatest")
    once = rows.join(repeated, same, "left_semi").groupBy(*identity).agg(greatest).select("file_id", "greatest.*")
    return rows.join(repeated, same, "left_anti").unionByName(once)


def _arrow_schema() -> pa.Schema:
    types = {"size": pa.int64(), "lines": pa.int64(), "accepted": pa.int64(), "repeated": pa.int64(), "rejected": pa.int64()}
    texts = {"unknown_keys": pa.list_(pa.string())}
    times = {"modified_at": pa.timestamp("us", "UTC"), "ingested_at": pa.timestamp("us", "UTC")}
    return pa.schema([pa.field(name, {**types, **times, **texts}.get(name, pa.string())) for name in FILES.column_names])
