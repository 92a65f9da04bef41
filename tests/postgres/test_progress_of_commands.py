"""Commands that may have to wait show that they work: on a terminal by a spinner, in a log by lines."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_jobs.warehouse import embedded
from tests.postgres.lake import ingest
from tests.sparkenv import PROJECT
from tests.terminal import opened_terminal

COMMANDS = ("db start", "status", "rejects", "doctor", "accept b1 --reason why", "db stop", "down")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An empty landing zone, a lake, and a PostgreSQL that is not there yet."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SONGLAKE") and name != "WAREHOUSE_URL"}
    root = tmp_path_factory.mktemp("place")
    (root / "landing").mkdir()
    ingest(root / "lake", "i1", [])
    # Not below the other: PostgreSQL runs as another user when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="songlake-postgres-") as folder:
        Path(folder).chmod(0o755)
        given = {"LANDING": root / "landing", "LAKE": root / "lake", "POSTGRES_HOME": folder, "AIRFLOW__HOME": root / "airflow"}
        yield {**kept, **{f"SONGLAKE_{name}": str(value) for name, value in given.items()}, "TERM": "xterm"}
        embedded.stop(Path(folder))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_terminal_gets_a_spinner_and_a_log_two_lines(environment: dict[str, str], command: str) -> None:
    name = command.partition(" b1")[0]
    start = [str(PROJECT / "bin" / "songlake"), *command.split()]
    with opened_terminal() as terminal:
        subprocess.run(start, env=environment, stdout=subprocess.DEVNULL, stderr=terminal.end, timeout=240)
    assert f" {name}" in terminal.seen.partition("Error")[0], terminal.seen
    logged = subprocess.run(start, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=240).stderr
    assert "stage begins" in logged.splitlines()[0], logged
