"""What the Delta logs say, read without a JVM: positions, commits, bookmarks.

Songlake writes one JSON object into the `userMetadata` of each of its commits:

- `ingest` commits carry `{"batch_id": …}`; the commit of `files`, the last of a batch, also `{"tables": {name: position}}`: what the lake
  tables are once the batch counts. That is the snapshot every later stage reads.
- star commits carry `{"sources": {name: position}}`: how far into its sources the table has come, its bookmark.
- `{"undone": version}` marks the commit that took back a batch whose process died before `files` was committed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from spark_jobs.contracts import STAR, Table
from spark_jobs.errors import LakeChanged, LockHeld, SonglakeError
from spark_jobs.lake.remembered import history, open_object_table
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.machine import disk_fault
from spark_jobs.object_store import exists, read
from spark_jobs.store_faults import store_fault

_RECENT_COMMITS = 20
"""What is looked for stands nearly always among these; the whole history is read only if not."""

HARMLESS = {"CREATE TABLE", "ADD COLUMN", "OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"}
"""Operations that change no row; maintenance may run them at any time."""

REBUILD = "Restore the lake from a backup, or rebuild it: docs/operations.md, 'The lake was changed'."


@dataclass(frozen=True)
class Position:
    """A version of a Delta table that cannot be mistaken for another.

    Attributes:
        table_id: Tells it from another table at the same path.
        version: The version.
        written_at: When that version was committed (milliseconds since 1970), where a position leaves the lake: a lake brought back from
            a backup counts its versions on from there, and comes to this one again with other rows. 0 in the lake, which comes back whole.
    """

    table_id: str
    version: int
    written_at: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Give the form that commits and `ops.batches` record."""
        return asdict(self)

    @classmethod
    def of(cls, recorded: dict[str, Any]) -> Position:
        """Read the recorded form."""
        return cls(**recorded)


Positions = dict[str, Position]
"""Position by table name."""


def lake_path(lake: Location, table: Table) -> Location:
    """Where a table lives: `lake/<name>`, star tables under `lake/star/<name>`."""
    return lake / "star" / table.name if table in STAR else lake / table.name


def open_table(lake: Location, table: Table) -> DeltaTable | None:
    """Open a table as it is now, or None if there is none.

    Raises:
        LakeChanged: Its log cannot be read.
    """
    path = lake_path(lake, table)
    try:
        if isinstance(path, ObjectPath):
            # Nothing is written there in parts, so there are no emptied entries.
            return open_object_table(path)
        if not (path / "_delta_log").is_dir():
            return None
        _refuse_emptied_entries(path)
        return DeltaTable(path)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise unreadable(error, f"The log of lake table {table.name} in {path}", path) from error


def _refuse_emptied_entries(path: Path) -> None:
    """Refuse a log with an entry that a power cut emptied: readers take it for a commit without rows, and lose those it had."""
    with os.scandir(path / "_delta_log") as entries:
        for entry in entries:
            # One that is cleared away meanwhile was no longer needed.
            with suppress(FileNotFoundError):
                if entry.name.endswith(".json") and entry.stat().st_size == 0:
                    raise OSError(f"{entry.name} is empty")


def must_open(lake: Location, table: Table) -> DeltaTable:
    """Open a table that has to be there.

    Raises:
        LakeChanged: It is not, or its log cannot be read.
    """
    opened = open_table(lake, table)
    if opened is None:
        raise LakeChanged(f"The lake in {lake} has no table {table.name} any more.", REBUILD)
    return opened


def position(table: DeltaTable) -> Position:
    """Tell where a table is now."""
    return Position(str(table.metadata().id), table.version())


@dataclass(frozen=True)
class Commit:
    """One commit of a table.

    Attributes:
        version: What it made.
        operation: How Delta calls it.
        written_at: When (milliseconds since 1970).
        recorded: What Songlake recorded in it; empty for commits of others.
    """

    version: int
    operation: str
    written_at: int
    recorded: dict[str, Any]


def commits(table: DeltaTable, after: int = -1) -> Iterable[Commit]:
    """List a table's commits later than version `after`, newest first, as far back as its log reaches."""
    wanted = table.version() - after
    recent = min(wanted, _RECENT_COMMITS)
    yield from _parsed(history(table, recent) if recent > 0 else [])
    if wanted > recent:
        yield from _parsed(history(table, wanted)[recent:])


def _parsed(entries: list[dict[str, Any]]) -> Iterable[Commit]:
    for entry in entries:
        recorded = entry.get("userMetadata")
        try:
            parsed = json.loads(recorded) if recorded else {}
        except ValueError:
            parsed = {}
        yield Commit(entry["version"], entry["operation"], entry["timestamp"], parsed if isinstance(parsed, dict) else {})


