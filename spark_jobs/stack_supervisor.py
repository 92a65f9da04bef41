"""Keep PostgreSQL and Airflow's four components running: the process behind `bin/songlake up`."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
import requests

from spark_jobs.errors import ServiceUnreachable
from spark_jobs.settings import PROJECT, Settings, load
from spark_jobs.stack_home import StackHome, address, end_processes, make_environment
from spark_jobs.warehouse import embedded

COMPONENTS = {
    "api-server": ("api-server",),
    # Without their log servers, which would listen on every network: all components read the logs of this machine's disk.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30
_STOP_SECONDS = 20


def program() -> str:
    """Tell where the program `airflow` is."""
    return str(Path(sys.executable).parent / "airflow")


def read_health(url: str) -> dict[str, str]:
    """Ask Airflow how its components are; empty while it does not answer."""
    try:
        answer: dict[str, dict[str, Any]] = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
    except requests.RequestException:
        return {}
    return {name: str(part.get("status")) for name, part in answer.items()}


class Component:
    """One of Airflow's processes, with the group of processes it starts."""

    def __init__(self, name: str, home: StackHome) -> None:
        self.name, self._home = name, home
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at, self._pause = 0.0, 1.0

    @property
    def was_started(self) -> bool:
        """Whether it was started at least once."""
        return self._process is not None

    def keep_running(self, environment: Callable[[], dict[str, str]]) -> None:
        """Start it if it does not run, the later the more often it has died lately."""
        if self._process is not None and self._process.poll() is None:
            return
        now = time.monotonic()
        if self._process is not None:
            self._end_rest()
            if now < self._started_at + self._pause:
                return
            self._pause = 1.0 if now > self._started_at + 10 * _LONGEST_PAUSE_SECONDS else min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            _say(f"{self.name} had ended with {self._process.returncode}; starting it again")
        self._started_at = now
        with (self._home.logs / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program(), *COMPONENTS[self.name]], cwd=PROJECT, env=environment(), stdout=log, stderr=log, start_new_session=True
            )

    def ask_to_end(self) -> None:
        """Ask it to stop."""
        if self._process is not None:
            self._process.terminate()

    def end(self, patience_seconds: float) -> None:
        """Wait until it has stopped, and stop it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, patience_seconds))
        except subprocess.TimeoutExpired:
            _say(f"{self.name} did not stop in {_STOP_SECONDS} s and is killed")
        self._process.kill()
        self._end_rest()

    def _end_rest(self) -> None:
        """End what it had started, tasks among it, before they work beside their own retries."""
        family = {process.pid for process in psutil.Process().children(recursive=True)}
        orphans = [process for process in self._home.processes() if process.pid not in family]
        end_processes(orphans, _STOP_SECONDS)


def supervise(settings: Settings) -> None:
    """Keep PostgreSQL and Airflow's components running until told to stop."""
    home = StackHome(settings.airflow.home)
    with home.lock.open("w") as lock:
        _lock(lock)
        home.pid.write_text(str(os.getpid()))
        asked = _stop_asked()
        components = [Component(name, home) for name in COMPONENTS]
        server = None
        while not asked:
            server = _look_after(components, settings, server)
            time.sleep(_LOOK_SECONDS)
        _end(components)


def _lock(lock: IO[str]) -> None:
    """Take the lock; whoever asks whether a supervisor runs holds it for a moment."""
    for _ in range(50):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("Another supervisor of this stack runs.")


def _look_after(components: list[Component], settings: Settings, server: str | None) -> str | None:
    """Start what does not run; gives the address of PostgreSQL that the components were started with."""
    try:
        found = embedded.url(settings.postgres_home)
        if found is None:
            _say("PostgreSQL does not run; starting it")
            found = embedded.start(settings.postgres_home)
        if server is not None and found != server:
            _say("PostgreSQL listens elsewhere now; starting the components again")
            _end(components)
        server = found
        for component in components:
            # Tasks report to the API server; one that starts before it would fail.
            if component.was_started or component.name == "api-server" or read_health(address(settings)):
                component.keep_running(lambda: make_environment(settings))
    except (ServiceUnreachable, psycopg.Error, OSError) as error:
        # What is short now, such as disk or memory, may be there at the next look.
        _say(f"Not everything could be started: {error}")
    return server


def _end(components: list[Component]) -> None:
    given_up_at = time.monotonic() + _STOP_SECONDS
    for component in components:
        component.ask_to_end()
    for component in components:
        component.end(given_up_at - time.monotonic())


def _stop_asked() -> list[int]:
    """Give a list that fills when a signal asks to stop."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: asked.append(received))
    return asked


def _say(what: str) -> None:
    # A full disk, on which the log lies, is no reason to end.
    with suppress(OSError):
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    supervise(load())
