"""Warehouses to test on: a shared one that is emptied for each test, and a database of its own for tests that change the schema."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from psycopg import sql

from spark_jobs.contracts import FILES, STAGED, STAR
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.contracts import MARTS, MODEL_RUNS, OPS, RECOMMENDATIONS, SCHEMA_VERSION
from spark_jobs.warehouse.schema import ensure
from tests.scratch import scratch_database

_TABLES = [("dwh", table) for table in (*STAR, *MARTS, RECOMMENDATIONS)]
_TABLES += [("staging", table) for table in (*STAGED, RECOMMENDATIONS)]
_TABLES += [("ops", table) for table in (FILES, *OPS, MODEL_RUNS)]
_EMPTY = sql.SQL("; ").join(
    sql.SQL("DELETE FROM {}").format(sql.Identifier(schema, table.name)) for schema, table in _TABLES if table is not SCHEMA_VERSION
)


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """Name of a database with the schema made, to copy."""
    with scratch_database(postgres_server) as url:
        with connect(url, application_name="template") as connection:
            ensure(connection)
        yield urlsplit(url).path[1:]


@pytest.fixture(scope="session")
def shared_url(postgres_server: str, template: str) -> Iterator[str]:
    """URL of the warehouse that tests share."""
    with scratch_database(postgres_server, template) as url:
        yield url


@pytest.fixture(scope="session")
def broom(shared_url: str) -> Iterator[Connection]:
    """The connection that empties the shared warehouse."""
    with connect(shared_url, application_name="broom") as connection:
        yield connection


@pytest.fixture
def url(shared_url: str, broom: Connection) -> str:
    """URL of the shared warehouse, emptied."""
    broom.execute(_EMPTY)
    return shared_url


@pytest.fixture
def warehouse(url: str) -> Iterator[Connection]:
    """A connection to the shared warehouse, emptied."""
    with connect(url, application_name="test") as connection:
        yield connection


@pytest.fixture
def own_url(postgres_server: str, template: str) -> Iterator[str]:
    """URL of a fresh warehouse of the test's own, whose schema it may change."""
    with scratch_database(postgres_server, template) as url:
        yield url


@pytest.fixture
def own_warehouse(own_url: str) -> Iterator[Connection]:
    """A connection to that."""
    with connect(own_url, application_name="test") as connection:
        yield connection
