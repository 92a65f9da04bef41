"""Who is measured, and how each is started: a process of its own that finds the tables made, and loads what is new."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PLAIN_SPARK = '. bin/env.sh && unset PYSPARK_SUBMIT_ARGS SPARK_SUBMIT_OPTS SPARK_LAUNCHER_OPTS && exec "$SPARK_HOME/bin/spark-submit"'
"""Spark as it comes, without this project's settings and archive of classes."""


@dataclass(frozen=True)
class Contender:
    """One way from landing zone to warehouse.

    Attributes:
        name: What it is called in results.
        command: Gives its command for a landing zone and a folder that is its own, where it may keep what a later run needs.
        keys_only: Whether only its keys are compared with the others', as the rest of its rows is wrong by nature.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    keys_only: bool = False


SONGLAKE = Contender(
    "songlake", lambda landing, own: ["bin/songlake", "run", "--json", "--landing", str(landing), "--lake", str(own / "lake")]
)
DUCKDB = Contender("duckdb", lambda landing, own: [sys.executable, "-m", "bench.duckdb_load", str(landing)])
KEEPING_DUCKDB = Contender(
    "duckdb", lambda landing, own: [sys.executable, "-m", "bench.duckdb_load", str(landing), str(own / "events.duckdb")]
)
POLARS = Contender("polars", lambda landing, own: [sys.executable, "-m", "bench.polars_load", str(landing)])
NAIVE = Contender("naive", lambda landing, own: ["bash", "-c", f'{_PLAIN_SPARK} bench/naive.py "$0"', str(landing)], keys_only=True)
