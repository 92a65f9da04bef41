"""What one process and all it started cost."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parent.parent
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Cost:
    """What a piece of work cost; PostgreSQL's own processes are not in it.

    Attributes:
        wall_seconds: From start to end.
        cpu_seconds: Of all its processes together.
        peak_rss_bytes: The most memory that all its processes held at one moment; pages they share count once for each.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def measure(command: list[str], environment: dict[str, str]) -> tuple[Cost, str]:
    """Run a command in the project's folder to its end; give its cost and what it printed.

    CPU time is summed from the last sample of each process, since a JVM that nobody waits for does not count as a child.

    Raises:
        SystemExit: The command failed.
    """
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complained:
        begun = time.monotonic()
        process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=PROJECT, stdout=printed, stderr=complained)
        tree = Tree(process.pid)
        try:
            while process.poll() is None:
                tree.sample()
                time.sleep(_PAUSE_SECONDS)
        except BaseException:
            tree.kill()
            raise
        wall = time.monotonic() - begun
        printed.seek(0)
        complained.seek(0)
        text, complaint = printed.read(), complained.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-2000:]}\n{complaint[-4000:]}")
    return Cost(wall, tree.cpu_seconds, tree.peak_rss_bytes), text


class Tree:
    """A process and all it started, also those that have ended meanwhile."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu: dict[int, float] = {}
        self.peak_rss_bytes = 0

    @property
    def cpu_seconds(self) -> float:
        """CPU time up to the last sample."""
        return sum(self._cpu.values())

    def kill(self) -> None:
        """End all of it at once."""
        for one in self._living():
            with suppress(psutil.NoSuchProcess):
                one.kill()

    def sample(self) -> None:
        """Note the CPU time of each process, and their memory together."""
        total = 0
        for one in self._living():
            with suppress(psutil.NoSuchProcess), one.oneshot():
                times = one.cpu_times()
                self._cpu[one.pid] = times.user + times.system
                total += one.memory_info().rss
        self.peak_rss_bytes = max(self.peak_rss_bytes, total)

    def _living(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self._pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
