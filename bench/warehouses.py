"""Databases to load into, on a PostgreSQL of the benchmark's own, and digests of what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from spark_jobs.contracts import STAR, Table
from spark_jobs.warehouse import embedded
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.schema import ensure

Digest = tuple[int, str]
"""Rows, and a sum of hashes that is the same in whatever order they come."""


@contextmanager
def running_server(home: Path) -> Iterator[str]:
    """Give the URL of a server that ends with the block."""
    try:
        yield embedded.start(home)
    finally:
        embedded.stop(home)


def fresh_database(server: str, name: str) -> str:
    """Create an empty warehouse with schema and keys made, and give its URL; one of that name goes."""
    _execute(server, "DROP DATABASE IF EXISTS {}", name)
    _execute(server, "CREATE DATABASE {}", name)
    url = _url(server, name)
    with connect(url, application_name="bench") as connection:
        ensure(connection)
    return url


def copy_database(server: str, source: str, name: str) -> str:
    """Copy a warehouse that nobody is connected to, and give the copy's URL; one of that name goes."""
    _execute(server, "DROP DATABASE IF EXISTS {}", name)
    _execute(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, source)
    return _url(server, name)


def drop_database(server: str, name: str) -> None:
    """Drop a database."""
    _execute(server, "DROP DATABASE IF EXISTS {}", name)


def settle(url: str, *, analyze: bool = False) -> None:
    """Write what is still in memory to disk, so that nobody pays for what came before; with `analyze` also gather statistics."""
    with psycopg.connect(url, autocommit=True) as connection:
        if analyze:
            connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")


def digests(url: str, *, keys_only: bool = False) -> dict[str, Digest]:
    """Count the rows of each star table and digest them; with `keys_only` their keys alone."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return {table.name: _digest(connection, table, keys_only) for table in STAR}


def _digest(connection: psycopg.Connection[tuple[object, ...]], table: Table, keys_only: bool) -> Digest:
    names = table.key if keys_only else tuple(column.name for column in table.warehouse_columns)
    query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text, 0)::numeric), 0)::text FROM {}")
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    count, digest = connection.execute(query.format(columns, sql.Identifier("dwh", table.name))).fetchone() or (0, "")
    return int(str(count)), str(digest)


def differing(one: Mapping[str, Digest], other: Mapping[str, Digest]) -> list[str]:
    """Say which tables differ, and by how many rows."""
    return [f"{table} ({one[table][0]:,} and {other[table][0]:,} rows)" for table in one if one[table] != other[table]]


def _execute(server: str, statement: str, *names: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _url(server: str, name: str) -> str:
    return server.rsplit("/", 1)[0] + f"/{name}"
