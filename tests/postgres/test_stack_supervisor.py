"""The supervisor of `make up` outlives what it cannot start and cannot tell, as on a full disk, and goes on once it can."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spark_jobs.stack_home import SUPERVISOR, StackHome
from tests.scratch import scratch_server, wait_until
from tests.sparkenv import PROJECT


@contextmanager
def supervisor(home: StackHome, postgres: Path, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start one, and end it after the block."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SONGLAKE", "WAREHOUSE"))}
    given = {"SONGLAKE_AIRFLOW__HOME": str(home.folder), "SONGLAKE_POSTGRES_HOME": str(postgres)}
    with said.open("a") as log:
        process = subprocess.Popen([sys.executable, "-m", SUPERVISOR], cwd=PROJECT, env={**kept, **given}, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def looks_on(process: subprocess.Popen[bytes], home: StackHome, seconds: float = 5) -> bool:
    """Whether it still runs after it has looked a few times."""
    while not home.pid.exists() and process.poll() is None:
        time.sleep(0.1)
    time.sleep(seconds)
    return process.poll() is None


def test_supervisor_goes_on_where_its_log_is_on_a_full_disk(tmp_path: Path) -> None:
    home, postgres = StackHome(tmp_path / "airflow"), tmp_path / "no-folder"
    home.make()
    postgres.touch()
    with supervisor(home, postgres, Path("/dev/full")) as process:
        assert looks_on(process, home)


def test_supervisor_goes_on_where_the_system_lets_it_start_nothing(tmp_path: Path) -> None:
    home, said = StackHome(tmp_path / "airflow"), tmp_path / "said"
    home.make()
    home.secrets.unlink()
    told = f"Not everything could be started: [Errno 2] No such file or directory: '{home.secrets}'"
    with scratch_server() as (postgres, _), supervisor(home, postgres, said) as process:
        assert wait_until(lambda: told in said.read_text(), 60)
        assert looks_on(process, home)
