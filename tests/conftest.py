"""Shared by all tests: one real PostgreSQL a process, a database of its own for each test that asks for one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
import structlog

from tests.scratch import scratch_database, scratch_server

pytest.register_assert_rewrite("tests.world")

# Tests that look at lineage switch it on; the others would fill this project's own folder of it.
os.environ["OPENLINEAGE_DISABLED"] = "true"


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Keep log lines out of what is printed, as commands do, and forget where one sent them, which may be closed by the next test."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a superuser of a PostgreSQL that lives as long as this process of tests.

    It is the embedded one, or the one that SONGLAKE_TEST_POSTGRES_URL names (to try another version).
    """
    given = os.environ.get("SONGLAKE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with scratch_server() as (_, url):
        yield url


@pytest.fixture
def warehouse_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty database, dropped afterwards."""
    with scratch_database(postgres_server) as url:
        yield url
