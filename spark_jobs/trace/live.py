"""What analysts read of a row, whether it is what the lake holds, and which load brought it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spark_jobs.contracts import Table
from spark_jobs.errors import SonglakeError
from spark_jobs.settings import Settings
from spark_jobs.trace.known import Row
from spark_jobs.warehouse import batches, embedded, provenance
from spark_jobs.warehouse.connection import Connection, connect, session_name


@dataclass
class Live:
    """A row in the warehouse.

    Attributes:
        is_live: Whether analysts read it; None where the warehouse could not be asked.
        differs: Columns in which it is not what the lake holds: the lake's value and the live one.
        load: The load that made it what it is; of a row that is not live, the last load.
        said: How it stands with row and load, in a sentence each.
    """

    is_live: bool | None = None
    differs: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    load: provenance.Load | None = None
    said: list[str] = field(default_factory=list)


@contextmanager
def warehouse(settings: Settings) -> Iterator[Connection | str]:
    """Connect to the warehouse for reading; where it cannot be asked, give the reason instead."""
    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else embedded.url(settings.postgres_home)
    if url is None:
        yield "The embedded PostgreSQL does not run; 'bin/songlake db start' starts it."
        return
    try:
        connection = connect(url, application_name=session_name("trace"))
    except SonglakeError as error:
        yield str(error)
        return
    with connection:
        yield _without_books(connection) or connection


def _without_books(connection: Connection) -> str | None:
    try:
        return None if batches.has_books(connection) else "The warehouse has no tables yet; the first run makes them."
    except SonglakeError as error:
        return str(error)


def live_row(connection: Connection | str, table: Table, key: str | int, star: Row | None) -> Live:
    """Compare the live row with the lake's, and name the load that wrote it.

    Args:
        connection: To the warehouse, or why there is none.
        table: A star table.
        key: The row's key.
        star: The lake's row; None where the lake has none.
    """
    if isinstance(connection, str):
        return Live(said=[f"What is live, and which load brought it, is not known. {connection}"])
    try:
        return _asked(connection, table, key, star)
    except SonglakeError as error:
        return Live(said=[f"What is live, and which load brought it, is not known. {error}"])


def _asked(connection: Connection, table: Table, key: str | int, star: Row | None) -> Live:
    row, batch_id = provenance.live_row(connection, table, key)
    if row is None:
        live = Live(False, load=provenance.latest_load(connection))
        live.said.append(f"dwh.{table.name} has no such row." if star is None else f"The row is not live yet: dwh.{table.name} has none.")
        if live.load is not None:
            live.said.append(f"The last load is {live.load.batch_id}, {live.load.status}.")
        return live
    live = Live(True)
    if star is not None:
        names = [column.name for column in table.warehouse_columns]
        live.differs = {name: (star[name], row[name]) for name in names if star[name] != row[name]}
    live.said.append(_compared(table, live, star))
    if batch_id is not None:
        live.load = provenance.load(connection, batch_id)
        live.said.append(f"Load {batch_id} wrote it: the transaction that wrote the row published that load.")
    else:
        live.load, sentence = _latest_possible(connection, table)
        live.said.append(sentence)
    return live


def _compared(table: Table, live: Live, star: Row | None) -> str:
    if star is None:
        return f"dwh.{table.name} has the row, and the star in the lake has not: the next run makes them equal."
    if live.differs:
        columns = ", ".join(live.differs)
        return f"dwh.{table.name} holds otherwise than the star in the lake in {columns}: that is ahead, or a load was refused."
    return f"dwh.{table.name} holds what the star in the lake holds."


def _latest_possible(connection: Connection, table: Table) -> tuple[provenance.Load | None, str]:
    """Say what can be said of a row whose transaction is of no load in the books."""
    unknown = "Which load wrote the row cannot be told: no load in the books is of the transaction that wrote it, as after a restore."
    last = provenance.last_load_of(connection, table)
    if last is None:
        return None, unknown
    batch_id, version = last
    at_most = f"It is one up to {batch_id}, which brought {table.name} to version {version} of the lake."
    return provenance.load(connection, batch_id), f"{unknown} {at_most}"
