"""PostgreSQL that breaks while a batch is loaded: two sentences, readers keep what they had, and the next run makes it right."""

from __future__ import annotations

import contextlib
import copy
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from psycopg import sql
from pyspark.sql import SparkSession

from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.session import start_session
from spark_jobs.star_refresh import refresh_star
from spark_jobs.warehouse import connection as connection_module
from spark_jobs.warehouse import embedded, silence
from spark_jobs.warehouse import publish as publish_module
from spark_jobs.warehouse import stage as stage_module
from tests.scratch import fill, scratch_server, small_disk
from tests.world import DAY, START, World, event, song


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The home of a server that tests may kill."""
    with scratch_server() as (home, _):
        yield home


@pytest.fixture(scope="module")
def waiting(spark: SparkSession, home: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One delivery is live, and a second is in the lake and its star, ready to be loaded; tests load it into copies of the database."""
    world = World(tmp_path_factory.mktemp("waiting"), str(embedded.url(home)))
    world.write("log_data/1.json", [event(item=number) for number in range(5)] + [event(START + DAY, "2", item=6)])
    world.write("song_data/1.json", [song("SO1"), song("SO2", title="Other")])
    world.run()
    world.check()
    world.write("log_data/1.json", [event(item=number, level="paid") for number in range(4)])
    world.write("log_data/2.json", [event(START + DAY, item=7, song="Late")])
    world.write("song_data/2.json", [song("SO3", title="Late")])
    world.deliveries.observe(world.landing)
    ingest(find_files(world.landing), world.lake, start_session)
    refresh_star(world.lake, start_session)
    return world


@pytest.fixture
def world(waiting: World, home: Path) -> World:
    """That, with a database of its own, in a server that runs."""
    server, name = urlsplit(embedded.start(home)), f"copy_{uuid.uuid4().hex[:12]}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(server.path[1:]))
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(create)
    return World(waiting.root, server._replace(path=f"/{name}").geturl(), copy.deepcopy(waiting.deliveries), waiting.clock)


def _at(monkeypatch: pytest.MonkeyPatch, place: str, fault: Callable[[], object]) -> None:
    """Let a fault happen once: before Spark writes to PostgreSQL (`jdbc`), or where `pause_at` names."""
    left = [fault]

    def strike() -> None:
        if left:
            left.pop()()

    if place == "jdbc":
        real = stage_module.jdbc_options
        monkeypatch.setattr(stage_module, "jdbc_options", lambda *a, **k: (strike(), real(*a, **k))[1])
    for module in (stage_module, publish_module):
        monkeypatch.setattr(module, "pause_at", lambda here: strike() if here == place else None)


def _server(home: Path) -> list[psutil.Process]:
    postmaster = psutil.Process(int((home / "data" / "postmaster.pid").read_text().split()[0]))
    return [postmaster, *postmaster.children()]


def _kill(home: Path) -> None:
    processes = _server(home)
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, 60)


def _restart(home: Path) -> None:
    embedded.stop(home)
    embedded.start(home)


def _drop(home: Path, world: World) -> None:
    _as_admin(home, sql.SQL("DROP DATABASE {} WITH (FORCE)"), world)


def _as_admin(home: Path, statement: sql.SQL, world: World) -> None:
    with psycopg.connect(str(embedded.url(home)), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(urlsplit(world.url).path[1:])))


READ_ONLY = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on")
WRITABLE = sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only")

Fault = Callable[[Path, World], object]
FAULTS: dict[str, tuple[str, Fault, Fault, str]] = {
    "server killed while Spark writes": ("jdbc", lambda home, _: _kill(home), lambda *_: None, "failed while"),
    "server killed before the batch is recorded": ("staging", lambda home, _: _kill(home), lambda *_: None, "stopped the work"),
    "server restarted before the batch is recorded": ("staging", lambda home, _: _restart(home), lambda *_: None, "stopped the work"),
    "server killed before publish commits": ("publish", lambda home, _: _kill(home), lambda *_: None, "stopped the work"),
    "read-only while Spark writes": (
        "jdbc",
        lambda home, world: _as_admin(home, READ_ONLY, world),
        lambda home, world: _as_admin(home, WRITABLE, world),
        "failed while",
    ),
    "database dropped while Spark writes": (
        "jdbc",
        _drop,
        lambda home, world: _as_admin(home, sql.SQL("CREATE DATABASE {}"), world),
        "failed while",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_server_that_breaks_is_told_and_the_next_run_makes_it_right(
    world: World, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    place, break_it, mend, told = FAULTS[fault]
    _at(monkeypatch, place, lambda: break_it(home, world))
    code, said = world.attempt(), capsys.readouterr().err
    assert (code, told in said, "Traceback" in said) == (5, True, False), said
    embedded.start(home)
    mend(home, world)
    world.run()
    world.check()


@contextlib.contextmanager
def _all_connections_taken(world: World) -> Iterator[None]:
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(psycopg.connect(world.url))
        yield


@contextlib.contextmanager
def _locked(world: World) -> Iterator[None]:
    with psycopg.connect(world.url, application_name="idle reader") as reader:
        reader.execute("LOCK TABLE staging.users IN SHARE MODE")
        yield


@contextlib.contextmanager
def _silent(home: Path) -> Iterator[None]:
    processes = _server(home)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # a session that ended just now
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@contextlib.contextmanager
def _disk_full(home: Path, world: World) -> Iterator[None]:
    """Put a table of staging on a disk of its own, and fill that."""
    with tempfile.TemporaryDirectory(prefix="songlake-disk-") as name, small_disk(Path(name), 4) as folder:
        os.chown(folder, *(_server(home)[0].uids().real, _server(home)[0].gids().real))
        with psycopg.connect(world.url, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(name)))
            admin.execute("ALTER TABLE staging.users SET TABLESPACE small")
            fill(folder)
            try:
                yield
            finally:
                (folder / "filler").unlink()
                admin.execute("ALTER TABLE staging.users SET TABLESPACE pg_default")
                admin.execute("DROP TABLESPACE small")


LASTING: dict[str, tuple[str, Callable[[Path, World], AbstractContextManager[None]], int, str]] = {
    "disk full while Spark writes": ("jdbc", _disk_full, 5, "failed while users was being staged."),
    "no connection left for Spark": ("jdbc", lambda _, world: _all_connections_taken(world), 5, "failed while"),
    "a table of staging locked by an idle reader": ("jdbc", lambda _, world: _locked(world), 6, "is locked by idle reader"),
    "silent while Spark writes": ("jdbc", lambda home, _: _silent(home), 5, "failed while"),
    "silent while the batch is recorded": ("staging", lambda home, _: _silent(home), 5, "stopped the work"),
}


@pytest.mark.parametrize("fault", LASTING)
def test_server_that_does_not_serve_is_given_up_and_the_next_run_makes_it_right(
    world: World, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    place, broken, wanted, told = LASTING[fault]
    monkeypatch.setattr(connection_module, "LOCK_TIMEOUT_SECONDS", 1)
    if fault.startswith("silent"):
        # Elsewhere a busy machine would be taken for a silent server.
        monkeypatch.setattr(connection_module, "SILENCE_SECONDS", 5)
        monkeypatch.setattr(silence, "LOOK_SECONDS", 0.2)
    with contextlib.ExitStack() as lasting:
        _at(monkeypatch, place, lambda: lasting.enter_context(broken(home, world)))
        code, said = world.attempt(), capsys.readouterr().err
    assert (code, told in said, "Traceback" in said) == (wanted, True, False), said
    monkeypatch.undo()
    world.run()
    world.check()
