"""Publishing: one transaction, exact counts, nothing rewritten that did not change, and nobody's views or locks in the way unnamed."""

from __future__ import annotations

from traceback import format_exception
from typing import Any

import pytest

from spark_jobs.contracts import STAGED
from spark_jobs.errors import BadUsage, GateFailed, InputMissing, LockHeld
from spark_jobs.lake.log import Position
from spark_jobs.warehouse.batches import begin_batch, finish_staging, published, row_counts, staged_batch
from spark_jobs.warehouse.check import check
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.publish import TableChange, publish
from tests.postgres.staging import GATE, MIDNIGHT, WAREHOUSE, artist, batch, contents, file, fill, gone, load, play, song, stage, user


def versions(connection: Connection) -> dict[tuple[str, str], Any]:
    """The transaction that wrote each live row."""
    rows = {}
    for name, key in (("dwh.users", "user_id"), ("dwh.songplays", "songplay_id"), ("ops.files", "path"), ("dwh.time", "start_time")):
        for value, xmin in connection.execute(f"SELECT {key}::text, xmin::text FROM {name}"):
            rows[name, str(value)] = xmin
    return rows


def test_publish_makes_live_what_was_staged(warehouse: Connection) -> None:
    rows = batch(play(0, song_id="S1", artist_id="A1"), play(1, user_id=8))
    changes = load(warehouse, "b1", rows)
    assert contents(warehouse) == {name: [tuple(row.values()) for row in values] for name, values in rows.items()}
    assert changes == {name: TableChange(0, len(values), len(values), 0, 0) for name, values in rows.items()}
    assert published(warehouse) == {table.name: Position(f"table-of-{table.name}", 0) for table in STAGED}
    assert row_counts(warehouse) == {name: len(values) for name, values in rows.items()}
    assert warehouse.execute("SELECT status, published_at > staged_at FROM ops.batches").fetchone() == ("published", True)
    assert staged_batch(warehouse) is None
    assert warehouse.execute("SELECT count(*) FROM staging.songplays").fetchone() == (0,)


def test_publish_counts_what_is_new_changed_gone_and_unchanged(warehouse: Connection) -> None:
    load(warehouse, "b1", {"users": [user(1), user(2), user(3), user(4)], "songs": [song()], "artists": [artist()]})
    changes = load(warehouse, "b2", {"users": [user(1), user(2, level="paid"), gone(user_id=3), gone(user_id=99), user(5)]})
    assert changes["users"] == TableChange(before=4, after=4, inserted=1, updated=1, deleted=1)
    assert changes["songs"] == TableChange(1, 1, 0, 0, 0)
    levels = warehouse.execute("SELECT user_id, level FROM dwh.users ORDER BY 1").fetchall()
    assert levels == [(1, "free"), (2, "paid"), (4, "free"), (5, "free")]
    assert row_counts(warehouse)["users"] == 4


def test_what_was_recommended_to_somebody_goes_with_them(warehouse: Connection) -> None:
    load(warehouse, "b1", {"users": [user(1), user(2)]})
    warehouse.execute("INSERT INTO dwh.recommendations VALUES (1, 1, 'Elena', 1, 'als-1-a'), (2, 1, 'Elena', 1, 'als-1-a')")
    load(warehouse, "b2", {"users": [user(1, level="paid"), gone(user_id=2)]})
    assert warehouse.execute("SELECT user_id FROM dwh.recommendations").fetchall() == [(1,)]


def test_unchanged_rows_are_not_rewritten(warehouse: Connection) -> None:
    rows = batch(play(0), play(1))
    load(warehouse, "b1", rows)
    before = versions(warehouse)
    changes = load(
        warehouse, "b2", rows | {"songplays": [play(0), play(1, level="paid")], "files": [file(), file("new", lines=0, accepted=0)]}
    )
    after = versions(warehouse)
    assert {key for key in after if after[key] != before.get(key)} == {("dwh.songplays", play(1)["songplay_id"]), ("ops.files", "new")}
    assert (changes["songplays"].updated, changes["files"].inserted) == (1, 1)


