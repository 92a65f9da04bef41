"""Publishing while others read, lock, publish too, or kill: all or nothing, and who blocks is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from spark_jobs.errors import InputMissing, LockHeld
from spark_jobs.settings import Warehouse
from spark_jobs.warehouse import publish as module
from spark_jobs.warehouse.batches import published
from spark_jobs.warehouse.check import check
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.publish import TableChange, publish
from tests.postgres.staging import GATE, WAREHOUSE, batch, contents, load, play, stage, user

PUBLISH = """
import os, sys
from spark_jobs.settings import Warehouse
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.publish import publish
publish(connect(os.environ["WAREHOUSE_URL"], application_name="publisher"), sys.argv[1], Warehouse())
"""


def test_of_two_publishers_at_once_one_waits_and_finds_it_done(warehouse: Connection, url: str) -> None:
    stage(warehouse, "b1", batch(play()))
    check(warehouse, "b1", GATE)
    results: list[object] = []

    def run() -> None:
        with connect(url, application_name="publisher") as connection:
            # With the patience of the settings: how long two others take is not what is tested.
            results.append(publish(connection, "b1", Warehouse()))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert results[0] == results[1] == results[2]
    assert warehouse.execute("SELECT count(*) FROM dwh.songplays").fetchone() == (1,)


def test_rows_lost_from_staging_after_the_check_are_noticed(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play()))
    check(warehouse, "b1", GATE)
    warehouse.execute("TRUNCATE staging.songplays, staging.users")
    with pytest.raises(InputMissing, match="no longer holds all rows of batch b1"):
        publish(warehouse, "b1", WAREHOUSE)
    assert published(warehouse) == {}


def test_locked_table_is_waited_for_and_the_holder_named(warehouse: Connection, url: str) -> None:
    stage(warehouse, "b1", batch(play()))
    check(warehouse, "b1", GATE)
    with connect(url, application_name="pgAdmin of Ann") as other, other.transaction():
        holder = f"pgAdmin of Ann (session {other.info.backend_pid} of {other.info.user}, from 127.0.0.1, since 20"
        other.execute("LOCK TABLE dwh.users IN SHARE MODE")
        with pytest.raises(LockHeld) as caught:
            publish(warehouse, "b1", WAREHOUSE)
    assert holder in caught.value.what
    assert caught.value.what.endswith("UTC) on dwh.users.")
    assert contents(warehouse)["artists"] == []
    assert publish(warehouse, "b1", WAREHOUSE)["users"].inserted == 1


def test_locked_row_is_told_too_and_readers_are_not(warehouse: Connection, url: str) -> None:
    load(warehouse, "b1", batch(play()))
    stage(warehouse, "b2", {"users": [user(level="paid")]})
    check(warehouse, "b2", GATE)
    with (
        connect(url, application_name="reader") as reader,
        connect(url, application_name="editor") as editor,
        reader.transaction(),
        editor.transaction(),
    ):
        reader.execute("SELECT * FROM dwh.users")
        editor.execute("UPDATE dwh.users SET first_name = 'X'")
        with pytest.raises(LockHeld, match="locked by editor") as caught:
            publish(warehouse, "b2", WAREHOUSE)
        assert "reader" not in caught.value.what


def test_readers_see_the_old_rows_until_all_new_ones_are_there(warehouse: Connection, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load(warehouse, "b1", batch(play()))
    before = contents(warehouse)
    seen = []

    def look(place: str) -> None:
        with connect(url, application_name="reader") as reader:
            seen.append((place, contents(reader), published(reader)))

    monkeypatch.setattr(module, "pause_at", look)
    books = published(warehouse)
    load(warehouse, "b2", batch(play(level="paid"), play(1, user_id=9)))
    after = contents(warehouse)
    assert after != before
    assert seen == [("publish", before, books), ("published", after, published(warehouse))]


def test_publisher_killed_before_its_commit_leaves_everything_as_it_was(warehouse: Connection, url: str) -> None:
    load(warehouse, "b1", batch(play()))
    before = contents(warehouse)
    stage(warehouse, "b2", batch(play(level="paid"), play(1)))
    check(warehouse, "b2", GATE)
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, "b2"],
        env=os.environ | {"WAREHOUSE_URL": url, "SONGLAKE_PAUSE_AT": "publish"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "paused at publish\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert contents(warehouse) == before
    assert publish(warehouse, "b2", WAREHOUSE)["songplays"] == TableChange(1, 2, 1, 1, 0)


def test_lost_connection_in_the_middle_publishes_nothing(warehouse: Connection, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(warehouse, "b1", batch(play()))
    check(warehouse, "b1", GATE)

    def kill(place: str) -> None:
        assert place == "publish"
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [victim.info.backend_pid])

    monkeypatch.setattr(module, "pause_at", kill)
    victim = connect(url, application_name="victim")
    with pytest.raises(Exception, match="stopped the work"):
        publish(victim, "b1", WAREHOUSE)
    assert contents(warehouse)["songplays"] == []
    monkeypatch.undo()
    assert publish(warehouse, "b1", WAREHOUSE)["songplays"].inserted == 1
