"""What of the lake counts, told and mended without a JVM: the snapshot, unfinished batches, interference, the `files` table."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from deltalake import CommitProperties, DeltaTable

from spark_jobs.contracts import CATALOG, EVENTS, FILES, LAKE, REJECTS, STAR, Table
from spark_jobs.errors import InputMissing, LakeChanged, LockHeld
from spark_jobs.lake.log import (
    HARMLESS,
    REBUILD,
    Position,
    Positions,
    bookmark,
    commits,
    last_change,
    must_open,
    open_table,
    position,
    query,
    star_positions,
)
from spark_jobs.locations import Location


def new_batch_id(now: datetime) -> str:
    """Give a batch a name that no other has and that sorts by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


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
    unknown_keys: list[str] | None = None


def counted_positions(lake: Location) -> Positions:
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
    table_id = position(files).table_id
    positions[FILES.name] = Position(table_id, counted.version, counted.written_at) if counted else Position(table_id, 0)
    for table in LAKE:
        _must_be_ours(lake, table, positions[table.name])
    return positions


def _first_positions(lake: Location) -> Positions:
    """Where the tables stand before any batch counted: at their creation, with at most one batch begun that was not taken back."""
    positions, begun = {}, set()
    for table in (EVENTS, CATALOG, REJECTS):
        opened = must_open(lake, table)
        positions[table.name] = Position(position(opened).table_id, 0)
        standing = takewhile(lambda commit: "undone" not in commit.recorded, commits(opened, after=0))
        begun |= {commit.recorded["batch_id"] for commit in standing if "batch_id" in commit.recorded}
        if len(begun) > 1:
            raise LakeChanged(f"The table 'files' in {lake} is new although {table.name} holds rows.", REBUILD)
    return positions


def _must_be_ours(lake: Location, table: Table, counted: Position) -> DeltaTable:
    """Open a table, provided that nothing but Songlake wrote it since a position."""
    opened = must_open(lake, table)
    now = position(opened)
    if now.table_id != counted.table_id:
        raise LakeChanged(f"Lake table {table.name} was rebuilt: it is not the table that was last written.", REBUILD)
    if now.version < counted.version:
        raise LakeChanged(
            f"Lake table {table.name} is at version {now.version}, before version {counted.version} that was recorded.", REBUILD
        )
    for commit in commits(opened, after=counted.version):
        if commit.operation not in HARMLESS and not commit.recorded:
            raise LakeChanged(
                f"Version {commit.version} of lake table {table.name} ({commit.operation}) was not written by Songlake.", REBUILD
            )
    return opened


def undo_unfinished_batch(lake: Location) -> list[str]:
    """Take back what a batch wrote whose process died before `files` was committed; returns the names of the tables put back.

    The tables are restored to the recorded version, which also brings back the earlier rows of files that the batch had replaced.
    """
    undone = []
    for name, counted in counted_positions(lake).items():
        table = next(table for table in LAKE if table.name == name)
        opened = must_open(lake, table)
        later = [commit for commit in commits(opened, after=counted.version) if commit.operation not in HARMLESS]
        if later and "undone" not in later[0].recorded:
            note = json.dumps({"undone": counted.version})
            opened.restore(counted.version, commit_properties=CommitProperties(custom_metadata={"userMetadata": note}))
            undone.append(name)
    return undone


def positions_now(lake: Location) -> Positions:
    """Tell where the tables that a batch writes stand now, whatever counts."""
    return {table.name: position(must_open(lake, table)) for table in (EVENTS, CATALOG, REJECTS)}


def refuse_interference(lake: Location, before: Positions, batch_id: str) -> Positions:
    """Tell where the lake tables stand after this batch wrote them, provided nobody else did meanwhile.

    Raises:
        LakeChanged: A table was rebuilt or written to by something else than Songlake meanwhile; this batch must not count.
        LockHeld: Another ingest committed between; the same.
    """
    now = {}
    for table in (EVENTS, CATALOG, REJECTS):
        opened = _must_be_ours(lake, table, before[table.name])
        changes = (commit for commit in commits(opened, after=before[table.name].version) if commit.operation not in HARMLESS)
        if any(commit.recorded.get("batch_id") != batch_id for commit in changes):
            raise LockHeld(f"Another ingest wrote lake table {table.name} meanwhile.", "Let one ingest run at a time, then run this again.")
        now[table.name] = position(opened)
    return now


def commit_of(batch_id: str, now: Positions) -> dict[str, Any]:
    """Give what the commit of `files` records that makes a batch count."""
    return {"batch_id": batch_id, "tables": {name: at.as_dict() for name, at in now.items()}}


def require_counted(lake: Location) -> Positions:
    """Give the snapshot that counts.

    Raises:
        InputMissing: There is no lake in that folder.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    counted = counted_positions(lake)
    if not counted:
        raise InputMissing(f"There is no lake in {lake}.", "Run ingest first, or name another folder with --lake.")
    return counted


def open_counted(lake: Location, table: Table) -> DeltaTable:
    """Open a lake table as the last batch that counts left it.

    Raises:
        InputMissing: There is no lake in that folder.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    counted, opened = require_counted(lake)[table.name], must_open(lake, table)
    if counted.version < last_change(opened).version:
        opened.load_as_version(counted.version)
    return opened


def stale_star_tables(lake: Location) -> list[Table]:
    """List the star tables that have not taken in all their sources hold.

    Raises:
        InputMissing: There is no lake in that folder.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    return _stale(lake, require_counted(lake))


def _stale(lake: Location, counted: Positions) -> list[Table]:
    return [table for table in STAR if bookmark(lake, table) != {name: counted[name] for name in table.sources}]


def positions_to_publish(lake: Location) -> Positions:
    """Tell what the warehouse is to come to: each star table as it is, and `files` as the star tables have taken it in.

    Raises:
        InputMissing: There is no lake, or a star table is behind it.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    counted = require_counted(lake)
    stale = [table.name for table in _stale(lake, counted)]
    if stale:
        raise InputMissing(
            f"Star tables {', '.join(stale)} in {lake} are behind the lake.", "Run build_star first, or name another folder with --lake."
        )
    return {**star_positions(lake), FILES.name: counted[FILES.name]}


def read_files(lake: Location) -> dict[str, FileRecord]:
    """Read the `files` table as it is now, by path; empty where there is no lake yet."""
    files = open_table(lake, FILES)
    return {} if files is None else {row["path"]: FileRecord(**row) for row in query(files, FILES, "SELECT * FROM files")}
