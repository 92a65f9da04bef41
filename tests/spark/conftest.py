"""One Spark session for all tests of this process, and a world of its own for each test."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests import sparkenv
from tests.world import World


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The session, as bin/songlake starts it."""
    sparkenv.load()
    # Airflow, if tests of it ran in this process, lets every library tell all to a stream of theirs; py4j does so once that is closed.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    from spark_jobs.session import start_session

    return start_session()


@pytest.fixture
def world(spark: SparkSession, warehouse_url: str, tmp_path: Path) -> World:
    """An empty landing zone, no lake, an empty database."""
    return World(tmp_path, warehouse_url)
