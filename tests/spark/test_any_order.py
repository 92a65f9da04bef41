"""Whatever the order, the batches, the repetition: the warehouse is a function of the files delivered."""

from __future__ import annotations

import json
import random
import shutil
from typing import Any

import pytest
from deltalake import DeltaTable

from spark_jobs import star_changes
from spark_jobs.lake import tables
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.session import start_session
from tests.world import DAY, START, World, event, song

_ROUNDS = 3


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


def test_a_run_with_nothing_new_writes_nothing(world: World) -> None:
    world.write("log_data/1.json", [event(), event(item=1, page="Home")])
    world.write("song_data/1.json", [song()])
    world.write("log_data/broken.json.gz", b"not gzip")
    world.run()
    world.check()
    versions, rows = world.versions(), world.row_versions()
    summary = world.run()
    assert (summary.ingest_batch, summary.star, summary.load_batch) == (None, [], None)
    assert (world.versions(), world.row_versions()) == (versions, rows)


def test_a_song_that_arrives_after_its_plays_is_matched_then(world: World) -> None:
    world.write("log_data/1.json", [event(), event(START + 3 * DAY, item=1, song="SETANTA\u00a0 matins")])
    world.run()
    world.check()
    world.write("song_data/1.json", [song()])
    summary = world.run()
    world.check()
    assert summary.tables["songplays"].updated == 2
    world.write("song_data/1.json", [song(title="Another")])
    world.run()
    world.check()


def test_a_song_that_nobody_played_comes_alone(world: World) -> None:
    world.write("log_data/1.json", [event()], mtime=1_600_000_000)
    world.write("song_data/1.json", [song("SO1")], mtime=1_600_000_000)
    world.run()
    world.write("song_data/2.json", [song("SO2", title="Nobody's")], mtime=1_600_000_001)
    assert world.run().published
    world.check()


def test_a_user_whose_latest_event_is_taken_back_falls_back_to_the_one_before(world: World) -> None:
    world.write("log_data/1.json", [event(level="free"), event(START, "2", item=5)])
    world.write("log_data/2.json", [event(START + DAY, item=1, level="paid"), event(START + DAY, "3", item=1)])
    world.run()
    world.check()
    world.write("log_data/2.json", [event(START + DAY, "2", item=9)])
    world.run()
    world.check()


def test_refused_lines_of_one_file_are_replaced_while_those_of_others_come_in(world: World) -> None:
    names = ["log_data/plain.json", "log_data/${spark.master} 'q' \\.json"]
    for name in names:
        world.write(name, [{"page": "Home"}, {"page": "Help"}, *(event(item=number) for number in range(80))])
    world.run()
    world.check()
    for name in names:
        world.write(name, [{"page": "Home"}, *(event(item=number) for number in range(80))])
    world.write("log_data/other.json", [{"page": "About"}, *(event(item=number) for number in range(80))])
    world.write("song_data/other.json", [{"song_id": "x"}, *(song(f"SO{number}") for number in range(80))])
    world.run()
    world.check()


def test_where_no_feed_can_be_had_whole_tables_are_compared_with_the_same_result(world: World) -> None:
    world.write("log_data/1.json", [event(), event(item=1, level="paid"), event(START + DAY, "2", item=2)])
    world.write("song_data/1.json", [song()])
    world.run()
    world.check()
    world.write("log_data/1.json", [event(item=3), event(START + DAY, "3", item=2)])
    world.write("song_data/1.json", [song(title="Other"), song("SO2")])
    world.deliveries.observe(world.landing)
    ingest(find_files(world.landing), world.lake, start_session)
    for table in ("events", "catalog"):
        DeltaTable(world.lake / table).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    world.run()
    world.check()
    shutil.rmtree(world.lake / "star")
    world.run()
    world.check()
