"""A lake that others broke is told with exit code 7, analysts keep what they had, and once it is mended the next run is right."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from spark_jobs.errors import LakeChanged
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.session import start_session
from spark_jobs.star_refresh import refresh_star
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.stage import Target, stage
from tests.e2e.conftest import Cli
from tests.scratch import fill, scratch_database, small_disk
from tests.world import DAY, START, World, event, song


@pytest.fixture(scope="module")
def delivered(spark: SparkSession, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with one delivery that is live; tests work on copies."""
    with scratch_database(postgres_server) as url:
        world = World(tmp_path_factory.mktemp("delivered"), url)
        world.write("log_data/1.json", [event(item=number) for number in range(5)] + [event(START + DAY, "2", item=6)])
        world.write("song_data/1.json", [song("SO1"), song("SO2", title="Other")])
        world.run()
        world.check()
        yield world


@pytest.fixture
def world(delivered: World, postgres_server: str, tmp_path: Path) -> Iterator[World]:
    """A copy of that, with files that wait: one changed, one new, one with songs."""
    with scratch_database(postgres_server, urlsplit(delivered.url).path[1:]) as url:
        world = delivered.copy(tmp_path, url)
        world.write("log_data/1.json", [event(item=number, level="paid") for number in range(4)])
        world.write("log_data/2.json", [event(START + DAY, item=7, song="Late")])
        world.write("song_data/2.json", [song("SO3", title="Late")])
        yield world


def _each_data_file(folder: Path, fault: Callable[[Path], None]) -> None:
    for path in folder.rglob("part-*.parquet"):
        fault(path)


def _entry(folder: Path, version: int) -> Path:
    return folder / "_delta_log" / f"{version:020}.json"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BREAKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "data of events cut": (
        lambda lake: _each_data_file(lake / "events", _cut),
        "the log of lake table events names is missing or damaged.",
    ),
    "data of files deleted": (lambda lake: _each_data_file(lake / "files", Path.unlink), "Lake table files cannot be read"),
    "data of songplays deleted": (lambda lake: _each_data_file(lake / "star/songplays", Path.unlink), "A file that the log of "),
    "events deleted": (lambda lake: shutil.rmtree(lake / "events"), "has no table events any more."),
    "first entry of a log gone": (lambda lake: _entry(lake / "catalog", 0).unlink(), "of lake table catalog "),
    "last entry of a log gone": (lambda lake: _entry(lake / "events", 1).unlink(), "is at version 0, before version 1 that was recorded."),
    "entry of a log cut": (lambda lake: _cut(_entry(lake / "events", 1)), "The log of lake table events in "),
    "entry of a log emptied": (lambda lake: _entry(lake / "files", 1).write_bytes(b""), "The log of lake table files in "),
    "entry of a star log cut": (lambda lake: _cut(_entry(lake / "star" / "users", 1)), "The log of lake table users in "),
    "events restored": (lambda lake: DeltaTable(lake / "events").restore(0), "(RESTORE) was not written by Songlake."),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_broken_lake_is_told_and_once_it_is_brought_back_the_next_run_is_right(
    world: World, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    break_it, told = BREAKS[fault]
    backup, live = shutil.copytree(world.lake, world.root / "backup"), world.row_versions()
    break_it(world.lake)
    code, said = world.attempt(), capsys.readouterr().err
    assert code == 7, said
    assert told in said
    assert said.rstrip().endswith("'The lake was changed'.")
    assert "Traceback" not in said
    assert world.row_versions() == live
    shutil.rmtree(world.lake)
    backup.rename(world.lake)
    if fault == "data of songplays deleted":
        world.run()
        world.check()


def test_data_of_files_lost_before_it_is_staged_is_told_of_the_lakes_table(world: World) -> None:
    ingest(find_files(world.landing), world.lake, start_session)
    refresh_star(world.lake, start_session)
    _each_data_file(world.lake / "files", Path.unlink)
    with (
        connect(world.url, application_name="test") as connection,
        pytest.raises(LakeChanged, match="A file that the log of table files names is missing or damaged"),
    ):
        stage(world.lake, Target(world.url, connection, 1), start_session)


def test_a_lake_changed_behind_songlakes_back_is_told_by_the_command_and_left_alone(world: World) -> None:
    DeltaTable(world.lake / "events").restore(0)
    versions = world.versions()
    done = Cli(world)("run")
    assert done.code == 7
    assert "events" in done.err
    assert world.versions() == versions


def test_lake_lost_while_a_file_is_archived_is_kept_out_until_the_file_is_back(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    live = world.row_versions()
    archived = (world.landing / "song_data/1.json").rename(world.root / "archived.json")
    shutil.rmtree(world.lake)
    code, said = world.attempt(), capsys.readouterr().err
    assert code == 4, said
    assert "lost_files" in said
    assert "path song_data/1.json" in said
    assert world.row_versions() == live
    archived.rename(world.landing / "song_data/1.json")
    world.run()
    world.check()


def test_clock_set_back_by_an_hour_changes_nothing(world: World) -> None:
    """To a clock set back, the lake and the files it read come from the future; the files that wait are older than those."""
    for path in (world.lake).rglob("_delta_log/*.json"):
        moved = [_an_hour_later(json.loads(line)) for line in path.read_text().splitlines()]
        path.write_text("\n".join(map(json.dumps, moved)) + "\n")
        os.utime(path, (path.stat().st_mtime + 3600,) * 2)
        # Hadoop's checksum of what it wrote.
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    with psycopg.connect(world.url) as connection:
        connection.execute("UPDATE ops.published SET delta_written_at = delta_written_at + 3600000")
        connection.execute(
            "UPDATE ops.batches SET started_at = started_at + interval '1 hour', published_at = published_at + interval '1 hour'"
        )
    world.write("log_data/3.json", [event(START + DAY, "2", item=6, level="paid")], mtime=time.time() + 3600)
    world.run()
    world.check()


def _an_hour_later(action: dict[str, Any]) -> dict[str, Any]:
    if "commitInfo" in action:
        action["commitInfo"]["timestamp"] += 3_600_000
    return action


@pytest.mark.parametrize("kibibytes_left", [64, 170], ids=["while events are written", "while the star is"])
def test_full_disk_is_told_and_once_there_is_room_the_next_run_is_right(
    world: World, capsys: pytest.CaptureFixture[str], kibibytes_left: int
) -> None:
    moved, live = world.lake.rename(world.root / "moved"), world.row_versions()
    with small_disk(world.lake, 8):
        shutil.copytree(moved, world.lake, dirs_exist_ok=True)
        filler = fill(world.lake, kibibytes_left << 10)
        code, said = world.attempt(), capsys.readouterr().err
        assert code == 3, said
        assert "Error: A disk is full (" in said
        assert "Traceback" not in said
        assert world.row_versions() == live
        filler.unlink()
        if kibibytes_left == 170:
            world.run()
            world.check()


def test_read_only_lake_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    moved = world.lake.rename(world.root / "moved")
    with small_disk(world.lake, 8):
        shutil.copytree(moved, world.lake, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", world.lake], check=True)
        code, said = world.attempt(), capsys.readouterr().err
        assert (code, "cannot be written (Read-only file system)" in said, "Traceback" in said) == (3, True, False), said
