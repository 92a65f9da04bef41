"""Whether a position that was taken elsewhere, as in the warehouse's books, is one of this lake's own history."""

from __future__ import annotations

from spark_jobs.contracts import Table
from spark_jobs.errors import InputMissing
from spark_jobs.lake.log import Position, commits, must_open, position
from spark_jobs.locations import Location


def require_history(lake: Location, table: Table, live: Position | None) -> Position:
    """Give what is live of a table, unless this lake's table never was there: another may hold rows that no gate let through.

    A log is cut after a month; of a version that it no longer tells of, the table's id has to do.

    Raises:
        InputMissing: Nothing of it is live, or the lake's table never was at that position.
        LakeChanged: The table is not there.
    """
    if live is None or not _leads_there(lake, table, live) or _told(lake, table, live) not in (None, live.written_at):
        raise InputMissing(
            f"What is live in the warehouse was not loaded from the lake in {lake}, or that was brought back from a backup since.",
            "Run `bin/songlake run` first, or name another lake with --lake.",
        )
    return live


def is_of_this_history(lake: Location, table: Table, at: Position) -> bool:
    """Whether a position is one that this table, and no other, has been at, and its log still tells so.

    Raises:
        LakeChanged: The table is not there.
    """
    return _leads_there(lake, table, at) and _told(lake, table, at) == at.written_at


def _leads_there(lake: Location, table: Table, at: Position) -> bool:
    now = position(must_open(lake, table))
    return at.table_id == now.table_id and at.version <= now.version


def _told(lake: Location, table: Table, at: Position) -> int | None:
    """Give when the log says that version was written; a position without a time is that of a table nobody had written to."""
    if not at.written_at:
        return 0
    later = commits(must_open(lake, table), after=at.version - 1)
    return next((commit.written_at for commit in later if commit.version == at.version), None)
