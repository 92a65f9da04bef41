"""What the Delta logs say, read and mended without a JVM: positions, bookmarks, the snapshot that counts, the `files` table.

Songlake writes one JSON object into the `userMetadata` of each of its commits:

- `ingest` commits carry `{"batch_id": …}`; the commit of `files`, the last of a batch, also `{"tables": {name: position}}`: what the lake
  tables are once the batch counts. That is the snapshot every later stage reads.
- star commits carry `{"sources": {name: position}}`: how far into its sources the table has come, its bookmark.
- `{"undone": version}` marks the commit that took back a batch whose process died before `files` was committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deltalake import CommitProperties, DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.schema import ArrayType, Field, PrimitiveType, Schema

from spark_jobs.contracts import CATALOG, EVENTS, FILES, LAKE, REJECTS, STAR, Table, Type
from spark_jobs.errors import InputMissing, LakeChanged, LockHeld

_PRIMITIVES = {
    Type.TEXT: "string",
    Type.BIGINT: "long",
    Type.INT: "integer",
    Type.DOUBLE: "double",
    Type.TIMESTAMP: "timestamp",
    Type.DATE: "date",
}

# Equal and long: a bookmark older than the retention cannot be read on from, even if every file is still there.
_RETENTION = "interval 365 days"

_PROPERTIES: dict[str, str | None] = {
    "delta.enableChangeDataFeed": "true",
    "delta.enableDeletionVectors": "false",
    "delta.deletedFileRetentionDuration": _RETENTION,
    "delta.logRetentionDuration": _RETENTION,
}

_RECENT_COMMITS = 20
"""What is looked for stands nearly always among these; the whole history is read only if not."""

_HARMLESS = {"CREATE TABLE", "OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"}
"""Operations that change no row; maintenance may run them at any time."""

_REBUILD = "Restore the lake from a backup, or rebuild it: docs/operations.md, 'The lake was changed'."


@dataclass(frozen=True)
class Position:
    """A version of a Delta table that cannot be mistaken for one of another table at the same path."""

    table_id: str
    version: int

    def as_dict(self) -> dict[str, Any]:
        """Give the form that commits and `ops.published` record."""
        return {"table_id": self.table_id, "version": self.version}

    @classmethod
    def of(cls, recorded: dict[str, Any]) -> Position:
        """Read the recorded form."""
        return cls(recorded["table_id"], recorded["version"])


Positions = dict[str, Position]
"""Position by table name."""


@dataclass(frozen=True)
class FileRecord:
    """A row of the `files` table; the columns are the contract's."""

    path: str
    kind: str
    status: str
    cause: str | None
    size: int
    modified_at: datetime
    lines: int
    accepted: int
    repeated: int
    rejected: int
    batch_id: str
    ingested_at: datetime


def lake_path(lake: Path, table: Table) -> Path:
    """Where a table lives: `lake/<name>`, star tables under `lake/star/<name>`."""
    return lake / "star" / table.name if table in STAR else lake / table.name


def open_table(lake: Path, table: Table) -> DeltaTable | None:
    """Open a table as it is now, or None if there is none.

    Raises:
        LakeChanged: Its log cannot be read.
    """
    path = lake_path(lake, table)
    if not (path / "_delta_log").is_dir():
        return None
    try:
        return DeltaTable(path)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise LakeChanged(f"The log of lake table {table.name} in {path} cannot be read ({_first_line(error)}).", _REBUILD) from error


def position(table: DeltaTable) -> Position:
    """Tell where a table is now."""
    return Position(str(table.metadata().id), table.version())


def create_missing(lake: Path) -> None:
    """Create the lake and star tables that do not exist, empty, as their contracts say.

    Raises:
        LakeChanged: Some lake tables are there and others are gone.
    """
    found = {table.name for table in LAKE if open_table(lake, table) is not None}
    missing = [table.name for table in LAKE if table.name not in found]
    if FILES.name in found and missing:
        raise LakeChanged(f"The lake in {lake} has no table {', '.join(missing)} any more.", _REBUILD)
    for table in (*LAKE, *STAR):
        if open_table(lake, table) is None:
            DeltaTable.create(
                lake_path(lake, table),
                schema=_schema(table),
                partition_by=list(table.partitioned_by) or None,
                configuration=_PROPERTIES,
                description=table.about,
            )


def _schema(table: Table) -> Schema:
    def kind(type_: Type) -> PrimitiveType | ArrayType:
        return ArrayType(PrimitiveType("string"), contains_null=True) if type_ is Type.TEXTS else PrimitiveType(_PRIMITIVES[type_])

    return Schema([Field(column.name, kind(column.type), nullable=column.nullable) for column in table.columns])


