"""What the views for analysts must answer, computed from the oracle's rows by plain Python, one loop after another.

Like the oracle it shares no code with the product; it is written from the headers of `sql/views`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from spark_jobs.contracts import STAR, Table

Tables = Mapping[str, Sequence[tuple[Any, ...]]]
Answers = dict[str, list[tuple[Any, ...]]]

DAY = timedelta(days=1)


class Play(NamedTuple):
    """A row of songplays."""

    songplay_id: str
    start_time: datetime
    user_id: int
    level: str
    song_id: str | None
    artist_id: str | None
    session_id: int
    location: str | None
    user_agent: str | None
    item_in_session: int
    song_title: str
    artist_name: str
    length: float | None


def answers(tables: Tables) -> Answers:
    """Compute every view but user_levels, which the oracle computes itself; the rows of each sorted."""
    plays = sorted(map(Play._make, tables["songplays"]), key=lambda play: (play.start_time, play.session_id, play.item_in_session))
    found = {
        "sessions": _sessions(plays),
        "daily_activity": _daily_activity(plays),
        "top_artists": _ranked(plays, tables, with_titles=False),
        "top_songs": _ranked(plays, tables, with_titles=True),
        "listening_hours": _listening_hours(plays),
        "level_changes": _level_changes(plays, tables),
        "retention": _retention(plays),
        "unmatched_plays": _unmatched_plays(plays, tables),
    }
    return {name: in_order(rows) for name, rows in found.items()}


def asked(connection: psycopg.Connection[Any], names: Iterable[str]) -> Answers:
    """Ask views for all their rows; the rows of each sorted, times in UTC."""
    return {
        name: in_order(connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("dwh", name))).fetchall()) for name in names
    }


def fill_star(connection: psycopg.Connection[Any], tables: Tables) -> None:
    """Copy the oracle's rows into the live tables."""
    for table in STAR:
        _copy(connection, table, tables[table.name])


def _copy(connection: psycopg.Connection[Any], table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("dwh", table.name))) as copy:
        for row in rows:
            copy.write_row(row)


def in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sort rows with nulls among them, moments in UTC."""
    moved = [tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row) for row in rows]
    return sorted(moved, key=lambda row: [(value is not None, value) for value in row])


def _milliseconds(plays: Iterable[Play]) -> int:
    return sum(round(min(play.length, 86_400.0) * 1000) for play in plays if play.length is not None)


def _grouped(plays: Iterable[Play], key: Any) -> dict[Any, list[Play]]:
    groups: dict[Any, list[Play]] = defaultdict(list)
    for play in plays:
        groups[key(play)].append(play)
    return groups


def _sessions(plays: list[Play]) -> list[tuple[Any, ...]]:
    rows = []
    for (user_id, session_id), own in _grouped(plays, lambda play: (play.user_id, play.session_id)).items():
        first, last = own[0], own[-1]
        ended_at = max(play.start_time + timedelta(seconds=min(play.length or 0.0, 86_400.0)) for play in own)
        rows.append((user_id, session_id, first.start_time, ended_at, len(own), _milliseconds(own) / 1000, first.level, last.level))
    return rows


def _daily_activity(plays: list[Play]) -> list[tuple[Any, ...]]:
    groups = _grouped(plays, lambda play: (play.start_time.date(), play.level))
    return [(*key, len(own), len({play.user_id for play in own}), _milliseconds(own) / 1000) for key, own in groups.items()]


def _ranked(plays: list[Play], tables: Tables, *, with_titles: bool) -> list[tuple[Any, ...]]:
    titles = {song_id: title for song_id, title, *_ in tables["songs"]}
    names = {artist_id: name for artist_id, name, *_ in tables["artists"]}

    def shown(play: Play) -> tuple[str, ...]:
        name = names[play.artist_id] if play.artist_id else play.artist_name
        title = titles[play.song_id] if play.song_id else play.song_title
        return (title, name) if with_titles else (name,)

    rows = []
    for (month, level), own in _grouped(plays, lambda play: (play.start_time.date().replace(day=1), play.level)).items():
        counts = Counter(shown(play) for play in own)
        matched = Counter(shown(play) for play in own if play.song_id)
        # Python compares texts by code point, which is the order of their bytes in UTF-8.
        best = sorted(counts, key=lambda name: (-counts[name], name))
        rows += [(month, level, rank, *name, counts[name], matched[name]) for rank, name in enumerate(best, 1)]
    return rows


def _listening_hours(plays: list[Play]) -> list[tuple[Any, ...]]:
    groups = _grouped(plays, lambda play: (play.start_time.isoweekday(), play.start_time.hour))
    rows = []
    for weekday in range(1, 8):
        for hour in range(24):
            own = groups.get((weekday, hour), [])
            rows.append((weekday, hour, len(own), len({play.start_time.date() for play in own}), _milliseconds(own) / 1000))
    return rows


def _level_changes(plays: list[Play], tables: Tables) -> list[tuple[Any, ...]]:
    registered = {row[0]: row[5] for row in tables["users"]}
    rows = []
    for user_id, own in _grouped(plays, lambda play: play.user_id).items():
        number = 0
        for before, after in pairwise(own):
            if before.level != after.level:
                number += 1
                since = registered.get(user_id)
                days = None if since is None else (after.start_time - since) // DAY
                rows.append((user_id, number, after.start_time, before.level, after.level, since, days))
    return rows


def _monday(play: Play) -> date:
    day = play.start_time.date()
    return date.fromisocalendar(day.isocalendar().year, day.isocalendar().week, 1)


def _retention(plays: list[Play]) -> list[tuple[Any, ...]]:
    weeks = {user_id: {_monday(play) for play in own} for user_id, own in _grouped(plays, lambda play: play.user_id).items()}
    latest = max((week for own in weeks.values() for week in own), default=None)
    rows = []
    for cohort in sorted({min(own) for own in weeks.values()}):
        members = [own for own in weeks.values() if min(own) == cohort]
        for after in range((latest - cohort).days // 7 + 1):
            active = sum(cohort + timedelta(weeks=after) in own for own in members)
            rows.append((cohort, after, len(members), active, active / len(members)))
    return rows


def _folded(text: str) -> str:
    return re.sub("[ \t\n\v\f\r\u00a0]+", " ", text).lower()


def _unmatched_plays(plays: list[Play], tables: Tables) -> list[tuple[Any, ...]]:
    names = {artist_id: name for artist_id, name, *_ in tables["artists"]}
    rows = []
    groups = _grouped((play for play in plays if not play.song_id), lambda play: (play.song_title, play.artist_name, play.length))
    for (title, artist, length), own in groups.items():
        near = [
            (abs(duration - length) if length is not None else 0.0, song_id, duration)
            for song_id, other, artist_id, _, duration in tables["songs"]
            if other is not None and _folded(other) == _folded(title) and _folded(names[artist_id]) == _folded(artist)
        ]
        _, song_id, duration = min(near, default=(None, None, None))
        off = None if duration is None or length is None else length - duration
        rows.append((title, artist, length, len(own), song_id, duration, off))
    return rows
