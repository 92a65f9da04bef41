"""Which load made a live row what it is, and what the gate found about that load."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from spark_jobs.contracts import Table
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.statements import SQL, live, read

Rows = list[dict[str, Any]]

_SHOWN = 20


@dataclass
class Load:
    """A load of the warehouse.

    Attributes:
        batch_id: The load.
        status: `staged`, `checked`, `rejected` or `published`.
        started_at: When staging was emptied for it.
        checked_at: When the gate last judged it.
        published_at: When it went live.
        checks: What the gate found, what failed first: result, check, detail, severity, found.
    """

    batch_id: str
    status: str
    started_at: datetime
    checked_at: datetime | None
    published_at: datetime | None
    checks: Rows = field(default_factory=list)


@explained
def live_row(connection: Connection, table: Table, key: str | int) -> tuple[dict[str, Any] | None, str | None]:
    """Give the live row of a table with one key column, and the load that wrote it.

    Returns:
        The row, None where none is live; the load's name, None where it cannot be told.
    """
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.warehouse_columns)
    query = read(SQL / "trace" / "live_row.sql").format(live=live(table), columns=columns, key=sql.Identifier(table.key[0]))
    found = _ask(connection, query, key_value=key)
    if not found:
        return None, None
    written_by = found[0].pop("written_by")
    loads = _ask(connection, read(SQL / "trace" / "loads_written_by.sql"), written_by=written_by)
    return found[0], str(loads[0]["batch_id"]) if len(loads) == 1 else None


@explained
def load(connection: Connection, batch_id: str) -> Load | None:
    """Tell what became of a load; None where the books do not know it."""
    found = _ask(connection, read(SQL / "trace" / "load.sql"), batch_id=batch_id)
    if not found:
        return None
    return Load(**found[0], checks=_ask(connection, read(SQL / "report" / "checks.sql"), batch_id=batch_id))


@explained
def latest_load(connection: Connection) -> Load | None:
    """Tell of the load that was begun last."""
    newest = batches.latest(connection, 1)
    return load(connection, str(newest[0]["batch_id"])) if newest else None


@explained
def last_load_of(connection: Connection, table: Table) -> tuple[str, int] | None:
    """Name the load that brought a table to where it is, and the version of the lake's table; None where none did."""
    found = _ask(connection, sql.SQL("SELECT batch_id, delta_version FROM ops.published WHERE table_name = %(name)s"), name=table.name)
    return (str(found[0]["batch_id"]), int(found[0]["delta_version"])) if found else None


@explained
def of_user(connection: Connection, user_id: int) -> tuple[dict[str, Any], Rows]:
    """Tell how much of a user is live (plays, matched, days, first_play, last_play), and their levels (level, valid_from, valid_to)."""
    levels = _ask(connection, read(SQL / "trace" / "user_levels.sql"), user_id=user_id)
    return _ask(connection, read(SQL / "trace" / "user_plays.sql"), user_id=user_id)[0], levels


@explained
def of_song(connection: Connection, song_id: str, title: str | None, artist: str) -> tuple[dict[str, Any], Rows]:
    """Tell of the live plays of a song (plays, listeners, first_play, last_play), and of those that nearly are.

    Args:
        connection: To the warehouse.
        song_id: The song.
        title: Its title; None matches nothing.
        artist: Its artist.

    Returns:
        The counts; and by length and song_id, plays of that title and artist that were not given this song.
    """
    near = read(SQL / "trace" / "song_near_plays.sql")
    found = [] if title is None else _ask(connection, near, song_id=song_id, title=title, artist=artist, top=_SHOWN)
    return _ask(connection, read(SQL / "trace" / "song_plays.sql"), song_id=song_id)[0], found


def _ask(connection: Connection, query: sql.SQL | sql.Composed, **values: object) -> Rows:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