@dataclass(frozen=True)
class Commit:
    """One commit of a table: its version, operation, and what Songlake recorded in it (empty for commits of others)."""

    version: int
    operation: str
    recorded: dict[str, Any]


def commits(table: DeltaTable, after: int = -1) -> Iterable[Commit]:
    """List a table's commits later than version `after`, newest first, as far back as its log reaches."""
    wanted = table.version() - after
    recent = min(wanted, _RECENT_COMMITS)
    yield from _parsed(table.history(recent) if recent > 0 else [])
    if wanted > recent:
        yield from _parsed(table.history(wanted)[recent:])


def _parsed(history: list[dict[str, Any]]) -> Iterable[Commit]:
    for entry in history:
        recorded = entry.get("userMetadata")
        try:
            parsed = json.loads(recorded) if recorded else {}
        except ValueError:
            parsed = {}
        yield Commit(entry["version"], entry["operation"], parsed if isinstance(parsed, dict) else {})


def snapshot(lake: Path) -> Positions:
    """Tell what counts: the position of each lake table as the last commit of `files` recorded it.

    Later commits of those tables belong to a batch that never finished, or to maintenance.

    Raises:
        LakeChanged: A table was restored, rebuilt or written to by something else than Songlake.
    """
    files = open_table(lake, FILES)
    if files is None:
        return {}
    counted = next((commit for commit in commits(files) if "tables" in commit.recorded), None)
    if counted is None:
        positions = _first_positions(lake)
    else:
        positions = {name: Position.of(recorded) for name, recorded in counted.recorded["tables"].items()}
    positions[FILES.name] = Position(position(files).table_id, counted.version if counted else 0)
    for table in LAKE:
        _refuse_foreign_commits(lake, table, positions[table.name])
    return positions


def _first_positions(lake: Path) -> Positions:
    """Where the tables stand before any batch counted: at their creation, with at most one batch begun since."""
    positions, begun = {}, set()
    for table in (EVENTS, CATALOG, REJECTS):
        opened = _must_open(lake, table)
        positions[table.name] = Position(position(opened).table_id, 0)
        begun |= {commit.recorded["batch_id"] for commit in commits(opened, after=0) if "batch_id" in commit.recorded}
        undone = any("undone" in commit.recorded for commit in commits(opened, after=0))
        if len(begun) > 1 and not undone:
            raise LakeChanged(f"The table 'files' in {lake} is new although {table.name} holds rows.", _REBUILD)
    return positions


def _must_open(lake: Path, table: Table) -> DeltaTable:
    opened = open_table(lake, table)
    if opened is None:
        raise LakeChanged(f"The lake in {lake} has no table {table.name} any more.", _REBUILD)
    return opened


def _refuse_foreign_commits(lake: Path, table: Table, counted: Position) -> None:
    opened = _must_open(lake, table)
    now = position(opened)
    if now.table_id != counted.table_id:
        raise LakeChanged(f"Lake table {table.name} was rebuilt: it is not the table that was last written.", _REBUILD)
    if now.version < counted.version:
        raise LakeChanged(
            f"Lake table {table.name} is at version {now.version}, before version {counted.version} that was recorded.", _REBUILD
        )
    for commit in commits(opened, after=counted.version):
        if commit.operation not in _HARMLESS and not commit.recorded:
            raise LakeChanged(
                f"Version {commit.version} of lake table {table.name} ({commit.operation}) was not written by Songlake.", _REBUILD
            )


def undo_unfinished_batch(lake: Path) -> list[str]:
    """Take back what a batch wrote whose process died before `files` was committed; returns the names of the tables put back.

    The tables are restored to the recorded version, which also brings back the earlier rows of files that the batch had replaced.
    """
    undone = []
    for name, counted in snapshot(lake).items():
        table = next(table for table in LAKE if table.name == name)
        opened = _must_open(lake, table)
        later = [commit for commit in commits(opened, after=counted.version) if commit.operation not in _HARMLESS]
        if later and "undone" not in later[0].recorded:
            note = json.dumps({"undone": counted.version})
            opened.restore(counted.version, commit_properties=CommitProperties(custom_metadata={"userMetadata": note}))
            undone.append(name)
    return undone


def positions_now(lake: Path) -> Positions:
    """Tell where the tables that a batch writes stand now, whatever counts."""
    return {table.name: position(_must_open(lake, table)) for table in (EVENTS, CATALOG, REJECTS)}


