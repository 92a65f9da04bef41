"""Where a row of the lake stands in its landing file: read from the file itself, by the reader that ingest uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from spark_jobs.contracts import CATALOG, EVENT_IDENTITY, EVENT_VALUES, EVENTS, REJECTS, SONG_VALUES, Table
from spark_jobs.errors import InputMissing, ServiceUnreachable
from spark_jobs.landing.fields import FIELDS
from spark_jobs.landing.find import LandingFile, find_files
from spark_jobs.landing.lines import BOM, Unreadable, without_long_texts
from spark_jobs.landing.opening import Changed
from spark_jobs.landing.pack import read_header, read_lines
from spark_jobs.landing.reasons import SENTENCES
from spark_jobs.landing.rows import RowMaker
from spark_jobs.locations import Location
from spark_jobs.trace.cleaning import Change, changes
from spark_jobs.trace.known import Lake, Row, literal

_KINDS = {EVENTS.name: ("events", EVENT_IDENTITY, EVENT_VALUES), CATALOG.name: ("songs", ("song_id",), SONG_VALUES)}
_EMPTIED = {"length", "registration", "year", "artist_latitude", "artist_longitude"}
"""Columns that are null in the lake where the line holds what cannot be."""

THE_ROW, THE_SAME, LOST, REFUSED = "the row", "the same again", "said otherwise and lost", "refused"


@dataclass(frozen=True)
class Line:
    """A line of the file that speaks of the event or song.

    Attributes:
        number: Where it begins in the file, from 1.
        raw: The line as it stands there.
        became: THE_ROW, THE_SAME, LOST or REFUSED.
        why: What decided that; empty where nothing had to be decided.
    """

    number: int
    raw: str
    became: str
    why: str = ""


@dataclass
class Source:
    """One file that speaks of an event or a song.

    Attributes:
        file: Its path in the landing zone.
        modified_at: When it was last modified, as the lake read it.
        ingest_batch: The batch that read it.
        ingested_at: When that batch began, unless the file was read again since.
        why: Why it decides what the row holds, or why not.
        differs: Columns in which it says otherwise than the file that decides: what it says.
        lines: The lines of the file that speak of it; empty where the file was not read.
        changes: What cleaning changed in the line that became the row.
        note: Why the file was not read, or did not hold what was expected.
    """

    file: str
    modified_at: datetime
    ingest_batch: str
    ingested_at: datetime | None = None
    why: str = ""
    differs: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    note: str | None = None


@dataclass
class Landing:
    """The landing zone, walked when the first file is looked for."""

    root: Location
    links_into: Sequence[Path]
    _files: dict[str, LandingFile] | None = None

    def find(self, path: str) -> LandingFile | None:
        """Give a file as it is now.

        Raises:
            InputMissing: The landing zone cannot be listed.
            ServiceUnreachable: The object store does not answer.
        """
        if self._files is None:
            self._files = {file.path: file for file in find_files(self.root, self.links_into).files}
        return self._files.get(path)


def source_of(lake: Lake, table: Table, row: Row) -> Source:
    """Tell what the lake knows about the file a row came from."""
    record = lake.file(row["source_file"])
    same = record is not None and record.batch_id == row["batch_id"]
    ingested_at = record.ingested_at if record is not None and same else None
    return Source(row["source_file"], row["source_modified_at"], row["batch_id"], ingested_at)


def add_lines(source: Source, landing: Landing, lake: Lake, table: Table, row: Row) -> None:
    """Find the lines of the file that speak of a row, and what cleaning did to the one it was made from.

    A file that is gone, was changed since, or cannot be read becomes a note.
    """
    kind, record = _KINDS[table.name][0], lake.file(source.file)
    try:
        file = landing.find(source.file)
        if file is None:
            source.note = "The file is no longer in the landing zone; what follows is what the lake knows of it."
        elif file.modified_at != source.modified_at or (record is not None and file.size != record.size):
            source.note = f"The file was changed since it was read (now of {file.modified_at:%Y-%m-%d %H:%M:%S}); the next run reads it."
        else:
            source.lines = _judged(list(_lines(file, table, row)), lake, table, row)
            mine = next((line for line in source.lines if line.became == THE_ROW), None)
            if mine is None:
                source.note = "No line of the file says what the lake holds: it was changed without changing its time."
            else:
                source.changes = changes(mine.raw, read_header(file) if file.is_csv else None, row, FIELDS[kind])
    except (InputMissing, ServiceUnreachable, Unreadable) as error:
        source.note = f"The file could not be read: {error}"
    except Changed:
        source.note = "The file changed while it was read; try again."


_Found = tuple[int, str, Row]
"""A line's number, its text and its typed fields."""


def _lines(file: LandingFile, table: Table, row: Row) -> Iterator[_Found]:
    """Give the lines with the identity of a row, wherever in the file they stand and however they write it."""
    kind, identity, values = _KINDS[table.name]
    maker = RowMaker(FIELDS[kind])
    for lines in map(without_long_texts, read_lines(file)):
        for batch in maker.rows([(0, lines)]).batches:
            fits = _fitting(batch, {name: row[name] for name in identity})
            for found in batch.filter(fits).to_pylist():
                yield found["line_number"], found["line"].lstrip(BOM).rstrip("\r\n"), {name: found[name] for name in values}


def _fitting(batch: Any, identity: dict[str, Any]) -> Any:
    import pyarrow.compute as pc

    fits = None
    for name, value in identity.items():
        column = batch.column(name)
        same = pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), False)
        fits = same if fits is None else pc.and_(fits, same)
    return fits


def _judged(found: list[_Found], lake: Lake, table: Table, row: Row) -> list[Line]:
    """Tell what became of each line; of several that say what the row holds, the first counts as the one it came from."""
    refused = _refused(lake, row, [number for number, _, _ in found]) if len(found) > 1 else {}
    judged: list[Line] = []
    for number, raw, said in sorted(found, key=lambda one: one[0]):
        reasons = refused.get((number, raw))
        differs = [name for name, value in said.items() if not _kept(name, value, row)]
        if reasons is not None:
            judged.append(Line(number, raw, REFUSED, "; ".join(SENTENCES.get(reason, reason) for reason in reasons)))
        elif differs:
            first = differs[0]
            judged.append(Line(number, raw, LOST, f"{first} is {said[first]!r}, and the greater {row[first]!r} wins"))
        else:
            judged.append(Line(number, raw, THE_SAME if any(line.became == THE_ROW for line in judged) else THE_ROW))
    return judged


def _kept(name: str, said: Any, row: Row) -> bool:
    """Whether the row may hold what a line says: as it is, or emptied. Had the value counted, it would have won over none."""
    return bool(row[name] == said or (row[name] is None and name in _EMPTIED))


def _refused(lake: Lake, row: Row, numbers: list[int]) -> dict[tuple[int, str], list[str]]:
    where = f"source_file = {literal(row['source_file'])} AND line_number IN ({', '.join(map(str, numbers))})"
    rejects = lake.rows(REJECTS, where, ("line_number", "raw_line", "reasons"))
    return {(reject["line_number"], reject["raw_line"]): reject["reasons"] for reject in rejects}
