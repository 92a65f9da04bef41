"""The schema: it agrees with the contracts, is made once and upgraded."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

from spark_jobs.contracts import DELETED, FILES, STAGED, STAR, Column, Table
from spark_jobs.errors import BadUsage, LockHeld, ServiceUnreachable
from spark_jobs.warehouse import schema
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.contracts import MARTS, MODEL_RUNS, OPS, RECOMMENDATIONS
from spark_jobs.warehouse.schema import VERSION, ensure
from spark_jobs.warehouse.views import views
from tests.postgres.logins import at, login, user_of
from tests.postgres.staging import batch, load, play
from tests.scratch import scratch_database

DECLARED: dict[tuple[str, str], tuple[Table, tuple[Column, ...]]] = {
    **{("dwh", table.name): (table, table.warehouse_columns) for table in (*STAR, *MARTS, RECOMMENDATIONS)},
    **{("ops", table.name): (table, table.warehouse_columns) for table in (FILES, *OPS, MODEL_RUNS)},
    **{
        ("staging", table.name): (table, (DELETED, *(Column(c.name, c.type, c.about, True, c.collation) for c in table.warehouse_columns)))
        for table in STAGED
    },
    ("staging", RECOMMENDATIONS.name): (RECOMMENDATIONS, tuple(Column(c.name, c.type, c.about) for c in RECOMMENDATIONS.columns)),
}


def test_tables_are_those_of_the_contracts(warehouse: Connection) -> None:
    found = warehouse.execute(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('dwh', 'staging', 'ops') AND table_type = 'BASE TABLE'"
    ).fetchall()
    assert set(found) == set(DECLARED)


def test_columns_agree_with_the_contracts(warehouse: Connection) -> None:
    found = warehouse.execute(
        "SELECT table_schema, table_name, column_name, CASE data_type WHEN 'ARRAY' THEN ltrim(udt_name, '_') || '[]' ELSE data_type END,"
        " is_nullable, collation_name FROM information_schema.columns"
        " WHERE table_schema IN ('dwh', 'staging', 'ops') AND table_name <> ALL(%s)"
        " ORDER BY table_schema, table_name, ordinal_position",
        [[view.name for view in views()]],
    ).fetchall()
    assert found == [
        (*name, column.name, column.type.value, "YES" if column.nullable else "NO", column.collation)
        for name, (_, columns) in sorted(DECLARED.items())
        for column in columns
    ]


def test_keys_agree_with_the_contracts_and_staging_has_no_index(warehouse: Connection) -> None:
    rows = warehouse.execute(
        "SELECT nspname, relname, array_agg(attname::text ORDER BY array_position(indkey::int2[], attnum))"
        " FROM pg_index JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON n.oid = relnamespace"
        " JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
        " WHERE nspname = 'staging' OR (nspname IN ('dwh', 'ops') AND indisprimary) GROUP BY 1, 2"
    ).fetchall()
    assert {(str(schema_name), str(name)): key for schema_name, name, key in rows} == {
        name: list(table.key) for name, (table, _) in DECLARED.items() if name[0] != "staging"
    }


def test_staging_alone_is_unlogged(warehouse: Connection) -> None:
    rows = warehouse.execute(
        "SELECT DISTINCT nspname, relpersistence FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind = 'r' AND nspname IN ('dwh', 'staging', 'ops') ORDER BY nspname"
    ).fetchall()
    assert rows == [("dwh", "p"), ("ops", "p"), ("staging", "u")]


def test_sentences_of_the_contracts_stand_in_postgresql(warehouse: Connection) -> None:
    for name, (table, columns) in DECLARED.items():
        rows = warehouse.execute(
            "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0",
            [".".join(name)],
        ).fetchall()
        assert dict(rows) == {column.name: column.about for column in columns}
        assert warehouse.execute("SELECT obj_description(to_regclass(%s))", [".".join(name)]).fetchone() == (
            f"{table.about} Grain: {table.grain}.",
        )


def test_statuses_and_severities_are_closed_lists(warehouse: Connection) -> None:
    with pytest.raises(errors.CheckViolation):
        warehouse.execute("INSERT INTO ops.batches VALUES ('b', 'begun', now(), now(), NULL, NULL, '{}', '{}', '{}')")
    with pytest.raises(errors.CheckViolation):
        warehouse.execute("INSERT INTO ops.check_results VALUES ('b', 'c', 'info', true, 0, NULL, now())")


def test_only_one_batch_stands_in_staging_and_one_version_counts(warehouse: Connection) -> None:
    warehouse.execute("INSERT INTO ops.staged VALUES ('a', now())")
    with pytest.raises(errors.UniqueViolation):
        warehouse.execute("INSERT INTO ops.staged VALUES ('b', now())")
    with pytest.raises(errors.UniqueViolation):
        warehouse.execute("INSERT INTO ops.schema_version VALUES (99)")


def test_user_levels_are_the_runs_of_equal_levels_in_order_of_play(warehouse: Connection) -> None:
    plays = [
        play(1),
        play(2),
        play(3, level="paid", session_id=2),
        play(3, level="free", session_id=2, item_in_session=1),
        play(4, level="free"),
        play(5, level="paid"),
        play(2, user_id=8, level="paid"),
    ]
    load(warehouse, "b1", batch(*plays))
    rows = warehouse.execute(
        "SELECT user_id, level, extract(minute FROM valid_from)::int, extract(minute FROM valid_to)::int FROM dwh.user_levels"
        " ORDER BY user_id, valid_from, valid_to"
    ).fetchall()
    assert rows == [(7, "free", 1, 3), (7, "paid", 3, 3), (7, "free", 3, 5), (7, "paid", 5, None), (8, "paid", 2, None)]


def test_second_ensure_runs_one_query_and_no_ddl(own_warehouse: Connection) -> None:
    own_warehouse.execute("DROP VIEW dwh.user_levels")
    assert ensure(own_warehouse) == []
    assert own_warehouse.execute("SELECT to_regclass('dwh.user_levels')").fetchone() == (None,)


def test_older_warehouse_is_upgraded_and_keeps_its_rows(own_warehouse: Connection) -> None:
    load(own_warehouse, "b1", batch(play()))
    own_warehouse.execute("UPDATE ops.schema_version SET version = 0")
    own_warehouse.execute("DROP VIEW dwh.user_levels")
    ensure(own_warehouse)
    assert own_warehouse.execute("SELECT level FROM dwh.user_levels").fetchall() == [("free",)]
    assert own_warehouse.execute("SELECT version FROM ops.schema_version").fetchall() == [(VERSION,)]


def test_upgrade_from_version_5_makes_the_views_for_analysts_and_a_users_view_on_one_outlives_the_next(own_warehouse: Connection) -> None:
    load(own_warehouse, "b1", batch(play()))
    for view in views():
        own_warehouse.execute(sql.SQL("DROP VIEW IF EXISTS dwh.{} CASCADE").format(sql.Identifier(view.name)))
    own_warehouse.execute("DROP TABLE dwh.kept_play_runs, dwh.kept_song_months; DROP FUNCTION dwh.play_runs_between")
    own_warehouse.execute(
        "CREATE VIEW dwh.user_levels AS SELECT user_id, level, start_time AS valid_from, NULL::timestamptz AS valid_to FROM dwh.songplays"
    )
    own_warehouse.execute("UPDATE ops.schema_version SET version = 5")
    ensure(own_warehouse)
    own_warehouse.execute("CREATE SCHEMA mine; CREATE VIEW mine.long AS SELECT user_id, seconds FROM dwh.sessions")
    own_warehouse.execute("UPDATE ops.schema_version SET version = 5")
    ensure(own_warehouse)
    assert own_warehouse.execute("SELECT * FROM mine.long").fetchall() == [(7, 200.5)]


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_upgrade_names_what_has_the_name_of_a_new_view_and_changes_nothing(own_warehouse: Connection, kind: str) -> None:
    own_warehouse.execute(f"DROP VIEW dwh.retention; CREATE {kind} dwh.retention AS SELECT 1 AS mine")
    own_warehouse.execute("UPDATE ops.schema_version SET version = 5")
    with pytest.raises(BadUsage, match=r"dwh\.retention cannot be made.*RENAME TO"):
        ensure(own_warehouse)
    assert own_warehouse.execute("SELECT mine, (SELECT version FROM ops.schema_version) FROM dwh.retention").fetchall() == [(1, 5)]
    own_warehouse.execute(f"ALTER {kind} dwh.retention RENAME TO mine")
    assert ensure(own_warehouse) == []


def test_newer_warehouse_is_not_touched(own_warehouse: Connection) -> None:
    own_warehouse.execute("UPDATE ops.schema_version SET version = %s", [VERSION + 1])
    own_warehouse.execute("DROP VIEW dwh.user_levels")
    with pytest.raises(BadUsage, match=rf"schema version {VERSION + 1}.*Upgrade Songlake"):
        ensure(own_warehouse)
    assert own_warehouse.execute("SELECT to_regclass('dwh.user_levels'), (SELECT version FROM ops.schema_version)").fetchone() == (
        None,
        VERSION + 1,
    )


def test_interrupted_creation_leaves_nothing(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_comments", lambda: sql.SQL("SELECT 1/0"))
    with connect(warehouse_url, application_name="test") as connection:
        with pytest.raises(errors.DivisionByZero):
            ensure(connection)
        assert connection.execute("SELECT to_regnamespace('dwh')").fetchone() == (None,)


def test_many_creators_at_once_make_one_schema(postgres_server: str, warehouse_url: str) -> None:
    problems: list[BaseException] = []

    def create(url: str) -> None:
        try:
            with connect(url, application_name="test") as connection:
                assert ensure(connection) == []
        except BaseException as problem:
            problems.append(problem)

    with scratch_database(postgres_server) as other:
        threads = [threading.Thread(target=create, args=[url]) for url in (warehouse_url, other) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []


def test_roles_are_made_once_by_creators_in_two_databases(postgres_server: str, warehouse_url: str) -> None:
    script = sql.SQL(schema._ROLES.read_text().replace("songlake_", "raced_for_"))
    problems: list[BaseException] = []
    gate = threading.Barrier(6)

    def create(url: str) -> None:
        try:
            with psycopg.connect(url, autocommit=True) as connection, connection.transaction():
                gate.wait()
                connection.execute(script)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=create, args=[url]) for url in (warehouse_url, postgres_server) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP ROLE raced_for_reader, raced_for_writer")
    assert problems == []


def test_upgrade_names_who_holds_a_table(own_url: str, own_warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_LOCK_WAIT_SECONDS", 0.2)
    own_warehouse.execute("UPDATE ops.schema_version SET version = 0")
    with connect(own_url, application_name="someone's vacuum") as other, other.transaction():
        other.execute("LOCK TABLE dwh.songs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockHeld, match=r"someone's vacuum \(session \d+ of .*\) on dwh.songs"):
            ensure(own_warehouse)
    ensure(own_warehouse)


def test_owner_without_createrole_gets_everything_else_and_a_note(
    postgres_server: str, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The roles exist in this cluster already, so ask for others.
    roles = tmp_path / "60_roles.sql"
    roles.write_text(schema._ROLES.read_text().replace("songlake_", "nobody_has_"))
    monkeypatch.setattr(schema, "_ROLES", roles)
    with login(postgres_server) as owner:
        with psycopg.connect(warehouse_url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(urlsplit(warehouse_url).path[1:]), user_of(owner))
            )
        with connect(at(owner, warehouse_url), application_name="test") as connection:
            (note,) = ensure(connection)
            assert "an administrator can: `psql" in note
            assert "--file=sql/ddl/60_roles.sql --file=sql/ddl/70_grants.sql`" in note
            load(connection, "b1", batch(play()))
            assert ensure(connection) == []
        with psycopg.connect(warehouse_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP OWNED BY {}").format(user_of(owner)))


def test_user_who_may_create_nothing_is_told_so(postgres_server: str, warehouse_url: str) -> None:
    with (
        login(postgres_server) as nobody,
        connect(at(nobody, warehouse_url), application_name="test") as connection,
        pytest.raises(ServiceUnreachable, match=r"permission denied for database .* owner of the database"),
    ):
        ensure(connection)


_A_YEAR_OF_PLAYS = """
INSERT INTO dwh.songplays (songplay_id, start_time, user_id, level, session_id, item_in_session, song_title, artist_name)
SELECT n::text, timestamptz '2018-01-01 UTC' + n * interval '10 min', 1, 'free', 1, 0, 'Setanta matins', 'Elena'
FROM generate_series(1, 50000) AS n
"""


def test_a_months_plays_are_found_without_reading_the_year(warehouse: Connection) -> None:
    warehouse.execute(_A_YEAR_OF_PLAYS)
    warehouse.execute("SELECT brin_summarize_new_values('dwh.songplays_start_time')")
    warehouse.execute("ANALYZE dwh.songplays")
    month = "SELECT count(*) FROM dwh.songplays WHERE start_time >= '2018-06-01 UTC' AND start_time < '2018-07-01 UTC'"
    told = warehouse.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT json) {month}").fetchone()
    plan = told[0][0]["Plan"]
    pages = warehouse.execute("SELECT pg_relation_size('dwh.songplays') / 8192").fetchone()
    assert warehouse.execute(month).fetchone() == (4320,)
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < pages[0] / 2
