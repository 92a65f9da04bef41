"""Whether a position that was taken elsewhere, as in the warehouse's books, is one of this lake's own history."""

from __future__ import annotations

from spark_jobs.contracts import Table
from spark_jobs.errors import InputMissing
from spark_jobs.lake.log import Position, has_been_at, must_open, position
from spark_jobs.locations import Location


def require_history(lake: Location, table: Table, live: Position | None) -> Position:
    """Give what is live of a table, if this lake's table has been there: another at its version may hold rows that no gate let through.

    Raises:
        InputMissing: Nothing of it is live, or the lake's table never was at that position.
        LakeChanged: The table is not there.
    """
    if live is None or not is_of_this_history(lake, table, live):
        raise InputMissing(
            f"What is live in the warehouse was not loaded from the lake in {lake}, or that was brought back from a backup since.",
            "Run `bin/songlake run` first, or name another lake with --lake.",
        )
    return live


def is_of_this_history(lake: Location, table: Table, at: Position) -> bool:
    """Whether a position is one that this table, and no other, has been at.

    Raises:
        LakeChanged: The table is not there.
    """
    now = position(must_open(lake, table))
    return at.table_id == now.table_id and at.version <= now.version and has_been_at(lake, table, at)
