"""A warehouse of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.schema import ensure
from tests.scratch import scratch_database


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """Name of a database with the schema made, to copy."""
    with scratch_database(postgres_server) as url:
        with connect(url, application_name="template") as connection:
            ensure(connection)
        yield urlsplit(url).path[1:]


@pytest.fixture
def url(postgres_server: str, template: str) -> Iterator[str]:
    """URL of a fresh warehouse with its schema made."""
    with scratch_database(postgres_server, template) as address:
        yield address


@pytest.fixture
def warehouse(url: str) -> Iterator[Connection]:
    """A connection to a fresh warehouse with its schema made."""
    with connect(url, application_name="test") as connection:
        yield connection