def bookmark(lake: Location, table: Table) -> Positions:
    """Tell how far into its sources a star table has come; empty if it was never written, or changed by something else since."""
    opened = open_table(lake, table)
    if opened is None:
        return {}
    for commit in commits(opened):
        if "sources" in commit.recorded:
            return {name: Position.of(recorded) for name, recorded in commit.recorded["sources"].items()}
        if commit.operation not in HARMLESS:
            return {}
    return {}


def last_change(table: DeltaTable) -> Position:
    """Tell where a table's rows last changed; what came later rewrote files and no rows."""
    found = next((commit for commit in commits(table) if commit.operation not in HARMLESS), None)
    table_id = position(table).table_id
    return Position(table_id, found.version, found.written_at) if found else Position(table_id, 0)


def star_positions(lake: Location) -> Positions:
    """Tell at which version each star table's rows last changed; a table that does not exist is left out."""
    positions = {}
    for table in STAR:
        opened = open_table(lake, table)
        if opened is not None:
            positions[table.name] = last_change(opened)
    return positions


def is_untouched(lake: Location, table: Table) -> bool:
    """Whether nothing was ever written to a table, so that it is empty."""
    opened = open_table(lake, table)
    return opened is None or all(commit.operation in HARMLESS for commit in commits(opened))


def dates_held(opened: DeltaTable, column: str) -> set[date]:
    """Tell of which dates a table has rows; the column is the one it is partitioned by."""
    return {date.fromisoformat(partition[column]) for partition in opened.partitions()}


def has_been_at(lake: Location, table: Table, at: Position) -> bool:
    """Whether a position of this table is one of its history: a table brought back from a backup may not have come so far, or otherwise."""
    return not at.written_at or written_at(lake, table, at.version) == at.written_at


def written_at(lake: Location, table: Table, version: int) -> int | None:
    """Tell when a version was written (milliseconds since 1970); None where the log does not tell of it, not yet or no longer."""
    try:
        told = _actions(lake_path(lake, table), version, "commitInfo")
    except FileNotFoundError:
        return None
    return next((int(info["timestamp"]) for info in told), None)


def has_feed(lake: Location, table: Table, after: Position, upto: Position) -> bool:
    """Whether the change feed between two positions can be read.

    Every commit, and every file it names, has to be there, and the first position has to be one of this history.
    """
    if not has_been_at(lake, table, after):
        return False
    folder = lake_path(lake, table)
    try:
        for version in range(after.version + 1, upto.version + 1):
            for named in _actions(folder, version, "add", "remove", "cdc"):
                if named.get("dataChange", True) and not _is_there(folder / unquote(named["path"])):
                    return False
    except FileNotFoundError:
        return False
    return True


def _is_there(file: Location) -> bool:
    return exists(file) if isinstance(file, ObjectPath) else file.exists()


def _actions(folder: Location, version: int, *kinds: str) -> list[dict[str, Any]]:
    """Read some kinds of actions of one commit from the log."""
    # Not split as text: conditions of file names stand in the log, and names may have line separators of Unicode in them.
    entry = folder / "_delta_log" / f"{version:020}.json"
    lines = (read(entry)[0] if isinstance(entry, ObjectPath) else entry.read_bytes()).split(b"\n")
    return [action[kind] for action in map(json.loads, filter(None, lines)) for kind in kinds if kind in action]


def query(opened: DeltaTable, table: Table, select: str) -> list[dict[str, Any]]:
    """Ask a table something in SQL, by the table's name; pandas, which pyarrow would import, takes seconds.

    Raises:
        LakeChanged: A file of the table cannot be read.
    """
    return list(rows(opened, table, select))


def rows(opened: DeltaTable, table: Table, select: str) -> Iterator[dict[str, Any]]:
    """Ask the same of a table whose answer may be long: it is held in memory part by part.

    Raises:
        LakeChanged: A file of the table cannot be read.
    """
    try:
        for part in QueryBuilder().register(table.name, opened).execute(select):
            yield from part.to_struct_array().to_pylist()
    except Exception as error:  # the query engine raises nothing more special
        raise unreadable(error, f"Lake table {table.name}", opened.table_uri) from error


def lost_race(where: str) -> LockHeld:
    """Tell that another writer committed first: give the error to raise."""
    return LockHeld(f"Another run wrote {where} at the same time.", "Let one run work at a time, then run this again.")


def unreadable(error: Exception, what: str, where: object) -> SonglakeError:
    """Tell a store that does not answer, or a folder that may not be read, from a lake that is damaged: give the error to raise."""
    fault = store_fault(str(error), str(where)) or disk_fault(str(error), str(where))
    return fault or LakeChanged(f"{what} cannot be read ({_first_line(error)}).", REBUILD)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
