"""Which load wrote a live row: told by the transaction, exactly, or not at all."""

from __future__ import annotations

import pytest

from spark_jobs import settings
from spark_jobs.contracts import SONGPLAYS, USERS
from spark_jobs.errors import InputMissing
from spark_jobs.trace.live import live_row
from spark_jobs.trace.live import warehouse as asked
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.provenance import live_row as row_and_load
from spark_jobs.warehouse.provenance import of_song, of_user
from tests.names import NAMES
from tests.postgres.logins import at, login
from tests.postgres.staging import batch, load, play, song, stage


def test_each_row_is_told_with_the_load_that_last_wrote_it(warehouse: Connection) -> None:
    first, second = play(0), play(1)
    load(warehouse, "b1", batch(first, second))
    load(warehouse, "b2", batch(first, {**second, "level": "paid"}))
    assert row_and_load(warehouse, SONGPLAYS, first["songplay_id"]) == (first, "b1")
    assert row_and_load(warehouse, SONGPLAYS, second["songplay_id"]) == ({**second, "level": "paid"}, "b2")
    assert row_and_load(warehouse, SONGPLAYS, "1-1-1-1") == (None, None)


def test_a_row_that_no_load_in_the_books_wrote_is_told_as_far_as_it_is_known(warehouse: Connection) -> None:
    row = play(0)
    load(warehouse, "b1", batch(row))
    load(warehouse, "b2", batch(row, play(1)))
    warehouse.execute("UPDATE dwh.songplays SET level = 'paid'")
    live = live_row(warehouse, SONGPLAYS, row["songplay_id"], row)
    assert live.differs == {"level": ("free", "paid")}
    assert "cannot be told" in live.said[1]
    assert "up to b2, which brought songplays to version 1" in live.said[1]
    assert live.load is not None
    assert live.load.batch_id == "b2"


def test_a_row_that_is_not_live_is_told_with_the_load_that_stands_refused(warehouse: Connection) -> None:
    load(warehouse, "b1", batch(play(0)))
    late = play(9, user_id=8)
    stage(warehouse, "b2", batch(late))
    warehouse.execute("UPDATE ops.batches SET status = 'rejected' WHERE batch_id = 'b2'")
    live = live_row(warehouse, SONGPLAYS, late["songplay_id"], late)
    assert (live.is_live, live.said) == (
        False,
        ["The row is not live yet: dwh.songplays has none.", "The last load is b2, rejected."],
    )


def test_a_live_row_is_compared_with_the_star_which_may_be_behind_the_lake_or_removed(warehouse: Connection) -> None:
    row = play(0)
    load(warehouse, "b1", batch(row))
    equal, removed = (live_row(warehouse, SONGPLAYS, row["songplay_id"], star).said[0] for star in (row, None))
    assert equal == "dwh.songplays holds what the star in the lake holds."
    assert removed == "dwh.songplays has the row, and the star in the lake has not: the next run makes them equal."


def test_a_user_who_may_not_read_the_books_is_told_so(
    warehouse: Connection, url: str, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play(0)))
    with login(postgres_server) as stranger:
        monkeypatch.setenv("WAREHOUSE_URL", at(stranger, url))
        with asked(settings.load()) as connection:
            assert isinstance(connection, str)
            assert "refuses: permission denied for schema ops" in connection
            live = live_row(connection, SONGPLAYS, play(0)["songplay_id"], play(0))
    assert (live.is_live, live.load) == (None, None)
    assert "is not known" in live.said[0]


def test_plays_of_a_song_and_those_that_nearly_are_it_are_counted(warehouse: Connection) -> None:
    matched, near_it = play(0, song_id="S1", artist_id="A1", song_title="My song"), play(1, length=200.9, song_title="My song")
    spelt = play(2, length=200.9, song_title="MY \u00a0\tsong", artist_name="aRTIST")
    load(warehouse, "b1", batch(matched, near_it, spelt, play(3, song_title="Mysong"), songs=[song("S1", title="My song")]))
    counts, near = of_song(warehouse, "S1", "My song", "Artist")
    assert (counts["plays"], [(row["length"], row["plays"], row["first_songplay_id"]) for row in near]) == (
        1,
        [(200.9, 2, near_it["songplay_id"])],
    )
    assert of_song(warehouse, "S1", None, "Artist")[1] == []


def test_a_users_levels_and_plays_are_those_that_are_live(warehouse: Connection) -> None:
    load(warehouse, "b1", batch(play(0), play(1, level="paid"), play(2, user_id=8)))
    counts, levels = of_user(warehouse, 7)
    assert (counts["plays"], counts["matched"], counts["days"]) == (2, 0, 1)
    assert [row["level"] for row in levels] == ["free", "paid"]
    assert row_and_load(warehouse, USERS, 7)[1] == "b1"


@pytest.mark.parametrize(("title", "played", "same"), NAMES)
def test_plays_of_a_title_are_near_where_spark_takes_its_letters_for_the_same(
    warehouse: Connection, title: str, played: str, same: bool
) -> None:
    load(warehouse, "b1", batch(play(0, length=201.0, song_title=played), songs=[song("S1", title=title)]))
    assert [row["plays"] for row in of_song(warehouse, "S1", title, "ARTIST")[1]] == [1] * same
    assert warehouse.execute("SELECT near_song_id FROM dwh.unmatched_plays").fetchall() == [("S1" if same else None,)]


def test_a_warehouse_from_before_names_were_folded_in_it_is_told_with_what_to_do(own_warehouse: Connection) -> None:
    own_warehouse.execute("DROP FUNCTION dwh.folded CASCADE")
    with pytest.raises(InputMissing, match=r"dwh\.folded.*songlake run"):
        of_song(own_warehouse, "S1", "Song", "Artist")
