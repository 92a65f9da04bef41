"""One Spark session for all tests of this process, and a world of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests import sparkenv
from tests.world import World


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The session, as bin/songlake starts it."""
    sparkenv.load()
    from spark_jobs.session import start_session

    return start_session()


@pytest.fixture
def world(spark: SparkSession, warehouse_url: str, tmp_path: Path) -> World:
    """An empty landing zone, no lake, an empty database."""
    return World(tmp_path, warehouse_url)
