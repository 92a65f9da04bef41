"""The real thing on one machine without Docker: PostgreSQL and Airflow's four components, restarted when they die.

`bin/songlake up` starts a supervisor that outlives it; `bin/songlake down` ends everything. All lies in one folder, Airflow's home.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from spark_jobs.errors import BadUsage, ServiceUnreachable
from spark_jobs.settings import PROJECT, WRITER_POOL, Settings
from spark_jobs.stack_home import HOST, SUPERVISOR, StackHome, address, as_started, end_processes, make_environment, own_environment
from spark_jobs.stack_supervisor import program, read_health
from spark_jobs.warehouse import embedded

POOL = (WRITER_POOL, "1", "One writer of lake and warehouse at a time")
_PATIENCE_SECONDS = 240
_LOOK_SECONDS = 1.0
_STOP_SECONDS = 20


class Running(NamedTuple):
    """A stack that is up.

    Attributes:
        settings: Where everything lies, and the port of the UI; those it was started with, whatever this call was told.
        password: Password of the user `admin`.
        is_new: Whether this call started it.
        is_first: Whether the password was made by this call.
    """

    settings: Settings
    password: str
    is_new: bool
    is_first: bool


def up(settings: Settings, tell: Callable[[str], None]) -> Running:
    """Start the stack, or find it running.

    Args:
        settings: Where everything lies, and the port of the UI.
        tell: Called with what is being done.

    Raises:
        BadUsage: The port is taken by something else.
        ServiceUnreachable: PostgreSQL or Airflow does not come up.
    """
    home = StackHome(settings.airflow.home)
    if (supervisor := home.supervisor()) is not None:
        return Running(as_started(settings, supervisor), home.read_secrets()["admin"], is_new=False, is_first=False)
    end_processes(home.processes(), _STOP_SECONDS)
    _refuse_taken_port(settings.airflow.port)
    is_first = home.make()
    if isinstance(settings.landing, Path):
        settings.landing.mkdir(parents=True, exist_ok=True)
    tell("PostgreSQL")
    environment = make_environment(settings)
    tell("Airflow's database")
    _airflow(environment, home, "db", "migrate")
    _airflow(environment, home, "pools", "set", *POOL)
    tell("Airflow's four components")
    with (home.logs / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", SUPERVISOR],
            cwd=PROJECT,
            env=own_environment(settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _wait_until_healthy(home, address(settings))
    return Running(settings, home.read_secrets()["admin"], is_new=True, is_first=is_first)


def down(settings: Settings) -> bool:
    """End the stack and its PostgreSQL; tells whether anything ran."""
    home = StackHome(settings.airflow.home)
    supervisor = home.supervisor()
    if supervisor is not None:
        supervisor.terminate()
        psutil.wait_procs([supervisor], timeout=_STOP_SECONDS * 2)
    left = home.processes()
    end_processes(left, _STOP_SECONDS)
    ran = embedded.is_running(settings.postgres_home)
    if ran:
        embedded.stop(settings.postgres_home, by_hand=False)
    return supervisor is not None or bool(left) or ran


def _airflow(environment: dict[str, str], home: StackHome, *arguments: str) -> None:
    with (home.logs / "set-up.log").open("ab") as log:
        done = subprocess.run([program(), *arguments], cwd=PROJECT, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise ServiceUnreachable(f"'airflow {' '.join(arguments[:2])}' ended with {done.returncode}.", f"See {home.logs / 'set-up.log'}.")


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise BadUsage(
                f"Port {port} of {HOST} is taken, and Airflow's UI is to listen there.",
                "Stop what listens there, or choose another: SONGLAKE_AIRFLOW__PORT=8081 make up, or airflow.port in conf/songlake.yaml.",
            ) from None


def _wait_until_healthy(home: StackHome, url: str) -> None:
    given_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        health = read_health(url)
        missing = [name for name in ("metadatabase", "scheduler", "triggerer", "dag_processor") if health.get(name) != "healthy"]
        if not missing:
            return
        if time.monotonic() > given_up_at:
            raise ServiceUnreachable(f"Airflow is not healthy: {', '.join(missing)}.", f"See the logs in {home.logs}; 'make down' ends it.")
        time.sleep(_LOOK_SECONDS)
