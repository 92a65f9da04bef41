"""Whatever a machine that goes down leaves behind, the next run ends equal to the oracle.

One run stands still at every commit. What is on disk then, lake and PostgreSQL, is what SIGKILL or a power cut leaves there; a copy of it
is carried on by another run. The run itself goes on each time, as after SIGSTOP and SIGCONT.
"""

from __future__ import annotations

import copy
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from spark_jobs.warehouse import embedded
from tests.e2e.conftest import Cli, kill_group, wait_for
from tests.scratch import scratch_server, wait_until
from tests.world import DAY, START, World, event, song

BOUNDARIES = ["events", "catalog", "rejects", "files", "songplays", "users", "staging", "publish", "published"]
"""Of the star tables, which are written side by side, one of the first and one of the last."""


def _deliver_first(world: World) -> None:
    world.write("log_data/1.json", [event(item=number, level="free") for number in range(5)] + [event(START + DAY, item=6)])
    world.write("log_data/2.json", [event(START + DAY, "2", item=7, level="paid")])
    world.write("song_data/1.json", [song("SO1"), song("SO2", title="Other")])


def _deliver_second(world: World) -> None:
    """Change a file that was read, bring a new day, refuse a line, and let a song arrive after its plays."""
    world.write("log_data/1.json", [event(item=number, level="paid") for number in range(3)])
    world.write("log_data/3.json", [event(START + 2 * DAY, item=8, song="Late"), event(START + 2 * DAY, "2", item=9, level="free")])
    world.write("log_data/4.json", "not json\n")
    world.write("song_data/2.json", [song("SO3", title="Late")])
    world.write("log_data/5.json", [event(START + 3 * DAY, item=number) for number in range(30)])


@contextmanager
def _frozen(*processes: psutil.Process) -> Iterator[None]:
    """Stop processes and all they started, the parent first, so that nothing is written meanwhile."""
    stopped = []
    try:
        for process in processes:
            process.suspend()
            stopped.append(process)
            for each in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
                    stopped.append(each)
        yield
    finally:
        for each in reversed(stopped):
            with suppress(psutil.NoSuchProcess):
                each.resume()


@contextmanager
def _what_is_on_disk(world: World, home: Path) -> Iterator[World]:
    """Copy landing zone, lake and PostgreSQL's files, and start a server on the latter, as after a power cut."""
    with tempfile.TemporaryDirectory(prefix="songlake-copy-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        shutil.copytree(world.root, root / "world")
        shutil.copytree(home, root / "postgres")
        try:
            yield World(root / "world", embedded.start(root / "postgres"), copy.deepcopy(world.deliveries), world.clock)
        finally:
            embedded.stop(root / "postgres")


def _paused_at(process: subprocess.Popen[str]) -> str:
    """Wait for the next place where the process stops, and until it has."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("paused at "):
            assert wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 120, every=0.01)
            return line.split()[-1]
    raise AssertionError(f"it ended: {''.join(said)}")


def _postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "data" / "postmaster.pid").read_text().split()[0]))


@pytest.mark.slow
def test_what_a_machine_that_goes_down_at_any_commit_leaves_is_carried_on(spark: SparkSession, tmp_path: Path) -> None:
    with scratch_server() as (home, url):
        world = World(tmp_path, url)
        _deliver_first(world)
        world.run()
        world.check()
        live = world.row_versions()
        _deliver_second(world)
        run, seen = Cli(world).start("run", SONGLAKE_PAUSE_AT=",".join(BOUNDARIES)), []
        try:
            while len(seen) < len(BOUNDARIES):
                seen.append(_paused_at(run))
                if seen[-1] != "published":
                    assert world.row_versions() == live, f"readers saw something of a run that stands at {seen[-1]}"
                with _frozen(psutil.Process(run.pid), _postmaster(home)), _what_is_on_disk(world, home) as left:
                    _carry_on(left, seen[-1])
            world.deliveries.observe(world.landing)
            assert run.wait(240) == 0
            world.check()
        finally:
            kill_group(run)
        assert sorted(seen) == sorted(BOUNDARIES)


def _carry_on(left: World, boundary: str) -> None:
    if boundary == "rejects":
        # Rows of a changed file survive a batch that died, although the file is gone before the next run.
        (left.landing / "log_data/1.json").unlink()
    left.run()
    left.check()


@pytest.mark.slow
def test_a_second_run_names_the_first_and_killed_java_is_told_and_a_killed_driver_takes_its_java_along(
    spark: SparkSession, world: World
) -> None:
    cli = Cli(world)
    _deliver_first(world)
    process = cli.start("run", SONGLAKE_PAUSE_AT="events")
    wait_for(process, "paused at events")
    second = cli("run")
    assert second.code == 6
    assert f"pid={process.pid}" in second.err
    java = next(child for child in psutil.Process(process.pid).children(recursive=True) if child.name() == "java")
    java.kill()
    os.kill(process.pid, signal.SIGCONT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 5, said
    assert "Traceback" not in said
    process = cli.start("run", SONGLAKE_PAUSE_AT="staging")
    wait_for(process, "paused at staging")
    java = next(child for child in psutil.Process(process.pid).children(recursive=True) if child.name() == "java")
    process.kill()
    java.wait(120)
    process.communicate()
    world.run()
    world.check()
