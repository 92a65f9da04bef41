"""The views for analysts: on the real data against plain Python, and on rows made by hand where real data has none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from spark_jobs.contracts import STAR
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.views import views
from tests.marts import Answers, Tables, answers, asked, fill_star
from tests.oracle import warehouse_of
from tests.postgres.staging import MIDNIGHT, Row, artist, moment, play, song, user
from tests.scratch import scratch_database
from tests.unit.test_oracle import DATA, needs_data

NAMES = list(answers({table.name: [] for table in STAR}))


@pytest.fixture(scope="module")
def real(postgres_server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Answers, Answers]]:
    """What the views say of the real data, and what they must."""
    landing = tmp_path_factory.mktemp("real")
    for name in ("log_data", "song_data"):
        shutil.copytree(DATA / name, landing / name)
    tables = warehouse_of(landing).tables
    with scratch_database(postgres_server, template) as url, connect(url, application_name="test") as connection:
        fill_star(connection, tables)
        # Nobody's time zone may matter; this one is most of a day from UTC.
        connection.execute("SET TimeZone = 'Pacific/Auckland'")
        yield asked(connection, NAMES), answers(tables)


@needs_data
@pytest.mark.parametrize("name", NAMES)
def test_view_says_of_real_data_what_plain_python_says(real: tuple[Answers, Answers], name: str) -> None:
    said, wanted = real
    assert said[name] == wanted[name]


@needs_data
def test_real_data_has_the_known_figures(real: tuple[Answers, Answers]) -> None:
    said, _ = real
    days = said["daily_activity"]
    assert {level: sum(row[2] for row in days if row[1] == level) for level in ("free", "paid")} == {"free": 1229, "paid": 5591}
    assert sum(row[4] for row in days) == pytest.approx(1_684_759.747, abs=1)
    assert sum(row[4] for row in said["sessions"]) == sum(row[2] for row in said["listening_hours"]) == 6820
    assert sum(row[3] for row in said["unmatched_plays"]) == 6819
    assert len(said["level_changes"]) == 105 - 96
    assert len({row[0] for row in said["level_changes"]}) == 8
    assert sum(row[2] for row in said["retention"] if row[1] == 0) == 96


def given(connection: psycopg.Connection[Any], plays: Sequence[Row], **others: Sequence[Row]) -> Tables:
    """Make plays live, with their users and moments unless given, and give all tables as the oracle does."""
    users = [user(user_id) for user_id in sorted({each["user_id"] for each in plays})]
    times = list({each["start_time"]: moment(each) for each in plays}.values())
    rows = {"songplays": plays, "users": users, "songs": [], "artists": [], "time": times} | others
    tables = {name: [tuple(row.values()) for row in values] for name, values in rows.items()}
    fill_star(connection, tables)
    return tables


def compared(connection: psycopg.Connection[Any], tables: Tables) -> Answers:
    """See that all views say what plain Python says, and give that."""
    said = asked(connection, NAMES)
    assert said == answers(tables)
    return said


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_views_of_an_empty_warehouse_are_empty_but_for_the_hours_of_the_week(warehouse: Connection) -> None:
    said = compared(warehouse, given(warehouse, []))
    assert {name: len(rows) for name, rows in said.items() if rows} == {"listening_hours": 168}
    assert {row[2:] for row in said["listening_hours"]} == {(0, 0, 0.0)}


def test_session_goes_on_past_midnight_and_is_each_users_own(warehouse: Connection) -> None:
    late = at("2018-11-30 23:58:00")
    plays = [
        play(day=late, length=100.0, level="free"),
        play(3, day=late, length=None, item_in_session=1, level="paid"),
        play(4, day=late, length=60.25, item_in_session=2, level="paid"),
        play(4, day=late, length=99.0, user_id=8),
        play(5, day=late, length=1e300, user_id=9),
    ]
    said = compared(warehouse, given(warehouse, plays))
    assert said["sessions"] == [
        (7, 1, late, late + timedelta(minutes=4, seconds=60.25), 3, 160.25, "free", "paid"),
        (8, 1, late + timedelta(minutes=4), late + timedelta(minutes=4, seconds=99), 1, 99.0, "free", "free"),
        (9, 1, late + timedelta(minutes=5), late + timedelta(days=1, minutes=5), 1, 86400.0, "free", "free"),
    ]
    assert said["daily_activity"] == [
        (date(2018, 11, 30), "free", 1, 1, 100.0),
        (date(2018, 12, 1), "free", 2, 2, 86499.0),
        (date(2018, 12, 1), "paid", 2, 1, 60.25),
    ]
    assert {row[0] for row in said["top_songs"]} == {date(2018, 11, 1), date(2018, 12, 1)}


def test_levels_that_change_within_a_millisecond_are_changes_in_order_of_play(warehouse: Connection) -> None:
    plays = [
        play(1),
        play(2, level="paid", session_id=2),
        play(2, level="free", session_id=2, item_in_session=1),
        play(2, level="paid", session_id=3),
        play(3, level="paid"),
        play(1, user_id=8),
        play(2, user_id=8, level="paid"),
        play(1, user_id=9),
        play(2, user_id=9, level="paid"),
    ]
    users = [user(7), user(8, registered_at=MIDNIGHT - timedelta(days=2)), user(9, registered_at=MIDNIGHT + timedelta(minutes=3))]
    said = compared(warehouse, given(warehouse, plays, users=users))
    then = MIDNIGHT + timedelta(minutes=2)
    assert said["level_changes"] == [
        (7, 1, then, "free", "paid", None, None),
        (7, 2, then, "paid", "free", None, None),
        (7, 3, then, "free", "paid", None, None),
        (8, 1, then, "free", "paid", MIDNIGHT - timedelta(days=2), 2),
        (9, 1, then, "free", "paid", MIDNIGHT + timedelta(minutes=3), -1),
    ]


def test_ties_are_ranked_by_bytes_and_matched_plays_count_under_the_catalogues_names(warehouse: Connection) -> None:
    matched = {"song_id": "S1", "artist_id": "A1"}
    plays = [
        play(1, song_title="song", artist_name="THE  ARTIST", **matched),
        play(2, song_title="Song", artist_name="The Artist"),
        play(3, song_title="b", artist_name="Ærø"),
        play(4, song_title="b", artist_name="abba"),
        play(5, song_title="b", artist_name="Zappa"),
        play(6, song_title="b", artist_name="Zappa", level="paid"),
    ]
    songs, artists = [song("S1", title="Song")], [artist("A1", name="The Artist")]
    said = compared(warehouse, given(warehouse, plays, songs=songs, artists=artists))
    month = date(2018, 11, 1)
    assert said["top_artists"] == [
        (month, "free", 1, "The Artist", 2, 1),
        (month, "free", 2, "Zappa", 1, 0),
        (month, "free", 3, "abba", 1, 0),
        (month, "free", 4, "Ærø", 1, 0),
        (month, "paid", 1, "Zappa", 1, 0),
    ]
    assert said["top_songs"][0] == (month, "free", 1, "Song", "The Artist", 2, 1)


def test_cohorts_are_of_iso_weeks_also_round_new_year(warehouse: Connection) -> None:
    plays = [
        play(day=at("2018-12-30 23:59:59")),  # the Sunday of week 52
        play(day=at("2018-12-31 00:00:00"), user_id=8),  # Monday of week 1 of 2019
        play(day=at("2019-01-02 12:00:00")),
        play(day=at("2019-01-20 23:59:59")),
    ]
    said = compared(warehouse, given(warehouse, plays))
    weeks = [date(2018, 12, 24), date(2018, 12, 31)]
    assert said["retention"] == [
        *((weeks[0], after, 1, active, float(active)) for after, active in enumerate((1, 1, 0, 1))),
        *((weeks[1], after, 1, active, float(active)) for after, active in enumerate((1, 0, 0))),
    ]


def test_unmatched_plays_name_the_song_that_is_nearest_in_duration(warehouse: Connection) -> None:
    plays = [
        play(1, song_title="one  SONG", artist_name="the artist", length=200.0),
        play(2, song_title="one  SONG", artist_name="the artist", length=200.0, level="paid"),
        play(3, song_title="one  SONG", artist_name="the artist", length=None),
        play(4, song_title="One Song", artist_name="Another", length=200.0),
        play(5, song_title="One Song", artist_name="The Artist", song_id="S3", artist_id="A1"),
    ]
    songs = [song(name, title="One Song", duration=length) for name, length in (("S2", 204.0), ("S3", 197.0), ("S1", 197.0), ("S0", 250.0))]
    said = compared(warehouse, given(warehouse, plays, songs=[*songs, song("S9", title=None)], artists=[artist(name="The\u00a0Artist")]))
    assert said["unmatched_plays"] == [
        ("One Song", "Another", 200.0, 1, None, None, None),
        ("one  SONG", "the artist", None, 1, "S0", 250.0, None),
        ("one  SONG", "the artist", 200.0, 2, "S1", 197.0, 3.0),
    ]


def test_headers_name_the_columns_and_types_that_the_views_have_and_stand_as_comments(warehouse: Connection) -> None:
    for view in views():
        rows = warehouse.execute(
            "SELECT attname::text, format_type(atttypid, NULL), col_description(attrelid, attnum) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum",
            [f"dwh.{view.name}"],
        ).fetchall()
        assert rows == [(column.name, column.type.value, column.about) for column in view.columns]
        (comment,) = warehouse.execute("SELECT obj_description(to_regclass(%s))", [f"dwh.{view.name}"]).fetchone() or ("",)
        assert all(part in str(comment) for part in (view.about, view.grain, *view.caveats))


def test_declared_keys_name_one_row(real: tuple[Answers, Answers]) -> None:
    said, _ = real
    for view in views():
        if view.name in said:
            names = [column.name for column in view.columns]
            for key in view.key.rstrip(".").removesuffix(" (which may be null)").split("; also "):
                places = [names.index(name) for name in key.split(", ")]
                rows = said[view.name]
                assert len({tuple(row[place] for place in places) for row in rows}) == len(rows), (view.name, key)


def test_views_are_those_of_the_folder_and_readers_may_select_them(warehouse: Connection) -> None:
    found = warehouse.execute(
        "SELECT table_name::text, has_table_privilege('songlake_reader', 'dwh.' || quote_ident(table_name), 'SELECT')"
        " FROM information_schema.views WHERE table_schema = 'dwh' ORDER BY 1"
    ).fetchall()
    assert found == sorted((view.name, True) for view in views())
