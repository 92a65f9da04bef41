"""Keep what the views for analysts answer from, in the transaction that publishes a batch (docs/adr/0016).

A table that is empty is not kept: its view computes the same rows from songplays. So emptying one mends it, whatever happened to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar, cast

from psycopg import sql

from spark_jobs.warehouse.batches import is_empty
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.contracts import KEPT_PLAY_RUNS, KEPT_SONG_MONTHS
from spark_jobs.warehouse.statements import SQL, read

KEPT_FROM = 2_000_000
"""Live plays from which on the views take longer than a few seconds without it; fewer are loaded quicker without it."""

Applied = TypeVar("Applied")


def keep_up(connection: Connection, apply: Callable[[], Applied], plays: Callable[[Applied], int]) -> Applied:
    """Apply the plays that stand in staging, and bring what is kept up to them; costs what the days and songs of the batch cost.

    Args:
        connection: In the publishing transaction.
        apply: Makes the staged rows live.
        plays: Tells from what `apply` gives how many plays are live then.

    Returns:
        What `apply` gives.
    """
    days = None if is_empty(connection, KEPT_PLAY_RUNS) else _days(connection, "changed_days")
    months_are_kept = not is_empty(connection, KEPT_SONG_MONTHS)
    if months_are_kept and _one(connection, "change_months"):
        connection.execute("DELETE FROM dwh.kept_song_months WHERE plays = 0")
    applied = apply()
    if days is not None:
        connection.execute(_statement("forget_days"), {"days": days})
        connection.execute(_statement("keep_days"), {"days": days})
    elif plays(applied) >= KEPT_FROM:
        connection.execute(_statement("keep_days"), {"days": _days(connection, "all_days")})
    if not months_are_kept and plays(applied) >= KEPT_FROM:
        connection.execute(_statement("keep_months"))
    return applied


def _days(connection: Connection, name: str) -> list[date]:
    return [cast("date", day) for (day,) in connection.execute(_statement(name)).fetchall()]


def _one(connection: Connection, name: str) -> int:
    row = connection.execute(_statement(name)).fetchone()
    return cast("int", row[0]) if row else 0


def _statement(name: str) -> sql.SQL:
    return read(SQL / "marts" / f"{name}.sql")
