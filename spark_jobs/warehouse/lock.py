"""One writer at a time: a session advisory lock, one for each warehouse database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from spark_jobs.errors import LockHeld
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.statements import SQL, read

LOCK_CLASS = 0x534F4E47
"""First number of Songlake's advisory locks: "SONG"."""
WRITER = 1
SCHEMA = 2


@contextmanager
def writer_lock(connection: Connection, owner: str) -> Iterator[None]:
    """Hold the warehouse's writer lock; try once and do not wait.

    The lock belongs to the session, so it goes when the process dies, and no transaction stays open for it.

    Args:
        connection: Stays open while the lock is held; may be used for other work.
        owner: What others are told, best from `connection.session_name`.

    Raises:
        LockHeld: Another session holds it; the sentence says which.
    """
    _take(connection, owner)
    try:
        yield
    finally:
        _release(connection)


@explained
def _take(connection: Connection, owner: str) -> None:
    with connection.transaction():
        connection.execute("SELECT set_config('application_name', %s, false)", [owner])
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, WRITER]).fetchone()
    if row is None or not row[0]:
        raise LockHeld(
            f"Another run is writing to the warehouse: {_holder(connection)}.", "Wait until it is done or end it, then run again."
        )


def _release(connection: Connection) -> None:
    """Give the lock back; where the session is gone, so is the lock."""
    try:
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, WRITER])
    except psycopg.OperationalError:
        connection.close()


def _holder(connection: Connection) -> str:
    """Say who holds the lock, as far as this user may see."""
    row = connection.execute(read(SQL / "locks" / "advisory_holder.sql"), {"lock_class": LOCK_CLASS, "lock_number": WRITER}).fetchone()
    if row is None:
        return "it has ended meanwhile"
    pid, user, application, address, since = row
    return (
        f"{application or 'a session without a name'} (session {pid} of {user or 'another user'}"
        + (f", from {address}" if address else "")
        + (f", connected since {since} UTC" if since else "")
        + ")"
    )
