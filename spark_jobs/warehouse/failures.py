"""What PostgreSQL refuses while a job works, as errors a person can act on.

Only the first line of PostgreSQL's message is ever shown: the lines after it may quote rows, and rows hold personal data. So its error is
not the cause of ours either, since a log tells a cause in full, as Airflow's does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from spark_jobs.errors import GateFailed, InputMissing, LockHeld, ServiceUnreachable, SonglakeError
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.statements import SQL, read

P = ParamSpec("P")
R = TypeVar("R")


def explained(work: Callable[Concatenate[Connection, P], R]) -> Callable[Concatenate[Connection, P], R]:
    """Let `work` raise a SonglakeError where PostgreSQL refuses: a lock, a right, a constraint, or the connection itself."""

    @wraps(work)
    def called(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return work(connection, *args, **kwargs)
        except psycopg.Error as error:
            known = _explain(connection, error)
            if known is None:
                raise
            raise known from None

    return called


def _explain(connection: Connection, error: psycopg.Error) -> SonglakeError | None:
    where = f"PostgreSQL at {_address(connection)}"
    said = error.diag.message_primary or (str(error).strip().splitlines() or ["the connection was lost"])[0]
    match error:
        case errors.LockNotAvailable() if connection.info.transaction_status is TransactionStatus.INERROR:
            # Called within a larger piece of work, which asks for the holders once its transaction is rolled back.
            return None
        case errors.LockNotAvailable():
            return locked(connection)
        case errors.InsufficientPrivilege():
            return ServiceUnreachable(
                f"{where} refuses: {said}.",
                "Grant songlake_writer to this user, or let the owner of the database run `bin/songlake run` once.",
            )
        case errors.UndefinedTable() | errors.UndefinedFunction() | errors.InvalidSchemaName():
            return InputMissing(
                f"{where} was not set up as a warehouse: {said}.", "Run `bin/songlake run` or load_postgres.py once, it sets it up."
            )
        case errors.IntegrityError() | errors.CardinalityViolation():
            return GateFailed(
                f"{where} refuses the batch: {said}; what was live stays live.", "This cannot be overruled: mend the rows, then run again."
            )
        case errors.ReadOnlySqlTransaction():
            return ServiceUnreachable(f"{where} takes no writes: {said}.", "Point WAREHOUSE_URL at the primary server.")
        case psycopg.OperationalError():
            return ServiceUnreachable(f"{where} stopped the work: {said}.", "See that it is up and has room, then run again.")
    return None


def locked(connection: Connection) -> LockHeld:
    """Say who holds what was waited for."""
    return LockHeld(f"The warehouse is locked by {_blockers(connection)}.", "Wait until that is done or end it, then run again.")


def _address(connection: Connection) -> str:
    try:
        info = connection.info
        return f"{info.user}@{info.host}:{info.port}/{info.dbname}"
    except psycopg.OperationalError:
        # A closed connection has forgotten it.
        return "WAREHOUSE_URL"


def _blockers(connection: Connection) -> str:
    """Name the sessions that hold what this one waited for, as far as this user may see."""
    query = read(SQL / "locks" / "blockers.sql")
    try:
        rows = connection.execute(query, {"readers": False}).fetchall() or connection.execute(query, {"readers": True}).fetchall()
    except psycopg.Error:
        rows = []
    sessions = [
        f"{application or 'a session without a name'} (session {pid} of {user}"
        + (f", from {address}" if address else "")
        + (f", since {since} UTC" if since else "")
        + f") on {tables}"
        for pid, user, application, address, since, tables in rows
    ]
    return "; ".join(sessions) or "a session that has ended meanwhile"
