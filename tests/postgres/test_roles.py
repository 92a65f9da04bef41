"""The two roles, by trying: what each may do, and that everything else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors, sql

from spark_jobs.contracts import FILES, STAGED, STAR
from spark_jobs.warehouse import embedded, marts
from spark_jobs.warehouse.accept import accept
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.contracts import MODEL_RUNS, OPS, RECOMMENDATIONS
from spark_jobs.warehouse.schema import ensure
from tests.postgres.logins import at, login
from tests.postgres.staging import WAREHOUSE, batch, failing, gate, load, play, stage

NOT_FOR_READERS = [
    *(("staging", table.name) for table in (*STAGED, RECOMMENDATIONS)),
    *(("ops", table.name) for table in (FILES, *OPS, MODEL_RUNS)),
]
SPYING = (
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO '/tmp/out'",
    "COPY dwh.users TO PROGRAM 'cat'",
    "SELECT rolpassword FROM pg_authid",
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "CREATE SCHEMA another",
    "CREATE TABLE public.own (x int)",
    "CREATE FUNCTION public.now() RETURNS int LANGUAGE sql RETURN 1",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET ROLE songlake",
    "LOAD 'auto_explain'",
)


@contextmanager
def logged_in(server: str, url: str, role: str) -> Iterator[psycopg.Connection]:
    """A connection of a login that is a member of the role and of nothing else."""
    with login(server, f"IN ROLE {role}") as member, psycopg.connect(at(member, url), autocommit=True) as connection:
        yield connection


def refused(connection: psycopg.Connection, *statements: str) -> None:
    for statement in statements:
        try:
            connection.execute(statement)
        except errors.InsufficientPrivilege:
            continue
        pytest.fail(f"not refused: {statement}")


def test_reader_reads_dwh_and_what_is_made_there_later(postgres_server: str, own_warehouse: Connection, own_url: str) -> None:
    load(own_warehouse, "b1", batch(play()))
    own_warehouse.execute("CREATE VIEW dwh.made_later AS SELECT count(*) AS plays FROM dwh.songplays")
    own_warehouse.execute("INSERT INTO dwh.recommendations VALUES (7, 1, 'Elena', 0.5, 'als-1-a')")
    with logged_in(postgres_server, own_url, "songlake_reader") as reader:
        for table in (*(table.name for table in (*STAR, RECOMMENDATIONS)), "user_levels", "made_later"):
            assert reader.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("dwh", table))).fetchone() == (1,)
        reader.execute("CREATE TEMPORARY TABLE mine AS SELECT * FROM dwh.users; DROP TABLE mine")
        assert reader.execute("SELECT dwh.folded('A  B'), count(*) FROM dwh.unmatched_plays").fetchone() == ("a b", 1)


def test_reader_writes_nothing_and_sees_neither_staging_nor_books(postgres_server: str, own_warehouse: Connection, own_url: str) -> None:
    load(own_warehouse, "b1", batch(play()))
    with logged_in(postgres_server, own_url, "songlake_reader") as reader:
        refused(reader, *(f"SELECT * FROM {schema}.{table}" for schema, table in NOT_FOR_READERS))
        for table in STAR:
            refused(reader, f"DELETE FROM dwh.{table.name}", f"TRUNCATE dwh.{table.name}", f"DROP TABLE dwh.{table.name}")
            refused(reader, f"INSERT INTO dwh.{table.name} SELECT * FROM dwh.{table.name}")
            refused(reader, f"BEGIN; LOCK dwh.{table.name} IN EXCLUSIVE MODE")
            reader.rollback()
        refused(reader, "UPDATE dwh.users SET level = 'paid'", "CREATE TABLE dwh.own (x int)", *SPYING)
        assert reader.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%dwh%' AND pid <> pg_backend_pid()").fetchone() == (
            0,
        )


def test_writer_does_all_that_the_jobs_do(postgres_server: str, own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "KEPT_FROM", 1)
    with login(postgres_server, "IN ROLE songlake_writer") as member, connect(at(member, own_url), application_name="test") as writer:
        assert ensure(writer) == []
        load(writer, "b1", batch(play()))
        assert load(writer, "b2", batch(play(level="paid"), files=[]))["songplays"].updated == 1
        stage(writer, "b3", batch(play(level="gold")))
        assert list(failing(gate(writer, "b3"))) == ["levels_known"]
        overruled = accept(writer, "b3", reason="it is a new level", checks=[], by="test", warehouse=WAREHOUSE)
        assert overruled["songplays"].updated == 1


def test_writer_changes_neither_schema_nor_roles(postgres_server: str, own_warehouse: Connection, own_url: str) -> None:
    load(own_warehouse, "b1", batch(play()))
    with logged_in(postgres_server, own_url, "songlake_writer") as writer:
        for table in STAR:
            refused(writer, f"DROP TABLE dwh.{table.name}", f"TRUNCATE dwh.{table.name}", f"ALTER TABLE dwh.{table.name} ADD COLUMN x int")
            writer.execute(f"GRANT SELECT ON dwh.{table.name} TO PUBLIC")  # PostgreSQL only warns; that nothing is granted is seen below
        refused(writer, "UPDATE ops.schema_version SET version = 9", "GRANT songlake_reader TO songlake_writer", *SPYING)
    granted = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_schema = 'dwh' AND grantee = 'PUBLIC'"
    assert own_warehouse.execute(granted).fetchone() == (0,)


def test_neither_role_enters_another_database_of_the_embedded_server(
    postgres_server: str, own_url: str, request: pytest.FixtureRequest
) -> None:
    others = [at(postgres_server, f"postgresql://h/{name}") for name in ("postgres", "template1", embedded.DATABASE)]
    with psycopg.connect(postgres_server) as admin:
        if admin.execute("SELECT current_user").fetchone() != (embedded.USER,):
            pytest.skip("this is not the embedded server, whose databases are closed to PUBLIC")
    for role in ("songlake_reader", "songlake_writer"):
        with login(postgres_server, f"IN ROLE {role}") as member:
            psycopg.connect(at(member, own_url)).close()
            for other in others:
                with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                    psycopg.connect(at(member, other))


def test_a_function_of_somebody_is_not_called_in_place_of_postgresqls_own(own_warehouse: Connection, own_url: str) -> None:
    # A better fit than PostgreSQL's own to_regclass(text), were it ever looked at.
    own_warehouse.execute("CREATE FUNCTION public.to_regclass(unknown_name varchar) RETURNS text LANGUAGE sql RETURN 'stolen'")
    with psycopg.connect(own_url) as plain:
        assert plain.execute("SELECT to_regclass('dwh.users'::varchar)").fetchone() == ("stolen",)
    with connect(own_url, application_name="test") as connection:
        assert connection.execute("SELECT to_regclass('dwh.users'::varchar)::text").fetchone() == ("dwh.users",)
