"""The sample data: the same every time, of the size asked for, and with the faults it promises."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.generator import GeneratedFiles, generate

REAL_KEYS = [
    "artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location", "method", "page", "registration",
    "sessionId", "song", "status", "ts", "userAgent", "userId",
]  # fmt: skip
DAY_MS = 86_400_000


def contents(landing: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file's bytes and modification time."""
    files = (path for path in landing.rglob("*") if path.is_file())
    return {str(path.relative_to(landing)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def day_file_lines(landing: Path) -> Iterator[tuple[Path, str]]:
    """Yield the lines of the files that hold a day each."""
    for path in sorted(landing.glob("log_data/*/*/*-events.json")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            yield path, line


def all_event_lines(landing: Path) -> Iterator[dict[str, Any]]:
    """Yield the event on each line of every event file, whatever its format."""
    for path in sorted((landing / "log_data").rglob("*.*")):
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_bytes().decode()
        yield from csv.DictReader(text.splitlines(keepends=True)) if path.suffix == ".csv" else map(json.loads, text.split("\n"))


def identity(event: dict[str, Any]) -> tuple[int, ...]:
    """Return what makes an event the same one in any file; -1 stands for no user."""
    return (int(event["ts"]), int(event["userId"] or -1), int(event["sessionId"]), int(event["itemInSession"]))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GeneratedFiles]:
    """Generate seven days without a bad line."""
    landing = tmp_path_factory.mktemp("clean")
    return landing, generate(landing, events=4_000, songs=300, users=60, dirty=0)


@pytest.fixture(scope="module")
def day_events(clean: tuple[Path, GeneratedFiles]) -> list[dict[str, Any]]:
    """Return the events of the clean day files, repeated ones left out."""
    return list({identity(event): event for event in (json.loads(line) for _, line in day_file_lines(clean[0]))}.values())


def test_same_arguments_give_the_same_bytes_and_times(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    counts = [generate(landing, events=2_500, songs=120) for landing in (first, second)]
    assert contents(first) == contents(second)
    assert {"log_data/late/2018-11-02-late.json.gz", "log_data/2018/11/2018-11-01-events-redelivered.json"} < contents(first).keys()
    assert counts[0].bytes == counts[1].bytes == sum(len(data) for data, _ in contents(first).values())
    assert counts[0].files == len(contents(first))


def test_another_seed_gives_other_data(tmp_path: Path) -> None:
    generate(tmp_path / "1", events=100, songs=5, seed=1)
    generate(tmp_path / "2", events=100, songs=5, seed=2)
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert not {data for data, _ in one.values()} & {data for data, _ in two.values()}


def test_as_many_distinct_events_and_songs_as_asked_for(clean: tuple[Path, GeneratedFiles]) -> None:
    landing, wrote = clean
    lines = list(all_event_lines(landing))
    songs = [json.loads(path.read_bytes()) for path in landing.glob("song_data/*/*/*/TR*.json")]
    assert (len({identity(event) for event in lines}), len(lines)) == (4_000, wrote.event_lines)
    assert (len({song["song_id"] for song in songs}), len(songs)) == (300, wrote.song_lines)
    assert (wrote.events, wrote.songs, wrote.rejected_lines) == (4_000, 300, 0)


def test_without_dirt_every_line_is_a_good_event_of_its_file_s_day(clean: tuple[Path, GeneratedFiles]) -> None:
    for path, line in day_file_lines(clean[0]):
        event = json.loads(line)
        assert list(event) == REAL_KEYS
        assert path.name == f"{datetime.fromtimestamp(event['ts'] / 1000, UTC):%Y-%m-%d}-events.json"
        assert event["level"] in {"free", "paid"}
        assert event["page"] != "NextSong" or all(event[key] for key in ("userId", "song", "artist", "length"))
        assert event["auth"] == ("Logged In" if event["userId"] else "Logged Out")
        assert event["userId"] or event["firstName"] is event["lastName"] is event["userAgent"] is None


def test_lines_are_written_like_the_real_ones(clean: tuple[Path, GeneratedFiles]) -> None:
    lines = [line for _, line in day_file_lines(clean[0])]
    assert all(line.isascii() and " " not in line[: line.index(":") + 1] for line in lines)
    assert sum(r'"userAgent":"\"Mozilla\/5.0' in line for line in lines) > len(lines) / 2
    assert any(r"\u00c3\u0083\u00c2" in line for line in lines)
    assert all('.0,"sessionId"' in line for line in lines if '"auth":"Logged In"' in line)
    assert not (clean[0] / "log_data/2018/11/2018-11-03-events.json").read_bytes().endswith(b"\n")


def test_events_have_the_mix_of_the_real_ones(day_events: list[dict[str, Any]]) -> None:
    count = len(day_events)
    assert 0.78 < sum(event["page"] == "NextSong" for event in day_events) / count < 0.9
    assert 0.005 < sum(not event["userId"] for event in day_events) / count < 0.06
    assert {"Home", "Login", "Logout", "Upgrade", "Submit Upgrade", "Downgrade"} < {event["page"] for event in day_events}


def test_sessions_cross_midnight_but_not_the_last(day_events: list[dict[str, Any]]) -> None:
    days = defaultdict(set)
    for event in day_events:
        days[event["sessionId"]].add(event["ts"] // DAY_MS)
    assert sum(len(of_session) == 2 for of_session in days.values()) >= 6
    assert len(set.union(*days.values())) == 7


def test_a_level_changes_inside_a_session_and_only_with_its_page(day_events: list[dict[str, Any]]) -> None:
    sessions = defaultdict(list)
    for event in sorted(day_events, key=lambda event: event["itemInSession"]):
        sessions[event["sessionId"]].append(event)
    changes = [
        (before["page"], before["level"], after["level"])
        for events in sessions.values()
        for before, after in pairwise(events)
        if before["page"].startswith("Submit") and before["itemInSession"] + 1 == after["itemInSession"]
    ]
    assert set(changes) == {("Submit Upgrade", "free", "paid"), ("Submit Downgrade", "paid", "free")}


def test_a_tenth_of_the_plays_are_of_the_catalogue(clean: tuple[Path, GeneratedFiles], day_events: list[dict[str, Any]]) -> None:
    lengths = {json.loads(path.read_bytes())["duration"] for path in clean[0].glob("song_data/*/*/*/TR*.json")}
    plays = [event for event in day_events if event["page"] == "NextSong"]
    assert 0.06 < sum(play["length"] in lengths for play in plays) / len(plays) < 0.14


@pytest.mark.parametrize(("tastes", "least", "most"), [(4, 0.8, 1.0), (0, 0.25, 0.5)])
def test_listeners_of_a_taste_share_their_artists_and_others_share_all(tmp_path: Path, tastes: int, least: float, most: float) -> None:
    generate(tmp_path, events=6_000, songs=50, users=60, dirty=0, tastes=tastes)
    plays: dict[str, list[int]] = defaultdict(lambda: [0] * 4)
    for _, line in day_file_lines(tmp_path):
        event = json.loads(line)
        if event["page"] == "NextSong":
            plays[event["artist"]][int(event["userId"]) % 4] += 1
    of_one_group = sum(max(counts) for counts in plays.values() if sum(counts) > 20) / sum(sum(c) for c in plays.values() if sum(c) > 20)
    assert least <= of_one_group <= most


def test_songs_have_the_oddities_of_the_real_ones(clean: tuple[Path, GeneratedFiles]) -> None:
    songs = [json.loads(path.read_bytes()) for path in clean[0].glob("song_data/*/*/*/TR*.json")]
    of_artist = defaultdict(set)
    for song in songs:
        of_artist[song["artist_id"]].add((song["artist_location"], song["artist_latitude"]))
    assert 0.5 < sum(song["year"] == 0 for song in songs) / len(songs) < 0.7
    assert any(song["title"] == "" for song in songs)
    assert any("&amp;" in song["artist_name"] for song in songs)
    assert any(len(variants) > 2 for variants in of_artist.values())
    assert any(song["artist_latitude"] is not None and song["artist_longitude"] is None for song in songs)


def test_redelivered_events_come_again_partly_changed_before_and_after_the_first(clean: tuple[Path, GeneratedFiles]) -> None:
    later = {}
    for path in sorted(clean[0].rglob("*-redelivered.json")):
        day_file = path.with_name(path.name.replace("-redelivered", ""))
        first = {identity(event): event for event in map(json.loads, day_file.read_text().split("\n"))}
        again = [json.loads(line) for line in path.read_text().split("\n")]
        moved = sum(event["location"] != first[identity(event)]["location"] for event in again)
        assert 0 < moved < len(again) == -(-len(first) // 50)
        later[path.name[:10]] = path.stat().st_mtime > day_file.stat().st_mtime
    assert later == {"2018-11-01": True, "2018-11-04": False, "2018-11-07": True}


def test_late_events_stand_in_no_day_file(tmp_path: Path) -> None:
    generate(tmp_path, events=1_500, songs=0, days=1, first_day=1, dirty=0)
    content = gzip.decompress((tmp_path / "log_data/late/2018-11-02-late.json.gz").read_bytes())
    late = [identity(json.loads(line)) for line in content.split(b"\n")]
    assert len(late) == 15
    assert not {identity(json.loads(line)) for _, line in day_file_lines(tmp_path)} & set(late)


def test_a_later_run_goes_on_with_the_same_songs_and_users(tmp_path: Path) -> None:
    generate(tmp_path / "history", events=900, songs=110, users=20, days=3)
    generate(tmp_path / "next", events=300, songs=110, users=20, days=1, first_day=3)
    history, following = contents(tmp_path / "history"), contents(tmp_path / "next")
    assert {name for name in following if name not in history} == {
        "log_data/2018/11/2018-11-04-events.json", "log_data/2018/11/2018-11-04-events-redelivered.json"
    }  # fmt: skip
    assert all(history[name] == following[name] for name in following.keys() & history.keys())


@pytest.mark.parametrize("dirty", [0.002, 0.05])
def test_dirt_adds_its_share_of_bad_lines_and_leaves_the_good_ones_alone(tmp_path: Path, dirty: float) -> None:
    wrote = generate(tmp_path / "dirty", events=3_000, songs=100, dirty=dirty, users=40)
    generate(tmp_path / "clean", events=3_000, songs=100, dirty=0, users=40)
    good = {identity(event) for event in all_event_lines(tmp_path / "clean")}
    lines = [line for _, line in day_file_lines(tmp_path / "dirty")]
    bad_songs = -int(-100 * dirty // (1 - dirty))
    assert wrote.rejected_lines == int(3_000 * dirty / (1 - dirty)) + bad_songs
    assert (wrote.rejected_lines - bad_songs) / wrote.event_lines <= dirty
    assert any(line[-1] != "}" for line in lines)
    parsed = [json.loads(line) for line in lines if line[-1:] == "}" and "}{" not in line]
    assert good >= {identity(event) for event in parsed if all(isinstance(event.get(key), int) for key in ("ts", "sessionId"))
                    and event["ts"] and event["itemInSession"] >= 0 and event["userId"] != "guest"}  # fmt: skip


@pytest.mark.parametrize(("events", "songs", "kind"), [(50, 0, "log_data"), (0, 50, "song_data")])
def test_either_kind_can_be_had_alone(tmp_path: Path, events: int, songs: int, kind: str) -> None:
    generate(tmp_path, events=events, songs=songs)
    assert [path.name for path in tmp_path.iterdir()] == [kind]


@pytest.mark.parametrize(("events", "days"), [(1, 1), (3, 7), (7, 3), (10_001, 2)])
def test_any_number_of_events_and_days_comes_out_exactly(tmp_path: Path, events: int, days: int) -> None:
    generate(tmp_path, events=events, songs=0, days=days, users=1, dirty=0)
    assert len({identity(event) for event in all_event_lines(tmp_path)}) == events


def test_progress_adds_up_to_events_and_songs(tmp_path: Path) -> None:
    steps: list[int] = []
    generate(tmp_path, events=2_000, songs=30, progress=steps.append)
    assert sum(steps) == 2_030


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"seed": -1}, "seed is -1; give 0 or more"),
        ({"events": -1}, "events is -1"),
        ({"songs": -5}, "songs is -5"),
        ({"events": 0, "songs": 0}, "at least one of them"),
        ({"users": 0}, "users is 0; give 1 or more"),
        ({"days": 0}, "days is 0; give 1 or more"),
        ({"first_day": -1}, "first_day is -1"),
        ({"tastes": -1}, "tastes is -1"),
        ({"dirty": 0.6}, "dirty is 0.6; give a share from 0 to 0.5"),
        ({"dirty": float("nan")}, "give a share from 0 to 0.5"),
        ({"start": date(1999, 1, 1)}, "start is 1999-01-01"),
        ({"days": 100_000}, "would go past 2099-12-25"),
    ],
)
def test_an_argument_out_of_range_is_refused_with_advice_and_nothing_written(tmp_path: Path, wrong: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        generate(tmp_path / "landing", **wrong)
    assert not (tmp_path / "landing").exists()


def test_a_file_in_the_place_of_the_landing_zone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "landing").touch()
    with pytest.raises(ValueError, match="name a folder"):
        generate(tmp_path / "landing")
