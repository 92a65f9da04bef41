"""Whether a position that was taken elsewhere, as in the warehouse's books, is one of this lake's own history."""

from __future__ import annotations

from spark_jobs.contracts import Table
from spark_jobs.errors import InputMissing
from spark_jobs.lake.log import Position, has_been_at, must_open, position, written_at
from spark_jobs.locations import Location


def require_history(lake: Location, table: Table, live: Position | None) -> Position:
    """Give what is live of a table, unless this lake's table never was there: another may hold rows that no gate let through.

    A log is cut after a month; of a version that it no longer tells of, the table's id has to do.

    Raises:
        InputMissing: Nothing of it is live, or the lake's table never was at that position.
        LakeChanged: The table is not there.
    """
    if live is None or not _leads_there(lake, table, live) or _is_denied(lake, table, live):
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
    return _leads_there(lake, table, at) and has_been_at(lake, table, at)


def _leads_there(lake: Location, table: Table, at: Position) -> bool:
    now = position(must_open(lake, table))
    return at.table_id == now.table_id and at.version <= now.version


def _is_denied(lake: Location, table: Table, at: Position) -> bool:
    return not has_been_at(lake, table, at) and written_at(lake, table, at.version) is not None