def refuse_interference(lake: Path, before: Positions, batch_id: str) -> Positions:
    """Tell where the lake tables stand after this batch wrote them, provided nobody else did meanwhile.

    Raises:
        LockHeld: Another ingest committed between; this batch must not count.
    """
    now = {}
    for table in (EVENTS, CATALOG, REJECTS):
        opened = _must_open(lake, table)
        others = [
            commit for commit in commits(opened, after=before[table.name].version) if commit.recorded.get("batch_id", batch_id) != batch_id
        ]
        if others:
            raise LockHeld(f"Another ingest wrote lake table {table.name} meanwhile.", "Let one ingest run at a time, then run this again.")
        now[table.name] = position(opened)
    return now


def bookmark(lake: Path, table: Table) -> Positions:
    """Tell how far into its sources a star table has come; empty if it was never written, or changed by something else since."""
    opened = open_table(lake, table)
    if opened is None:
        return {}
    for commit in commits(opened):
        if "sources" in commit.recorded:
            return {name: Position.of(recorded) for name, recorded in commit.recorded["sources"].items()}
        if commit.operation not in _HARMLESS:
            return {}
    return {}


def star_positions(lake: Path) -> Positions:
    """Tell at which version each star table's rows last changed; a table that does not exist is left out."""
    positions = {}
    for table in STAR:
        opened = open_table(lake, table)
        if opened is not None:
            last = next((commit.version for commit in commits(opened) if commit.operation not in _HARMLESS), 0)
            positions[table.name] = Position(position(opened).table_id, last)
    return positions


def is_untouched(lake: Path, table: Table) -> bool:
    """Whether nothing was ever written to a table, so that it is empty."""
    opened = open_table(lake, table)
    return opened is None or all(commit.operation in _HARMLESS for commit in commits(opened))


def has_feed(lake: Path, table: Table, after: Position, upto: Position) -> bool:
    """Whether every commit between two positions, and every file it names, is still there, so that the change feed can be read."""
    folder = lake_path(lake, table)
    for version in range(after.version + 1, upto.version + 1):
        try:
            actions = [json.loads(line) for line in (folder / "_delta_log" / f"{version:020}.json").read_text().splitlines()]
        except FileNotFoundError:
            return False
        for action in actions:
            for named in (action[kind] for kind in ("add", "remove", "cdc") if kind in action):
                if named.get("dataChange", True) and not (folder / unquote(named["path"])).exists():
                    return False
    return True


def is_current(bookmarked: Positions, table: Table, counted: Positions) -> bool:
    """Whether a star table has taken in everything its sources hold."""
    return all(bookmarked.get(name) == counted[name] for name in table.sources)


def require_snapshot(lake: Path) -> Positions:
    """Give the snapshot that counts.

    Raises:
        InputMissing: There is no lake in that folder.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    counted = snapshot(lake)
    if not counted:
        raise InputMissing(f"There is no lake in {lake}.", "Run ingest first, or name another folder with --lake.")
    return counted


def stale_star_tables(lake: Path) -> list[Table]:
    """List the star tables that have not taken in all their sources hold.

    Raises:
        InputMissing: There is no lake in that folder.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    counted = require_snapshot(lake)
    return [table for table in STAR if not is_current(bookmark(lake, table), table, counted)]


def positions_to_publish(lake: Path) -> Positions:
    """Tell what the warehouse is to come to: each star table as it is, and `files` as the star tables have taken it in.

    Raises:
        InputMissing: There is no lake, or a star table is behind it.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    counted, stale = require_snapshot(lake), [table.name for table in stale_star_tables(lake)]
    if stale:
        raise InputMissing(
            f"Star tables {', '.join(stale)} in {lake} are behind the lake.", "Run build_star first, or name another folder with --lake."
        )
    return {**star_positions(lake), FILES.name: counted[FILES.name]}


def read_files(lake: Path) -> dict[str, FileRecord]:
    """Read the `files` table as it is now, by path; empty where there is no lake yet."""
    files = open_table(lake, FILES)
    return {} if files is None else {row["path"]: FileRecord(**row) for row in query(files, FILES, "SELECT * FROM files")}


def query(opened: DeltaTable, table: Table, select: str) -> list[dict[str, Any]]:
    """Ask a table something in SQL, by the table's name; pandas, which pyarrow would import, takes seconds.

    Raises:
        LakeChanged: A file of the table cannot be read.
    """
    try:
        found = QueryBuilder().register(table.name, opened).execute(select).read_all()
    except (DeltaError, OSError) as error:
        raise LakeChanged(f"Lake table {table.name} cannot be read ({_first_line(error)}).", _REBUILD) from error
    return list(found.to_struct_array().to_pylist()) if found.num_rows else []


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
