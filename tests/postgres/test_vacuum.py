"""After an erasure no dead row and no statistic of PostgreSQL holds what the tables no longer do."""

from __future__ import annotations

from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.vacuum import vacuum
from tests.postgres.staging import batch, contents, gone, load, play, user

MARK = "77777777"
"""A user id, which is in the ids of plays, and the user's name."""


def remembered(connection: Connection) -> set[str]:
    """Name what holds the mark: rows of the pages of a table, dead ones too, and statistics."""
    pages = connection.execute(
        "SELECT oid::regclass::text, page FROM pg_class, generate_series(0, pg_relation_size(oid) / 8192 - 1) AS page"
        " WHERE relkind = 'r' AND relnamespace IN ('dwh'::regnamespace, 'staging'::regnamespace)"
    ).fetchall()
    found = set()
    for name, page in pages:
        rows = connection.execute("SELECT t_data FROM heap_page_items(get_raw_page(%s, %s::bigint))", [name, page]).fetchall()
        if any(MARK.encode() in bytes(data) for (data,) in rows if isinstance(data, bytes)):
            found.add(str(name))
    statistics = connection.execute("SELECT schemaname FROM pg_stats AS s WHERE s::text LIKE %s", [f"%{MARK}%"]).fetchall()
    return found | {f"statistics of {schema}" for (schema,) in statistics}


def load_and_delete_somebody(connection: Connection) -> None:
    plays = [play(minute, int(MARK)) for minute in range(3)]
    load(connection, "b1", batch(*plays, play(9, 8), users=[user(int(MARK), first_name=MARK), user(8)]))
    for schema in ("dwh", "staging"):
        connection.execute(f"INSERT INTO {schema}.recommendations VALUES ({MARK}, 1, '{MARK}', 1, 'als-1-a')")
    load(connection, "b2", {"songplays": [gone(songplay_id=row["songplay_id"]) for row in plays], "users": [gone(user_id=int(MARK))]})


def test_no_dead_row_and_no_statistic_remembers_who_was_deleted(own_warehouse: Connection) -> None:
    own_warehouse.execute("CREATE EXTENSION pageinspect")
    load_and_delete_somebody(own_warehouse)
    assert remembered(own_warehouse) == {
        "dwh.users",
        "dwh.songplays",
        "dwh.recommendations",
        "staging.recommendations",
        "statistics of staging",
    }
    live = contents(own_warehouse)
    assert vacuum(own_warehouse, 1) == []
    assert remembered(own_warehouse) == set()
    assert contents(own_warehouse) == live
    assert own_warehouse.execute("SELECT count(*) FROM staging.users").fetchone() == (0,)


def test_who_does_not_own_the_tables_is_told_what_postgresql_left_undone(own_warehouse: Connection) -> None:
    load_and_delete_somebody(own_warehouse)
    own_warehouse.execute("SET ROLE songlake_writer")
    refusals = vacuum(own_warehouse, 1)
    assert 'permission denied to vacuum "users", skipping it' in refusals
