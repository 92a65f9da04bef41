"""What is measured with whole cold processes: first loads, and what comes on top of a history."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.contenders import DUCKDB, KEEPING_DUCKDB, NAIVE, POLARS, SONGLAKE, Contender
from spark_jobs.generator import generate

SONGS = 15_000
_USERS = 5_000
"""Of every increment's history, so that a day touches as many users whatever lies behind it."""


@dataclass(frozen=True)
class History:
    """A landing zone of so many days.

    Attributes:
        events: Distinct events in all.
        days: Over how many days.
        songs: Distinct songs, one a file.
        users: Registered users; the generator's own number if None.
    """

    events: int
    days: int
    songs: int = SONGS
    users: int | None = None

    def deliver(self, landing: Path, held: Path) -> None:
        """Write its files; one song that is played is held back."""
        generate(landing, events=self.events, days=self.days, songs=self.songs, users=self.users, dirty=0)
        first = min((landing / "song_data").rglob("*.json"))
        first.rename(held)

    def deliver_day(self, landing: Path, day: int, events: int, folder: str, seed: int = 1) -> None:
        """Write a day's events with the same users and songs; the files stand side by side in a folder of `log_data`."""
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch)
            more = {"songs": self.songs, "users": self.users, "dirty": 0}
            generate(source, seed=seed, events=events, days=1, first_day=day, **more)  # type: ignore[arg-type]
            target = landing / "log_data" / folder
            target.mkdir()
            for file in (source / "log_data").rglob("*.*"):
                shutil.copy2(file, target / file.name)


Delivery = Callable[[Path, Path, History, int], None]
"""Called with the landing zone, the song held back, the history, and how many events are to come."""


def nothing(landing: Path, held: Path, history: History, events: int) -> None:
    """Deliver nothing."""


def new_day(landing: Path, held: Path, history: History, events: int) -> None:
    """Deliver the day after the history."""
    history.deliver_day(landing, history.days, events, "next")


def late_events(landing: Path, held: Path, history: History, events: int) -> None:
    """Deliver a few further events of a day in the middle."""
    history.deliver_day(landing, history.days // 2, events, "later", seed=2)


def late_song(landing: Path, held: Path, history: History, events: int) -> None:
    """Deliver the song that was held back."""
    shutil.copy2(held, landing / "song_data" / held.name)


@dataclass(frozen=True)
class Work:
    """A piece of work that each contender does in a process of its own.

    Attributes:
        name: What it is called on the command line and in results.
        about: What it is, for readers.
        stage: Works of one stage are measured in the same rounds.
        contenders: Who does it; the first is compared with each other one.
        history: What lies in the landing zone before.
        deliver: Adds what is new to it.
        events: How many events are new.
        from_nothing: Whether the contenders begin with nothing, or with the history loaded.
    """

    name: str
    about: str
    stage: str
    contenders: tuple[Contender, ...]
    history: History
    deliver: Delivery = nothing
    events: int = 0
    from_nothing: bool = False

    def sized(self, events: int) -> Work:
        """Give the same work with another number of events, history and what is new in proportion."""
        share = events / (self.events or self.history.events)
        history = replace(self.history, events=max(self.history.days, round(self.history.events * share)))
        return replace(self, history=history, events=events if self.events else 0)


def _load(name: str, events: int, *contenders: Contender) -> Work:
    history = History(events, days=30)
    return Work(f"load-{name}", f"first load of {events:,} events", f"load-{name}", contenders, history, from_nothing=True)


_DAY = 100_000
_BOTH = (SONGLAKE, KEEPING_DUCKDB)
_HISTORIES = {1: History(_DAY, 1, users=_USERS), 10: History(10 * _DAY, 10, users=_USERS), 100: History(10 * _DAY, 100, users=_USERS)}


def _day(days: int) -> Work:
    history = _HISTORIES[days]
    about = f"a day of {_DAY:,} events after {days} day{'s'[: days > 1]} of {history.events // days:,}"
    return Work(f"day-{days}", about, "increments", _BOTH, history, new_day, _DAY)


WORKS = (
    _load("1e5", 100_000, SONGLAKE, DUCKDB, POLARS, NAIVE),
    _load("1e6", 1_000_000, SONGLAKE, DUCKDB, POLARS, NAIVE),
    _load("1e7", 10_000_000, SONGLAKE, DUCKDB, POLARS),
    _day(1),
    _day(10),
    _day(100),
    replace(
        _day(100), name="rebuild-100", about="those 100 days and the new day from nothing", contenders=(SONGLAKE, DUCKDB), from_nothing=True
    ),
    Work("late", "100 late events into the 6th of 10 days of 100,000", "increments", _BOTH, _HISTORIES[10], late_events, 100),
    Work("song", "a song that comes after 1,000,000 events", "increments", _BOTH, _HISTORIES[10], late_song),
    Work("nothing", "nothing new after 100,000 events", "increments", _BOTH, History(_DAY, 10)),
)

_QUICK = {
    "load-1e5": (_DAY, 0, "first load of 100,000 events, 1,000 songs"),
    "day-10": (_DAY, 10_000, "a day of 10,000 events after 10 such days"),
    "late": (_DAY, 100, "100 late events into the 6th of 10 days of 10,000"),
    "nothing": (_DAY, 0, "nothing new after 100,000 events"),
}
"""Events of the history, new events, and what that is."""
QUICK = tuple(
    replace(work, about=about, history=replace(work.history, events=events, songs=1_000), events=new)
    for work in WORKS
    if work.name in _QUICK
    for events, new, about in [_QUICK[work.name]]
)
"""A few of them on less data, within five minutes."""


@dataclass(frozen=True)
class InsideWork:
    """A piece of work that is measured inside one Spark session, by `bench/inside.py`.

    Attributes:
        name: What it is called on the command line.
        about: What it is, by the names its results have.
        does: The work's name there.
        size: Events or song files.
    """

    name: str
    about: dict[str, str]
    does: str
    size: int


INSIDE = (
    InsideWork("ingest", {"ingest": "validated ingest of 1,000,000 events, against Spark's typed read and append"}, "ingest", 1_000_000),
    *(
        InsideWork(f"songs-{size}", {f"songs-{size}": f"ingest of {size:,} song files, against Spark's read by a glob"}, "songs", size)
        for size in (1_500, 15_000, 100_000)
    ),
    InsideWork(
        "staging",
        {
            "staging": "staging of the star of 1,000,000 events, against a default JDBC write",
            "apply": "publish of the same, against plain INSERT … SELECT",
        },
        "load",
        1_000_000,
    ),
)