@pytest.mark.parametrize("table", STAGED, ids=lambda table: table.name)
def test_every_column_is_compared_and_written_also_to_and_from_null(warehouse: Connection, table: Any) -> None:
    full = {
        "artists": artist(location="Oslo", latitude=1.5, longitude=2.5),
        "songs": song(year=2000),
        "users": user(registered_at=MIDNIGHT),
        "songplays": play(song_id="S1", artist_id="A1"),
        "files": file(cause="none", unknown_keys=["mood"]),
    }
    rows = batch(full["songplays"])
    rows |= {name: [row] for name, row in full.items()}
    load(warehouse, "b0", rows)
    other = {int: 1234, float: 55.5, str: "paid", list: ["device", "mood"], type(MIDNIGHT): MIDNIGHT.replace(year=2017)}
    for column in table.warehouse_columns:
        if column.name in table.key:
            continue
        row = rows[table.name][0]
        for value in (other[type(row[column.name])], None) if column.nullable else (other[type(row[column.name])],):
            changed = row | {column.name: value}
            stage(warehouse, "b1", {table.name: [changed]})
            warehouse.execute("UPDATE ops.batches SET status = 'checked' WHERE batch_id = 'b1'")
            assert publish(warehouse, "b1", WAREHOUSE)[table.name].updated == 1
            warehouse.execute("DELETE FROM ops.batches WHERE batch_id = 'b1'")
            assert contents(warehouse)[table.name] == [tuple(changed.values())]


def test_users_views_and_grants_outlive_publishing(own_warehouse: Connection) -> None:
    own_warehouse.execute("CREATE SCHEMA mine; CREATE VIEW mine.top AS SELECT song_title, count(*) AS plays FROM dwh.songplays GROUP BY 1")
    granted = (
        "SELECT grantee, privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema = 'dwh' AND table_name = 'songplays' ORDER BY 1, 2"
    )
    before = own_warehouse.execute(granted).fetchall()
    tables = "SELECT oid FROM pg_class WHERE relnamespace = 'dwh'::regnamespace AND relkind = 'r' ORDER BY relname"
    oids = own_warehouse.execute(tables).fetchall()
    load(own_warehouse, "b1", batch(play()))
    load(own_warehouse, "b2", {"songplays": [gone(songplay_id=play()["songplay_id"]), play(1, user_id=7)], "time": batch(play(1))["time"]})
    assert own_warehouse.execute("SELECT * FROM mine.top").fetchall() == [("Song", 1)]
    assert own_warehouse.execute(granted).fetchall() == before
    assert own_warehouse.execute(tables).fetchall() == oids


def test_publishing_again_changes_nothing_and_tells_the_same(warehouse: Connection) -> None:
    changes = load(warehouse, "b1", batch(play()))
    before = versions(warehouse)
    assert publish(warehouse, "b1", WAREHOUSE) == changes
    assert versions(warehouse) == before


def test_batch_is_not_published_unchecked_unknown_or_out_of_staging(warehouse: Connection) -> None:
    with pytest.raises(BadUsage, match="no batch b0"):
        publish(warehouse, "b0", WAREHOUSE)
    stage(warehouse, "b1", batch(play()))
    with pytest.raises(BadUsage, match="b1 was not checked"):
        publish(warehouse, "b1", WAREHOUSE)
    check(warehouse, "b1", GATE)
    stage(warehouse, "b2", batch(play()))
    with pytest.raises(InputMissing, match="b1 no longer stands in staging"):
        publish(warehouse, "b1", WAREHOUSE)
    assert contents(warehouse) == {table.name: [] for table in STAGED}


