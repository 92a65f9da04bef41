"""Shared by all tests: one real PostgreSQL a run, a database of its own for each test that asks for one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.scratch import scratch_database

pytest.register_assert_rewrite("tests.world")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a superuser of a PostgreSQL that lives as long as the test run.

    It is the embedded one, or the one that SONGLAKE_TEST_POSTGRES_URL names (to try another version).
    """
    given = os.environ.get("SONGLAKE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    from spark_jobs.warehouse import embedded

    # Not under pytest's tmp_path: only its owner may enter that, and PostgreSQL runs as another user when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="songlake-postgres-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        url = embedded.start(home)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                # Nothing outlives the run, so nothing waits for the disk.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield url
        finally:
            embedded.stop(home)


@pytest.fixture
def warehouse_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty database, dropped afterwards."""
    with scratch_database(postgres_server) as url:
        yield url
