"""Real processes: bin/songlake and bin/spark-submit, as a person starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sparkenv import PROJECT
from tests.world import World


@dataclass
class Command:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """The JSON object it printed."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


@dataclass
class Cli:
    """Runs commands on one world."""

    world: World

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK", "PYSPARK", "SONGLAKE"))}
        given = {"WAREHOUSE_URL": self.world.url, "SONGLAKE_LANDING": str(self.world.landing), "SONGLAKE_LAKE": str(self.world.lake)}
        return {**kept, **given, **more}

    def __call__(self, *arguments: str, program: str = "bin/songlake", **environment: str) -> Command:
        """Run a command to its end."""
        done = subprocess.run(
            [str(PROJECT / program), *arguments], capture_output=True, text=True, env=self.environment(**environment), cwd=PROJECT
        )
        return Command(done.returncode, done.stdout, done.stderr)

    def run(self) -> Command:
        """Deliver what is in the landing zone now."""
        self.world.deliveries.observe(self.world.landing)
        return self("run", "--json")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            [str(PROJECT / "bin/songlake"), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(**environment),
            cwd=PROJECT,
            start_new_session=True,
        )


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a command and all it started, as a machine that goes down does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(process: subprocess.Popen[str], text: str, seconds: float = 240) -> None:
    """Wait until a command says something."""
    # A job under spark-submit says everything on the JVM's standard output.
    stream = process.stderr or process.stdout
    assert stream is not None
    deadline = time.monotonic() + seconds
    said = []
    for line in stream:
        said.append(line)
        if text in line:
            return
        assert time.monotonic() < deadline, "".join(said)
    raise AssertionError(f"it ended without saying {text!r}: {''.join(said)}")


@pytest.fixture
def cli(warehouse_url: str, tmp_path: Path) -> Cli:
    """Commands on an empty landing zone, no lake, an empty database."""
    world = World(tmp_path, warehouse_url)
    world.landing.mkdir()
    return Cli(world)
