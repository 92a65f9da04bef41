"""Whatever the order, the batches, the repetition: the warehouse is a function of the files delivered."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from spark_jobs import star_changes
from spark_jobs.contracts import EVENTS
from spark_jobs.errors import LockHeld
from spark_jobs.lake import tables
from spark_jobs.landing.find import LandingFile, find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.session import start_session
from tests.postgres.lake import commit
from tests.scratch import scratch_database
from tests.world import DAY, START, World, event, song

_ROUNDS = 3
_REFUSED_IN = ("log_data/plain.json", "log_data/${spark.master} 'q' \\.json")


def _events(rng: random.Random) -> list[dict[str, Any]]:
    """Give some days of events of few users, so that days, users and songs are shared by many of them."""
    events = []
    for number in range(60):
        user = rng.choice(["1", "2", "3", ""])
        day = rng.randrange(4)
        page = rng.choice(["NextSong", "NextSong", "NextSong", "Home"]) if user else "Home"
        events.append(
            event(
                START + day * DAY + rng.randrange(20) * 1000,
                user,
                session=day * 10 + rng.randrange(2),
                item=number % 30,
                page=page,
                level=rng.choice(["free", "paid"]),
                firstName=f"Name{rng.randrange(3)}",
                song=rng.choice(["Setanta matins", "setanta  MATINS", "Other"]),
                length=rng.choice([269.58322, 269.5836, 100.0]),
            )
        )
    return events


def _songs(rng: random.Random) -> list[dict[str, Any]]:
    return [
        song(
            f"SO{number}",
            artist_id=f"AR{rng.randrange(3)}",
            title=rng.choice(["Setanta matins", "Other", ""]),
            artist_name=rng.choice(["Elena", "ELENA", "Someone"]),
            artist_latitude=rng.choice([None, 35.1]),
            artist_longitude=rng.choice([None, -90.0]),
            artist_location=rng.choice(["", "Dubai UAE"]),
            year=rng.choice([0, 1999, 2004]),
        )
        for number in range(5)
    ]


def _step(world: World, rng: random.Random, events: list[dict[str, Any]], songs: list[dict[str, Any]]) -> None:
    """Change the landing zone: new files, rewritten ones with lines added, changed and taken back, repeated ones, some that go away."""
    for _ in range(rng.randrange(1, 4)):
        kind = rng.choice(["events", "events", "songs", "bad", "gone", "broken"])
        name = f"{rng.randrange(5)}.json"
        mtime = 1_600_000_000 + rng.randrange(1000)
        if kind == "events":
            lines = rng.sample(events, rng.randrange(1, 25))
            changed = [{**line, "level": "paid", "page": rng.choice(["NextSong", "Home"])} for line in rng.sample(lines, len(lines) // 4)]
            if any(line["userId"] == "" for line in changed):
                changed = [{**line, "page": "Home"} for line in changed]
            world.write(f"log_data/{name}", lines + changed, mtime)
        elif kind == "songs":
            world.write(
                f"song_data/{name}",
                [rng.choice([line, {**line, "title": "Other"}]) for line in rng.sample(songs, rng.randrange(1, 5))],
                mtime,
            )
        elif kind == "bad":
            world.write(
                f"log_data/bad-{name}",
                json.dumps(rng.choice(events)) + "\nnot json\n" + "\n".join(json.dumps(line) for line in events[:40]),
                mtime,
            )
        elif kind == "broken":
            world.write(f"log_data/{name}.gz", b"\x1f\x8bnot gzip at all", mtime)
        else:
            (world.landing / "log_data" / name).unlink(missing_ok=True)


@pytest.mark.parametrize(("seed", "few"), [(1, 10_000), (2, 5)], ids=["events one by one", "whole dates and merges by Spark"])
def test_star_equals_the_oracle_after_every_delivery_in_any_order(
    world: World, seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(star_changes, "_FEW", few)
    monkeypatch.setattr(tables, "_FEW", few)
    rng = random.Random(seed)
    events, songs = _events(rng), _songs(rng)
    for _ in range(_ROUNDS):
        _step(world, rng, events, songs)
        summary = world.run()
        assert summary.load_batch is None or summary.published, [check for check in summary.checks if not check.passed]
        world.check()


def test_many_deliveries_end_as_a_single_one_does(world: World) -> None:
    rng = random.Random(4)
    events, songs = _events(rng), _songs(rng)
    days = [[line for line in events if (line["ts"] - START) // DAY == day] for day in range(4)]
    for place, day in enumerate([2, 0, 3, 1]):
        world.write(f"log_data/{day}.json", days[day], 1_600_000_000 + day)
        if place == 2:
            world.write("song_data/all.json", songs, 1_600_000_000)
        world.run()
    world.check()
    once = World(world.root / "once", world.url)
    for path in world.landing.rglob("*.json"):
        once.write(str(path.relative_to(world.landing)), path.read_bytes(), path.stat().st_mtime)
    once.deliveries.observe(once.landing)
    assert once.deliveries.warehouse().tables == world.deliveries.warehouse().tables
    summary = once.run()
    assert {
        name: (change.inserted, change.updated, change.deleted) for name, change in summary.tables.items() if name != "files"
    } == dict.fromkeys(("artists", "songs", "users", "time", "songplays"), (0, 0, 0))


@pytest.fixture(scope="module")
def first(spark: SparkSession, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose first delivery is live and right; it holds what each of the tests below changes."""
    with scratch_database(postgres_server) as url:
        world = World(tmp_path_factory.mktemp("first"), url)
        world.write("log_data/1.json", [event(), event(item=1, page="Home"), event(START, "2", item=5)])
        world.write("log_data/2.json", [event(START + DAY, item=1, level="paid"), event(START + DAY, "3", item=1)])
        world.write("log_data/unmatched.json", [event(START, "4", song="Late song"), event(START + 3 * DAY, "4", song="LATE\u00a0 song")])
        for name in _REFUSED_IN:
            world.write(name, [{"page": "Home"}, {"page": "Help"}, *(event(user="5", item=number) for number in range(80))])
        world.write("log_data/broken.json.gz", b"not gzip")
        world.write("song_data/1.json", [song()])
        world.run()
        world.check()
        yield world


