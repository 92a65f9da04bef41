"""A standalone cluster of Spark on this machine: a master and workers of one core and 1 GiB, all asking for a secret."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.conftest import kill_group
from tests.scratch import free_port, wait_until
from tests.sparkenv import PROJECT

SECRET = secrets.token_hex(16)
_SMALL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_HIDE = 'mount --bind /bin/false "$1"; shift; while [[ $1 != -- ]]; do mount -t tmpfs tmpfs "$1"; shift; done; shift; exec "$@"'
_ELSEWHERE = ["unshare", "--mount", "bash", "-ec", _HIDE, "sh", str(Path(sys.executable).resolve())]
"""Runs a program that finds folders empty, and no Python, as on another machine."""


@dataclass
class Cluster:
    """The processes of a cluster, each a group of its own, and what its executors said."""

    home: Path
    url: str
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def properties(self) -> Path:
        """The settings that a job needs to work here: the project's own, and behind them what differs."""
        differing = {
            "spark.master": self.url,
            "spark.executor.memory": "700m",
            "spark.executor.extraJavaOptions": f"{_SMALL} -Xshare:auto -XX:SharedArchiveFile={PROJECT}/.cache/songlake.jsa",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.dir": (self.home / "events").as_uri(),
        }
        file = self.home / "spark.conf"
        own = (PROJECT / "conf" / "spark-defaults.conf").read_text()
        file.write_text(own + "".join(f"{name} {value}\n" for name, value in differing.items()))
        return file

    def executors(self, number: int) -> list[psutil.Process]:
        """The executors that a worker runs now."""
        return [one for one in psutil.Process(self.workers[number].pid).children() if one.name() == "java"]

    def is_in_a_task(self, number: int) -> bool:
        """Whether the executors of a worker say that they began more tasks than they finished."""
        said = "".join(log.read_text() for log in (self.home / f"worker-{number}").glob("app-*/*/stderr"))
        return said.count("Running task ") > said.count("Finished task ")

    def events(self) -> list[dict[str, Any]]:
        """What drivers noted of their applications: executors that came and went, tasks that ended."""
        return [json.loads(line) for log in (self.home / "events").iterdir() for line in log.read_text().splitlines()]

    def texts(self) -> str:
        """All that was written down: logs of master, workers and executors, notes of drivers."""
        files = [path for path in self.home.rglob("*") if path.is_file() and path.suffix != ".jar"]
        return "".join(path.read_text(errors="replace") for path in files)


@contextmanager
def cluster(home: Path, hidden: list[Path], workers: int = 2) -> Iterator[Cluster]:
    """Start a master and workers on free ports of 127.0.0.1.

    Workers find no Python and the `hidden` folders empty, where this user may mount.
    """
    port, ui = free_port(), free_port()
    made = Cluster(home, f"spark://127.0.0.1:{port}")
    (home / "events").mkdir(parents=True)
    master = _start("master.Master", home / "master.log", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(ui))
    started = [master]
    may_hide = subprocess.run([*_ELSEWHERE, home / "events", "--", "true"], capture_output=True).returncode == 0
    elsewhere = [*_ELSEWHERE, *map(str, hidden), "--"] if may_hide else []
    try:
        for number in range(workers):
            folder = home / f"worker-{number}"
            own = ["--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g", "--work-dir", str(folder)]
            made.workers.append(_start("worker.Worker", home / f"worker-{number}.log", *own, made.url, through=elsewhere))
            started.append(made.workers[-1])
        registered = wait_until(lambda: (home / "master.log").read_text().count("Registering worker") == workers, 120)
        assert registered, (home / "master.log").read_text()
        yield made
    finally:
        for process in started:
            if process.poll() is None:
                kill_group(process)


def _start(name: str, log: Path, *arguments: str, through: list[str] | None = None) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK", "PYSPARK", "SONGLAKE", "WAREHOUSE"))}
    daemon = {
        "_SPARK_AUTH_SECRET": SECRET,
        "SPARK_DAEMON_MEMORY": "128m",
        "SPARK_DAEMON_JAVA_OPTS": f"-Dspark.authenticate=true -Dspark.network.crypto.enabled=true {_SMALL}",
    }
    with log.open("w") as told:
        return subprocess.Popen(
            [*(through or []), str(PROJECT / "bin/spark-class"), f"org.apache.spark.deploy.{name}", *arguments],
            stdout=told,
            stderr=subprocess.STDOUT,
            text=True,
            env={**kept, **daemon},
            cwd="/",
            start_new_session=True,
        )
