"""Analysts while batches go live: what they see is always some batch whole, nothing fails, nobody waits two seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from spark_jobs.contracts import STAR
from spark_jobs.errors import LockHeld
from spark_jobs.warehouse import publish as module
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.schema import ensure
from tests.postgres.staging import batch, contents, gone, load, play
from tests.scratch import wait_until

BATCHES = 10
PATIENCE = "SET lock_timeout = '2s'; SET TimeZone = 'UTC'"
State = dict[str, list[tuple[Any, ...]]]


def delivery(number: int) -> dict[str, Any]:
    """A batch that adds plays, changes every play's level, and from the second on takes the first play away and brings it back."""
    level = "paid" if number % 2 else "free"
    rows = batch(*(play(minute, minute % 3, level=level) for minute in range(number, 30 + number)))
    return rows | {"songplays": [gone(songplay_id=play(0, 0)["songplay_id"]), *rows["songplays"][1:]]} if number % 2 else rows


def snapshot(connection: psycopg.Connection[Any]) -> State:
    """Read all of dwh as one query tool would: several statements, one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        everything = contents(connection)
    return {table.name: everything[table.name] for table in STAR}


class Analysts:
    """Threads that work on dwh until they are told to stop, and what went wrong for them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.over = threading.Event()
        self.problems: list[BaseException] = []
        self.turns = 0
        self._threads: list[threading.Thread] = []

    def work(self, turn: Callable[[psycopg.Connection[Any]], object]) -> None:
        """Let one more analyst do the same again and again."""
        thread = threading.Thread(target=self._work, args=[turn])
        thread.start()
        self._threads.append(thread)

    def _work(self, turn: Callable[[psycopg.Connection[Any]], object]) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(PATIENCE)
                while not self.over.is_set():
                    turn(connection)
                    self.turns += 1
        except BaseException as problem:
            self.problems.append(problem)

    def stop(self) -> None:
        """End all of them."""
        self.over.set()
        for thread in self._threads:
            thread.join()


def test_analysts_see_whole_batches_and_never_an_error_while_ten_go_live(own_warehouse: Connection, own_url: str) -> None:
    states, seen = [snapshot(own_warehouse)], []
    analysts = Analysts(own_url)
    own_warehouse.execute("CREATE SCHEMA mine")
    analysts.work(lambda connection: seen.append(snapshot(connection)))
    analysts.work(
        lambda connection: connection.execute(
            "CREATE OR REPLACE VIEW mine.top AS SELECT song_title, count(*) AS plays FROM dwh.songplays GROUP BY 1; SELECT * FROM mine.top"
        )
    )
    analysts.work(lambda connection: connection.execute("CREATE TEMPORARY TABLE copy AS SELECT * FROM dwh.user_levels; DROP TABLE copy"))
    with psycopg.connect(own_url) as patient:
        patient.isolation_level = IsolationLevel.REPEATABLE_READ
        patient.execute(PATIENCE)
        assert contents(patient)["songplays"] == []
        try:
            assert wait_until(lambda: seen, 60), analysts.problems
            for number in range(BATCHES):
                load(own_warehouse, f"b{number}", delivery(number))
                states.append(snapshot(own_warehouse))
                assert not any(contents(patient).values())
            assert wait_until(lambda: seen[-1] == states[-1] and analysts.turns > BATCHES, 60), analysts.problems
        finally:
            analysts.stop()
    assert analysts.problems == []
    places = [states.index(state) for state in seen]
    assert places == sorted(places)
    assert {0, BATCHES} <= set(places)


@pytest.mark.parametrize("history", [0, 1], ids=["first load", "second load"])
def test_nobody_waits_for_a_batch_that_is_being_published(
    own_warehouse: Connection, own_url: str, monkeypatch: pytest.MonkeyPatch, history: int
) -> None:
    for number in range(history):
        load(own_warehouse, f"b{number}", delivery(number))
    before, seen = snapshot(own_warehouse), []

    def look(place: str) -> None:
        if place == "publish":
            with psycopg.connect(own_url, autocommit=True) as reader:
                reader.execute("SET lock_timeout = '100ms'; SET TimeZone = 'UTC'")
                seen.append(snapshot(reader))

    monkeypatch.setattr(module, "pause_at", look)
    load(own_warehouse, "last", delivery(history))
    assert seen == [before]


def test_nobody_waits_long_for_an_upgrade_that_waits_for_an_analyst(own_warehouse: Connection, own_url: str) -> None:
    own_warehouse.execute("UPDATE ops.schema_version SET version = 0")
    results: list[object] = []

    def upgrade() -> None:
        try:
            with connect(own_url, application_name="upgrade") as connection:
                results.append(ensure(connection))
        except LockHeld as held:
            results.append(held.what)

    with connect(own_url, application_name="long report") as analyst, analyst.transaction():
        analyst.execute("SELECT * FROM dwh.user_levels")
        waiting = threading.Thread(target=upgrade)
        waiting.start()
        with psycopg.connect(own_url, autocommit=True) as reader:
            reader.execute("SET lock_timeout = '2s'")
            while waiting.is_alive():
                reader.execute("SELECT count(*) FROM dwh.user_levels")
        waiting.join()
    (told,) = results
    assert "long report" in str(told)
    assert ensure(own_warehouse) == []
