"""Connecting: the address in all its forms, and two sentences for every way it can fail."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from spark_jobs.errors import BadUsage, ServiceUnreachable
from spark_jobs.warehouse import connection as module
from spark_jobs.warehouse import embedded
from spark_jobs.warehouse.batches import published
from spark_jobs.warehouse.connection import Connection, connect, describe, jdbc_options, session_name
from tests.scratch import free_port, scratch_server

SECRET = "p@ss/w%rd?#:"


def address(url: str, **changes: str | int | None) -> str:
    """The same address with other parts."""
    parts = urlsplit(url)
    values = {
        "user": parts.username,
        "password": parts.password,
        "host": parts.hostname,
        "port": parts.port,
        "path": parts.path,
        "query": parts.query,
    } | changes
    login = str(values["user"]) + (f":{values['password']}" if values["password"] is not None else "")
    return parts._replace(
        netloc=f"{login}@{values['host']}:{values['port']}", path=str(values["path"]), query=str(values["query"] or "")
    ).geturl()


def refusal(url: str) -> ServiceUnreachable:
    """Try to connect and give the error, which must come soon and hold no password."""
    began = time.monotonic()
    with pytest.raises(ServiceUnreachable) as caught:
        connect(url, application_name="test")
    assert time.monotonic() - began < 60
    assert str(urlsplit(url).password) not in str(caught.value)
    assert caught.value.exit_code == 5
    assert caught.value.__cause__ is None
    return caught.value


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_session_speaks_utc_commits_by_itself_and_has_a_name(warehouse_url: str) -> None:
    with connect(warehouse_url, application_name=session_name("run")) as connection:
        assert connection.autocommit
        row = connection.execute("SELECT current_setting('TimeZone'), current_setting('application_name')").fetchone()
        assert row == ("UTC", session_name("run"))


def test_session_name_fits_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session_name("run").startswith("songlake run pid=")
    monkeypatch.setattr(module.socket, "gethostname", lambda: "é" * 80)
    assert len(session_name("run").encode()) <= 63


def test_password_with_special_characters_logs_in(postgres_server: str, warehouse_url: str) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE special LOGIN PASSWORD {}").format(SECRET))
        try:
            closed = address(postgres_server, user="special", password=quote(SECRET, safe=""))
            assert refusal(closed).what.endswith("does not let this user into the database.")
            url = urlsplit(closed)._replace(path=urlsplit(warehouse_url).path).geturl()
            connect(url, application_name="test").close()
            assert jdbc_options(url)["password"] == SECRET
        finally:
            admin.execute("DROP ROLE special")


@pytest.mark.parametrize(
    ("changes", "what", "fix"),
    [
        ({"password": "wrong-secret"}, "refuses the login", "user and password"),
        ({"user": "nobody_here"}, "refuses the login", "user and password"),
        ({"password": None}, "refuses the login", "user and password"),
        ({"path": "/no_such_database"}, "has no such database", "Create it"),
        ({"port": "free"}, "is not running there", "Start it"),
        ({"host": "no-such-host.invalid"}, "cannot be found by that name", "Correct the host"),
        ({"query": "sslmode=require"}, "cannot agree on encryption", "sslmode"),
        ({"query": "options=-cno_such_setting%3D1"}, "cannot be used: .*no_such_setting", "Mend that"),
    ],
)
def test_refusal_says_what_is_wrong_and_what_to_do(warehouse_url: str, changes: dict[str, str | None], what: str, fix: str) -> None:
    changes = {name: str(free_port()) if value == "free" else value for name, value in changes.items()}
    url = address(warehouse_url, **changes)
    error = refusal(url)
    assert describe(url) in error.what
    assert re.search(what, error.what)
    assert fix in error.fix


def test_server_that_says_nothing_is_given_up(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_SECONDS", 2)
    with silent_port() as port:
        assert "does not answer" in refusal(address(warehouse_url, host="127.0.0.1", port=port)).what


def test_full_server_says_so(postgres_server: str, warehouse_url: str) -> None:
    name = sql.Identifier(urlsplit(warehouse_url).path[1:])
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE ROLE crowded LOGIN PASSWORD 'crowd-secret' CONNECTION LIMIT 0")
        try:
            assert "no connection left" in refusal(address(warehouse_url, user="crowded", password="crowd-secret")).what
            admin.execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(name))
            admin.execute("ALTER ROLE crowded CONNECTION LIMIT -1")
            assert "no connection left" in refusal(address(warehouse_url, user="crowded", password="crowd-secret")).what
        finally:
            admin.execute("DROP ROLE crowded")


@pytest.mark.parametrize(("hot", "told"), [("on", "is a standby and takes no writes."), ("off", "is starting, stopping or a standby.")])
def test_standby_is_refused(hot: str, told: str) -> None:
    with scratch_server() as (home, url):
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET wal_level = replica")
            admin.execute(sql.SQL("ALTER SYSTEM SET hot_standby = {}").format(sql.Identifier(hot)))
        # Stopped once with that setting, its log has what a standby needs.
        for _ in range(2):
            embedded.stop(home)
            embedded.start(home)
        embedded.stop(home)
        sign, owner = home / "data" / "standby.signal", (home / "data").stat()
        sign.touch()
        os.chown(sign, owner.st_uid, owner.st_gid)
        with suppress(ServiceUnreachable):
            embedded.start(home)
        assert told in refusal(url).what


def test_read_only_database_is_refused(postgres_server: str, warehouse_url: str) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(urlsplit(warehouse_url).path[1:]))
        )
    assert "is set to read-only" in refusal(warehouse_url).what


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:top-secret@h:port/d",
        "postgresql://u:top-secret@h/d?no_such=1",
        "mysql://u:top-secret@h/d",
        "top-secret",
        "host=h password=top-secret",
        "",
    ],
)
def test_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    for use in (lambda: connect(url, application_name="test"), lambda: jdbc_options(url), lambda: describe(url)):
        with pytest.raises(BadUsage, match="WAREHOUSE_URL") as caught:
            use()
        assert "top-secret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_address_is_described_without_password() -> None:
    assert describe("postgresql://me:top%20secret@db.example:6543/ware%20house?sslmode=require") == "me@db.example:6543/ware house"
    assert describe("postgresql+psycopg://me:x@[::1]/d") == "me@[::1]:5432/d"
    assert describe("postgres://me@a,b:6543/d") == "me@a:5432,b:6543/d"
    assert describe("postgresql://me@h") == "me@h:5432/me"


def test_jdbc_gets_the_same_address_with_the_password_apart() -> None:
    url = "postgresql://m%40e:p%2Fw%25@db.example:6543/ware%20house?sslmode=verify-full&sslrootcert=%2Fa%20b.crt&connect_timeout=99&application_name=x"
    options = jdbc_options(url, application_name="songlake jdbc pid=1")
    parts = urlsplit(options["url"].removeprefix("jdbc:"))
    assert (parts.hostname, parts.port, parts.path) == ("db.example", 6543, "/ware%20house")
    assert parse_qs(parts.query) == {
        "reWriteBatchedInserts": ["true"],
        "ApplicationName": ["songlake jdbc pid=1"],
        "connectTimeout": ["5"],
        "socketTimeout": ["120"],
        "options": ["-c search_path=pg_catalog -c lock_timeout=30s"],
        "logServerErrorDetail": ["false"],
        "sslmode": ["verify-full"],
        "sslrootcert": ["/a b.crt"],
    }
    assert "+" not in parts.query
    assert options | {"url": ""} == {"url": "", "user": "m@e", "password": "p/w%", "driver": "org.postgresql.Driver"}


def test_jdbc_knows_several_hosts_ipv6_and_which_one_writes() -> None:
    options = jdbc_options("postgresql://me:x@[::1]:5433,b/d?target_session_attrs=read-write")
    assert options["url"].startswith("jdbc:postgresql://[::1]:5433,b:5432/d?")
    assert "targetServerType=primary" in options["url"]


def test_jdbc_takes_the_password_from_the_environment_where_the_address_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "from-environment")
    assert jdbc_options("postgresql://me@h/d")["password"] == "from-environment"


@pytest.mark.parametrize("url", ["postgresql:///d", "postgresql://me@/d?host=/var/run/postgresql"])
def test_jdbc_refuses_an_address_without_tcp(url: str) -> None:
    with pytest.raises(BadUsage, match="names no host"):
        jdbc_options(url)


def test_connection_lost_at_work_is_told(warehouse: Connection, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [warehouse.info.backend_pid])
    with pytest.raises(ServiceUnreachable, match=r"PostgreSQL at \S+@\S+ stopped the work: .*terminat"):
        published(warehouse)
    with pytest.raises(ServiceUnreachable, match="stopped the work: the connection is closed"):
        published(warehouse)


def test_warehouse_that_was_never_set_up_is_told(warehouse_url: str) -> None:
    with connect(warehouse_url, application_name="test") as connection, pytest.raises(Exception, match="was not set up as a warehouse"):
        published(connection)
