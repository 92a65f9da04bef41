"""The writer lock: one holder, known by name, gone with its session."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import psycopg
import pytest

from spark_jobs.errors import LockHeld
from spark_jobs.warehouse.batches import begin_batch, finish_staging
from spark_jobs.warehouse.connection import Connection, connect, session_name
from spark_jobs.warehouse.lock import writer_lock
from tests.postgres.test_schema import at, login
from tests.sparkenv import PROJECT


def test_second_writer_is_told_who_holds_the_lock(warehouse: Connection, url: str) -> None:
    with connect(url, application_name="other") as other, writer_lock(other, session_name("run")):
        with pytest.raises(LockHeld) as caught, writer_lock(warehouse, "second"):
            pass
        told = caught.value.what
        assert f"{session_name('run')} (session {other.info.backend_pid} of {other.info.user}, from 127.0.0.1" in told
        assert "connected since 20" in told
        assert caught.value.exit_code == 6
    with writer_lock(warehouse, "second"):
        pass


@pytest.mark.parametrize("command", ["check", "publish"])
def test_command_that_holds_the_lock_is_told_by_its_name(command: str, url: str, warehouse: Connection) -> None:
    begin_batch(warehouse, "b1")
    finish_staging(warehouse, "b1", {}, {}, {})
    with connect(url, application_name="slow") as slow, slow.transaction():
        slow.execute("LOCK TABLE ops.batches")
        held_up = subprocess.Popen(
            [str(PROJECT / "bin" / "songlake"), command], env={**os.environ, "WAREHOUSE_URL": url}, stderr=subprocess.DEVNULL
        )
        waits = "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not (found := warehouse.execute(waits).fetchone()):
            assert held_up.poll() is None
            time.sleep(0.1)
    held_up.wait(60)
    assert str(found[0]).startswith(f"songlake {command} pid={held_up.pid} ")


def test_lock_is_held_without_an_open_transaction(warehouse: Connection) -> None:
    with writer_lock(warehouse, "first"):
        assert warehouse.info.transaction_status.name == "IDLE"


def test_lock_goes_when_the_work_fails(warehouse: Connection, url: str) -> None:
    with pytest.raises(ZeroDivisionError), writer_lock(warehouse, "first"):
        raise ZeroDivisionError
    with connect(url, application_name="other") as other, writer_lock(other, "second"):
        pass


def test_lock_goes_with_a_killed_session_and_the_holder_ends_in_peace(url: str, warehouse: Connection) -> None:
    victim = connect(url, application_name="victim")
    with writer_lock(victim, "victim"):
        warehouse.execute("SELECT pg_terminate_backend(%s, 5000)", [victim.info.backend_pid])
        with writer_lock(warehouse, "second"):
            pass
    assert victim.closed


def test_two_warehouses_have_two_locks(warehouse: Connection, own_warehouse: Connection) -> None:
    with writer_lock(warehouse, "first"), writer_lock(own_warehouse, "second"):
        pass


def test_holder_is_named_to_a_user_with_few_rights(postgres_server: str, url: str, warehouse: Connection) -> None:
    with login(postgres_server, "IN ROLE songlake_writer") as writer, writer_lock(warehouse, "songlake run pid=1 host=x"):
        with (
            connect(at(writer, url), application_name="test") as connection,
            pytest.raises(LockHeld) as caught,
            writer_lock(connection, "second"),
        ):
            pass
        assert f"songlake run pid=1 host=x (session {warehouse.info.backend_pid} of {warehouse.info.user})" in caught.value.what


def test_of_many_writers_at_once_one_gets_in(url: str) -> None:
    start, inside, refused = threading.Barrier(6), [], []

    def write() -> None:
        with connect(url, application_name="writer") as connection:
            start.wait()
            try:
                with writer_lock(connection, "writer"):
                    inside.append(1)
                    start.wait()
            except LockHeld:
                refused.append(1)
                start.wait()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(inside), len(refused)) == (1, 5)


def test_lock_class_cannot_be_taken_for_another_programs(warehouse: Connection, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(1, 1)")
        with writer_lock(warehouse, "first"):
            pass