@pytest.fixture
def delivered(first: World, postgres_server: str, tmp_path: Path) -> Iterator[World]:
    """A copy of that."""
    with scratch_database(postgres_server, urlsplit(first.url).path[1:]) as url:
        yield first.copy(tmp_path, url)


def test_a_run_with_nothing_new_writes_nothing(delivered: World) -> None:
    versions, rows = delivered.versions(), delivered.row_versions()
    summary = delivered.run()
    assert (summary.ingest_batch, summary.star, summary.load_batch) == (None, [], None)
    assert (delivered.versions(), delivered.row_versions()) == (versions, rows)


def test_a_song_that_arrives_after_its_plays_is_matched_then(delivered: World) -> None:
    delivered.write("song_data/late.json", [song("SO2", title="Late song")])
    summary = delivered.run()
    delivered.check()
    assert summary.tables["songplays"].updated == 2
    delivered.write("song_data/late.json", [song("SO2", title="Another")])
    delivered.run()
    delivered.check()


def test_a_file_that_cannot_be_read_again_keeps_what_it_gave(delivered: World) -> None:
    looked = (delivered.landing / "log_data/1.json").stat()
    garbled = (b"\0{" * looked.st_size)[: looked.st_size]
    delivered.write("log_data/1.json", garbled, looked.st_mtime)
    versions, found = delivered.versions(), find_files(delivered.landing)
    done = ingest(found, delivered.lake, start_session, again=[file for file in found.files if file.path == "log_data/1.json"])
    assert (done.batch_id, delivered.versions()) == (None, versions)
    delivered.write("log_data/1.json", garbled, looked.st_mtime + 1)
    delivered.run()
    delivered.check()


def test_what_another_ingest_commits_while_files_are_packed_keeps_the_batch_out(delivered: World) -> None:
    delivered.write("log_data/3.json", [event(START + 2 * DAY)])

    def meanwhile(_: LandingFile) -> None:
        commit(delivered.lake, EVENTS, [], {"batch_id": "another"})

    with pytest.raises(LockHeld, match="Another ingest wrote lake table events meanwhile"):
        ingest(find_files(delivered.landing), delivered.lake, start_session, meanwhile)
    delivered.run()
    delivered.check()


def test_a_song_that_nobody_played_comes_alone(delivered: World) -> None:
    delivered.write("song_data/2.json", [song("SO2", title="Nobody's")])
    assert delivered.run().published
    delivered.check()


def test_a_user_whose_latest_event_is_taken_back_falls_back_to_the_one_before(delivered: World) -> None:
    delivered.write("log_data/2.json", [event(START + DAY, "2", item=9)])
    delivered.run()
    delivered.check()


def test_refused_lines_of_one_file_are_replaced_while_those_of_others_come_in(delivered: World) -> None:
    for name in _REFUSED_IN:
        delivered.write(name, [{"page": "Home"}, *(event(user="5", item=number) for number in range(80))])
    delivered.write("log_data/other.json", [{"page": "About"}, *(event(user="5", item=number) for number in range(80))])
    delivered.write("song_data/other.json", [{"song_id": "x"}, *(song(f"SO{number}") for number in range(80))])
    delivered.run()
    delivered.check()


def test_where_no_feed_can_be_had_whole_tables_are_compared_with_the_same_result(delivered: World) -> None:
    delivered.write("log_data/1.json", [event(item=3), event(START + DAY, "3", item=2)])
    delivered.write("song_data/1.json", [song(title="Other"), song("SO2")])
    delivered.deliveries.observe(delivered.landing)
    ingest(find_files(delivered.landing), delivered.lake, start_session)
    for table in ("events", "catalog"):
        DeltaTable(delivered.lake / table).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    delivered.run()
    delivered.check()
    shutil.rmtree(delivered.lake / "star")
    delivered.run()
    delivered.check()
