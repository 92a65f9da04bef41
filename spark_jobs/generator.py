"""Seeded sample data of any size, in the shape and with the faults of the real files. Imports no Spark.

Same arguments, same bytes and the same modification times (under one NumPy version). Beside a file for each song and each day stand

- `YYYY-MM-DD-events-redelivered.json`, days 0, 3, 6 …: 2 % of the day again in another exporter's style, every third event changed.
  On days 3, 9, 15 … this file is older than the day's own, so what it changes must not win.
- `late/YYYY-MM-DD-late.json.gz` or `.csv`, days 1, 4, 7 …: 1 % of the day, missing from the day's own file.
- every hundredth song delivered again with another year; and the last 5 % of the songs arrive only on day 3.

Within day files 0.2 % of the events are repeated, every fourth of them changed. Days count from `start`: a run with `first_day=30` goes on
where 30 days ended, provided that `seed`, `songs`, `users` and `start` stay the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from spark_jobs import generator_world as world

LINES_A_CHUNK = 5_000  # few enough to stay in the processor cache
REPEATED_SHARE = 0.002

# Ways to spoil a good event; None takes the key away. Further ways make a line that is not one object.
EVENT_FAULTS: list[dict[str, Any]] = [
    {"ts": None}, {"sessionId": "seven"}, {"level": "gold"}, {"page": "NextSong", "song": None}, {"itemInSession": -1}, {"userId": "guest"},
    {"ts": 0}, {"page": None}, {"length": "long"},
]  # fmt: skip
SONG_FAULTS: list[dict[str, Any]] = [{"duration": "abc"}, {"artist_id": None}, {"duration": 0.0}, {"artist_name": " "}, {"song_id": None}]


@dataclass(frozen=True)
class GeneratedFiles:
    """What one `generate` wrote.

    Attributes:
        files: Files, of songs and events.
        events: Distinct valid events.
        event_lines: Events in all event files: distinct, repeated, redelivered and rejected ones. A CSV header is none.
        songs: Distinct valid songs.
        song_lines: Songs in all song files: distinct, redelivered and rejected ones.
        rejected_lines: Bad lines of both kinds.
        bytes: Size of all files.
        seconds: Time taken.
    """

    files: int
    events: int
    event_lines: int
    songs: int
    song_lines: int
    rejected_lines: int
    bytes: int
    seconds: float


def generate(
    landing: Path,
    *,
    seed: int = 1,
    events: int = 10_000,
    songs: int = 200,
    users: int | None = None,
    days: int = 7,
    start: date = date(2018, 11, 1),
    first_day: int = 0,
    dirty: float = 0.002,
    tastes: int = 0,
    progress: Callable[[int], None] | None = None,
) -> GeneratedFiles:
    """Write sample songs and events below a folder; what they hold stands at the top of this module.

    Args:
        landing: The landing zone, made if absent. Files of the same name are replaced, others stay.
        seed: Whole number from 0; another seed, other data.
        events: Distinct valid events. Repeated, redelivered and bad lines come on top.
        songs: Distinct valid songs, one a file. 0 for events alone; then no play matches a song.
        users: Registered users, of whom some may never come; one for every 100 events, at least 10, if not given.
        days: Days of events. Sessions go on across midnight in the next day's file, but end before the last day does.
        start: Day 0. Song files are delivered before it, the late ones on day 3.
        first_day: The day to begin with.
        dirty: Share of bad lines, up to 0.5; rounded down for events, up for songs; fewer than 100 songs have none.
        tastes: Groups of listeners who mostly play artists of their own; 0, nobody has a taste.
        progress: Called with the number of events or songs written since the last call.

    Returns:
        What was written.

    Raises:
        ValueError: An argument is out of range; the message says what to give instead.
    """
    began = time.perf_counter()
    _check(landing, seed, events, songs, users, days, start, first_day, dirty, tastes)
    files = _Files(Path(landing), progress or (lambda _: None), bad_per_good=dirty / (1 - dirty))
    records = world.catalogue(seed, songs)
    _deliver_songs(files, records, start)
    if events:
        people = world.Users(seed, users or max(10, events // 100), _epoch_ms(start))
        tracks = world.Tracks(seed, records, others=min(20_000, max(500, events // 10)), tastes=tastes)
        _deliver_events(files, people, tracks, start, first_day, days, events)
    return GeneratedFiles(
        files.count, events, files.event_lines, songs, files.song_lines, files.rejected_lines, files.bytes, time.perf_counter() - began
    )


def _check(
    landing: Path, seed: int, events: int, songs: int, users: int | None, days: int, start: date, first_day: int, dirty: float, tastes: int
) -> None:  # fmt: skip
    last = date(2099, 12, 25)
    for wrong, message in (
        (Path(landing).exists() and not Path(landing).is_dir(), f"landing {landing} is a file; name a folder"),
        (seed < 0, f"seed is {seed}; give 0 or more"),
        (events < 0 or songs < 0, f"events is {events}, songs is {songs}; give 0 or more of each"),
        (events == songs == 0, "events and songs are both 0, so nothing would be written; give at least one of them"),
        (users is not None and users < 1, f"users is {users}; give 1 or more, or leave it out"),
        (days < 1, f"days is {days}; give 1 or more"),
        (first_day < 0, f"first_day is {first_day}; give 0 or more"),
        (tastes < 0, f"tastes is {tastes}; give 0 or more"),
        (not 0 <= dirty <= 0.5, f"dirty is {dirty}; give a share from 0 to 0.5"),
        (start < date(2000, 6, 1), f"start is {start}; give a day from 2000-06-01 on, as earlier events would be rejected"),
        (first_day + days > (last - start).days, f"the events would go past {last}; give an earlier start, or fewer days"),
    ):
        if wrong:
            raise ValueError(message)


class _Files:
    """Writes whole files with a given modification time, and counts."""

    def __init__(self, root: Path, progress: Callable[[int], None], bad_per_good: float) -> None:
        self.root, self.progress, self.bad_per_good = root, progress, bad_per_good
        self.count = self.bytes = self.event_lines = self.song_lines = self.rejected_lines = 0
        self.events = self.strewn = 0  # distinct events written, and how many of them got their repeated and bad lines

    def deliver(self, name: str, chunks: Iterable[bytes], delivered_at: int) -> None:
        """Write a file under a name that ingest passes over, date it (epoch seconds), then give it its own name."""
        path = f"{self.root}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(f"{path}.part", "wb") as file:
            for chunk in chunks:
                self.bytes += file.write(chunk)
        os.utime(f"{path}.part", (delivered_at, delivered_at))
        os.replace(f"{path}.part", path)
        self.count += 1

    def written(self, events: int) -> None:
        """Count distinct events of a file being written, each on its first line."""
        self.events += events
        self.event_lines += events
        self.progress(events)


def _epoch_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _song_line(number: int, record: dict[str, Any]) -> str:
    """Return a song as JSON; every fifth with HTML entities, every seventh in mojibake."""
    if number % 5 == 1:
        record = record | {key: record[key].replace("&", "&amp;") for key in ("artist_name", "title")}
    if number % 7 == 3:
        record = record | {key: world.mojibake(record[key], 1) for key in ("artist_name", "title", "artist_location")}
    return json.dumps(record)


def _spoilt(record: dict[str, Any], fault: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (record | fault).items() if key not in fault or value is not None}


def _deliver_songs(files: _Files, records: list[dict[str, Any]], start: date) -> None:
    lines = [_song_line(number, record) for number, record in enumerate(records)]
    lines += [_song_line(0, record | {"year": 1999}) for record in records[50::100]]
    bad = math.ceil(len(records) * files.bad_per_good) if len(records) >= 100 else 0
    lines += [json.dumps(_spoilt(records[number], SONG_FAULTS[number % len(SONG_FAULTS)])) for number in range(bad)]
    in_time, begin, hour = len(records) - len(records) // 20, _epoch_ms(start) // 1000, 3600
    for number, line in enumerate(lines):
        folder = world.letters(number // 10, 3)
        name = f"song_data/{'/'.join(folder)}/TR{folder}{world.letters(number * 79, 2)}128F{number * 7919 % 16**7:07X}.json"
        files.deliver(name, [line.encode()], begin + hour * (number % 4 - 24 if number < in_time else 72))
        if number < len(records):
            files.progress(1)
    files.song_lines, files.rejected_lines = len(lines), bad


def _deliver_events(files: _Files, people: world.Users, tracks: world.Tracks, start: date, first_day: int, days: int, events: int) -> None:
    paid = people.paid.copy()
    for day in range(first_day):
        paid ^= people.changing_level(day)
    carried = np.empty((7, 0), dtype=np.int64)
    for number in range(days):
        day, quota = first_day + number, events * (number + 1) // days - events * number // days
        begin, rows = _epoch_ms(start + timedelta(day)), carried
        if quota:
            rows = world.listen(people, tracks, paid, day, quota, may_cross=number + 1 < days)
            rows[0] += begin
            rows = np.concatenate([carried, rows], axis=1)
        today = rows[0] < begin + world.DAY_MS
        carried, rows = rows[:, ~today], rows[:, today]
        if rows.size:
            _deliver_day(files, people, tracks, rows[:, np.argsort(rows[0], kind="stable")], day, start + timedelta(day))
        paid ^= people.changing_level(day)


def _deliver_day(files: _Files, people: world.Users, tracks: world.Tracks, rows: world.Numbers, day: int, when: date) -> None:
    rng, count = np.random.default_rng([people.seed, 6, day]), rows.shape[1]
    folder, next_midnight, hour = f"log_data/{when:%Y/%m}", _epoch_ms(when) // 1000 + 24 * 3600, 3600
    drawn = rng.permutation(count)
    late = np.sort(drawn[: count // 100 if day % 3 == 1 else 0])
    again = np.sort(drawn[: -(-count // 50) if day % 3 == 0 else 0])
    in_time = np.delete(rows, late, axis=1) if late.size else rows
    if late.size:
        lines = world.write_lines(people, tracks, rows[:, late])
        suffix, content = (".json.gz", gzip.compress("\n".join(lines).encode(), mtime=0)) if day % 2 else (".csv", _csv(lines))
        files.deliver(f"log_data/late/{when}-late{suffix}", [content], next_midnight + 50 * hour)
        files.written(len(lines))
    files.deliver(f"{folder}/{when}-events.json", _day_chunks(files, people, tracks, in_time, rng), next_midnight + hour)
    if again.size:
        lines = [_from_another_exporter(line, number) for number, line in enumerate(world.write_lines(people, tracks, rows[:, again]))]
        delay = 30 * hour if day % 6 == 0 else hour // 2
        files.deliver(f"{folder}/{when}-events-redelivered.json", ["\r\n".join(lines).encode()], next_midnight + delay)
        files.event_lines += len(lines)


def _day_chunks(files: _Files, people: world.Users, tracks: world.Tracks, rows: world.Numbers, rng: np.random.Generator) -> Iterator[bytes]:
    for begin in range(0, rows.shape[1], LINES_A_CHUNK):
        lines = world.write_lines(people, tracks, rows[:, begin : begin + LINES_A_CHUNK])
        count = len(lines)
        for position, text in _extra_lines(files, lines, rng):
            lines[position] += f"\n{text}"
        yield (("\n" if begin else "") + "\n".join(lines)).encode()
        files.written(count)


def _extra_lines(files: _Files, lines: list[str], rng: np.random.Generator) -> list[tuple[int, str]]:
    """Return the repeated and the bad lines due after these lines, each with the position of the line it follows."""
    before, files.strewn = files.strewn, files.events + len(lines)
    after = files.strewn
    repeated = range(int(before * REPEATED_SHARE), int(after * REPEATED_SHARE))
    bad = range(int(before * files.bad_per_good), int(after * files.bad_per_good))
    picks = rng.integers(0, len(lines), len(repeated) + len(bad)).tolist()
    extras = []
    for number, pick in zip(repeated, picks, strict=False):
        text = lines[pick] if number % 4 else world.event_json(_changed(json.loads(lines[pick])))
        extras.append((min(pick + 5, len(lines) - 1), text))
    extras += [(pick, _bad_line(lines[pick], number)) for number, pick in zip(bad, picks[len(repeated) :], strict=True)]
    files.event_lines += len(extras)
    files.rejected_lines += len(bad)
    return extras


def _bad_line(line: str, number: int) -> str:
    others = ["2018-11-21 04:12:09 ERROR connection reset by peer", line + line, line[: len(line) // 2]]
    kind = number % (len(EVENT_FAULTS) + len(others))
    return others[kind] if kind < len(others) else world.event_json(_spoilt(json.loads(line), EVENT_FAULTS[kind - len(others)]))


def _changed(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event from another place and, if it is a play, of another length."""
    place = world.CITIES.index(event["location"]) + 1 if event["location"] else 0
    length = {"length": round(event["length"] + 0.5, 5)} if event["length"] else {}
    return event | {"location": world.CITIES[place % len(world.CITIES)]} | length


def _from_another_exporter(line: str, number: int) -> str:
    event = json.loads(line)
    user = int(event["userId"]) if event["userId"] else None
    return json.dumps((event if number % 3 else _changed(event)) | {"ts": str(event["ts"]), "userId": user}, ensure_ascii=False)


def _csv(lines: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=sorted(json.loads(lines[0]), reverse=True))
    writer.writeheader()
    writer.writerows(json.loads(line) for line in lines)
    return text.getvalue().encode()