def test_rejected_batch_is_not_published(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play(level="gold")))
    check(warehouse, "b1", GATE)
    with pytest.raises(GateFailed, match=r"b1 was rejected by levels_known; what was live stays live. .*songlake accept b1 --reason TEXT"):
        publish(warehouse, "b1", WAREHOUSE)
    assert contents(warehouse)["songplays"] == []


def test_batch_from_another_base_is_refused(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play()))
    check(warehouse, "b1", GATE)
    warehouse.execute("INSERT INTO ops.published VALUES ('songs', 'table-of-songs', 0, 'other', 0)")
    with pytest.raises(LockHeld, match="Another run published first") as caught:
        publish(warehouse, "b1", WAREHOUSE)
    assert caught.value.exit_code == 6
    assert contents(warehouse)["songplays"] == []


def test_what_no_check_caught_the_warehouse_refuses_without_quoting_it(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"users": [user(424242, last_seen_at=None)]})
    warehouse.execute("UPDATE ops.batches SET status = 'checked'")
    with pytest.raises(GateFailed, match=r"null value in column .last_seen_at. .* cannot be overruled") as caught:
        publish(warehouse, "b1", WAREHOUSE)
    # Airflow's log has all that a trace shows.
    assert "424242" not in "".join(format_exception(caught.value))
    for batch_id, refused_as in [("b2", "duplicate key value"), ("b3", "cannot affect row a second time")]:
        stage(warehouse, batch_id, {"users": [user(424242), user(424242)]})
        warehouse.execute("UPDATE ops.batches SET status = 'checked'")
        with pytest.raises(GateFailed, match=refused_as) as caught:
            publish(warehouse, batch_id, WAREHOUSE)
        assert "424242" not in "".join(format_exception(caught.value))
        # With a row live already, rows are compared with it.
        warehouse.execute("INSERT INTO dwh.users (user_id, level, last_seen_at) VALUES (7, 'free', now()) ON CONFLICT DO NOTHING")
    assert published(warehouse) == {}


def test_row_count_is_taken_anew_where_the_books_are_lost(warehouse: Connection) -> None:
    load(warehouse, "b1", {"users": [user(1), user(2), user(3)]})
    warehouse.execute("DELETE FROM ops.published")
    changes = load(warehouse, "b2", {"users": [user(3), user(4)]})
    assert changes["users"] == TableChange(3, 4, 1, 0, 0)


def test_bookmarks_move_on_without_rows_and_other_tables_keep_theirs(warehouse: Connection) -> None:
    load(warehouse, "b1", {"users": [user()], "songs": [song()], "artists": [artist()]})
    base = published(warehouse)
    begin_batch(warehouse, "b2")
    fill(warehouse, {"files": [file(lines=0, accepted=0)]})
    finish_staging(warehouse, "b2", base, {"users": Position("table-of-users", 5), "files": Position("f", 0)}, {"files": 1})
    check(warehouse, "b2", GATE)
    publish(warehouse, "b2", WAREHOUSE)
    assert published(warehouse) == base | {"users": Position("table-of-users", 5), "files": Position("f", 0)}
    assert row_counts(warehouse) == {"users": 1, "songs": 1, "artists": 1, "files": 1}
    last = warehouse.execute("SELECT table_name, batch_id FROM ops.published ORDER BY 1").fetchall()
    assert last == [("artists", "b1"), ("files", "b2"), ("songs", "b1"), ("users", "b2")]


def test_ids_are_ordered_as_bytes_and_texts_survive(warehouse: Connection) -> None:
    odd = ["Ærø — “x”", "tab\tline\nend", "\\N", "", "%s {0}", "日本"]
    plays = [play(number, location=text, session_id=number * 7) for number, text in enumerate(odd)]
    load(warehouse, "b1", batch(*plays))
    rows = warehouse.execute("SELECT songplay_id, location FROM dwh.songplays ORDER BY songplay_id").fetchall()
    assert rows == sorted((each["songplay_id"], each["location"]) for each in plays)
