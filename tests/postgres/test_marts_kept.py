"""What publish keeps for the views: after any batches it is what the views compute from nothing, and it costs nobody a wait."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from spark_jobs.warehouse import marts
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.vacuum import vacuum
from spark_jobs.warehouse.views import views
from tests.marts import Answers, asked
from tests.postgres.staging import Row, artist, batch, gone, load, play, song

BASE = ("play_runs", "song_months")
DAYS = [
    datetime(2001, 9, 9, 1, 46, 30, tzinfo=UTC),  # ten seconds before milliseconds get their thirteenth digit
    datetime(2001, 9, 8, tzinfo=UTC),
    datetime(2018, 11, 30, 23, 58, tzinfo=UTC),
    datetime(2018, 12, 1, 0, 1, tzinfo=UTC),
    datetime(2018, 12, 31, 12, 30, tzinfo=UTC),
]


def kept_and_computed(connection: psycopg.Connection[Any]) -> tuple[Answers, Answers]:
    """What the views say as it is kept, and what they compute where nothing is."""
    kept = asked(connection, BASE)
    with connection.transaction(force_rollback=True):
        connection.execute("DELETE FROM dwh.kept_play_runs; DELETE FROM dwh.kept_song_months")
        return kept, asked(connection, BASE)


def sizes(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    row = connection.execute("SELECT (SELECT count(*) FROM dwh.kept_play_runs), (SELECT count(*) FROM dwh.kept_song_months)").fetchone()
    assert row is not None
    return row[0], row[1]


def some_play(chance: random.Random) -> Row:
    """A play such that many share users, sessions, hours, songs and milliseconds."""
    song_id = chance.choice([None, "S1", "S2"])
    return play(
        chance.choice([0, 0, 1, 2, 59, 60]),
        chance.choice([7, 8]),
        day=chance.choice(DAYS),
        session_id=chance.choice([1, 2]),
        item_in_session=chance.choice([0, 9, 10]),
        level=chance.choice(["free", "free", "paid"]),
        length=chance.choice([None, 0.0004, 200.5, 1e300]),
        song_title=chance.choice(["Song", "song", "a\nb, (c)", "x" * 5000]),
        song_id=song_id,
        artist_id=song_id and "A1",
    )


@pytest.mark.parametrize("seed", range(3))
def test_after_any_batches_what_is_kept_is_what_the_views_compute(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(marts, "KEPT_FROM", 12)
    warehouse.execute("SET TimeZone = 'Asia/Kathmandu'")
    chance, live = random.Random(seed), dict[str, Row]()
    for number in range(12):
        new = {row["songplay_id"]: row for row in (some_play(chance) for _ in range(chance.choice([0, 6])))}
        for row in chance.sample(sorted(live.values(), key=lambda row: row["songplay_id"]), min(len(live), 2)):
            others = some_play(chance)
            new[row["songplay_id"]] = row | {name: others[name] for name in ("level", "length", "song_title", "song_id", "artist_id")}
        away = [key for key in live if key not in new and chance.random() < 0.2]
        for key in away:
            del live[key]
        live |= new
        rows = batch(*new.values(), songs=[song("S1"), song("S2")], artists=[artist()])
        load(warehouse, f"b{number}", rows | {"songplays": [*new.values(), *(gone(songplay_id=key) for key in [*away, "0-0-0-0"])]})
        kept, computed = kept_and_computed(warehouse)
        assert kept == computed
        assert sum(row[6] for row in kept["play_runs"]) == sum(row[7] for row in kept["song_months"]) == len(live)
        assert len(live) < 12 or all(sizes(warehouse))
    warehouse.execute("RESET TimeZone")
    assert all(sizes(warehouse))


def test_few_plays_are_not_kept_and_where_somebody_emptied_what_is_it_is_filled_again(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play(1), play(2)))
    assert sizes(warehouse) == (0, 0)
    monkeypatch.setattr(marts, "KEPT_FROM", 3)
    load(warehouse, "b2", batch(play(60)))
    assert sizes(warehouse) == (2, 1)
    for table in ("kept_play_runs", "kept_song_months"):
        warehouse.execute(f"DELETE FROM dwh.{table}")
        load(warehouse, f"b after {table}", batch(play(120, level="paid", day=DAYS[2])))
        kept, computed = kept_and_computed(warehouse)
        assert kept == computed
        assert all(sizes(warehouse))


def test_only_the_days_and_songs_of_a_batch_are_written(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "KEPT_FROM", 1)
    first, second = play(day=DAYS[1]), play(day=DAYS[2])
    load(warehouse, "b1", batch(first, second))
    written = (
        "SELECT 'run', started_at::text, xmin::text FROM dwh.kept_play_runs"
        " UNION ALL SELECT 'month', month::text, xmin::text FROM dwh.kept_song_months"
    )
    before = set(warehouse.execute(written).fetchall())
    load(warehouse, "b2", batch(second | {"length": 99.0}, play(1, day=DAYS[2], song_title="Other")))
    assert {row[1][:4] for row in before - set(warehouse.execute(written).fetchall())} == {"2018"}
    after = set(warehouse.execute(written).fetchall())
    load(warehouse, "b3", batch(first | {"song_id": "S1", "artist_id": "A1"}))
    assert {row[0] for row in set(warehouse.execute(written).fetchall()) - after} == {"month"}


def test_weekly_vacuum_takes_what_is_kept_along(warehouse: Connection) -> None:
    warehouse.execute("INSERT INTO dwh.kept_play_runs VALUES (now(), 1, 1, 0, 'free', now(), 1, 1); DELETE FROM dwh.kept_play_runs")
    assert vacuum(warehouse, 1) == []
    assert warehouse.execute("SELECT pg_relation_size('dwh.kept_play_runs')").fetchone() == (0,)


def test_kept_rows_follow_when_the_last_play_goes(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "KEPT_FROM", 1)
    row = play(length=timedelta(minutes=3).total_seconds())
    load(warehouse, "b1", batch(row))
    load(warehouse, "b2", {"songplays": [gone(songplay_id=row["songplay_id"])]})
    assert sizes(warehouse) == (0, 0)


def test_headers_say_from_how_many_plays_on_it_is_kept() -> None:
    base = [view for view in views() if view.name in BASE]
    assert all(f"from {marts.KEPT_FROM:,} plays on" in " ".join(view.caveats) for view in base)
    assert len(base) == len(BASE)
