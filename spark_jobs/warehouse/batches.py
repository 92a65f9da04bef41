"""The books of the warehouse: how far each table has come, and which batch stands in staging.

A batch begins with staging emptied, counts from `finish_staging` on, is checked, and published. Its status says how far it
came; whether its rows still stand in staging, `ops.staged` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from psycopg import sql
from psycopg.types.json import Jsonb

from spark_jobs.contracts import STAGED, Table
from spark_jobs.errors import BadUsage, InputMissing
from spark_jobs.lake.log import Position
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.statements import live
from spark_jobs.warehouse.transaction import limit_lock_wait

_LOCK_WAIT_SECONDS = 30

STAGE_ANEW = "Run the load again: it stages everything that is not yet published."


@dataclass(frozen=True)
class Batch:
    """One row of ops.batches.

    Attributes:
        batch_id: The load.
        status: `staged`, `checked`, `rejected` or `published`.
        base: What ops.published said when it was staged.
        target: What ops.published says once it is live.
        expected: Rows that Spark wrote to staging, by table.
        changes: What publish did, by table; None before that.
    """

    batch_id: str
    status: str
    base: dict[str, Position]
    target: dict[str, Position]
    expected: dict[str, int]
    changes: dict[str, dict[str, int]] | None


@explained
def published(connection: Connection) -> dict[str, Position]:
    """Tell how far each table has come, by its name; tables never loaded are left out."""
    rows = connection.execute(
        "SELECT table_name, delta_table_id, delta_version, delta_written_at FROM ops.published ORDER BY table_name"
    ).fetchall()
    return {str(name): Position(*cast("tuple[str, int, int]", tuple(at))) for name, *at in rows}


@explained
def published_files(connection: Connection) -> dict[str, tuple[int, datetime]]:
    """Give size and modified_at of every file that the live tables count, by path."""
    rows = connection.execute("SELECT path, size, modified_at FROM ops.files").fetchall()
    return {str(path): (cast("int", size), cast("datetime", modified_at)) for path, size, modified_at in rows}


@explained
def row_counts(connection: Connection) -> dict[str, int]:
    """Tell how many rows each table has, as publish keeps count; tables never loaded are left out."""
    rows = connection.execute("SELECT table_name, row_count FROM ops.published ORDER BY table_name").fetchall()
    return {str(name): cast("int", count) for name, count in rows}


@explained
def is_empty(connection: Connection, table: Table) -> bool:
    """Tell whether no row of a table is live, which makes loading it simpler and quicker."""
    row = connection.execute(sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(live(table))).fetchone()
    return bool(row and row[0])


@explained
def staged_batch(connection: Connection) -> str | None:
    """Name the batch whose rows stand in staging, all of them; one that died on the way does not count."""
    row = connection.execute("SELECT batch_id FROM ops.staged INNER JOIN ops.batches USING (batch_id)").fetchone()
    return str(row[0]) if row else None


@explained
def begin_batch(connection: Connection, batch_id: str) -> None:
    """Empty staging for a batch. Older batches that were not published no longer stand there and cannot be published.

    Raises:
        BadUsage: A batch of this name is live.
        LockHeld: Somebody reads staging.
    """
    with connection.transaction():
        limit_lock_wait(connection, _LOCK_WAIT_SECONDS)
        known = find(connection, batch_id)
        if known and known.status == "published":
            raise BadUsage(f"Batch {batch_id} is published already.", "Give the batch another name.")
        # A batch of the same name that did not get through counts no more.
        for table in ("check_results", "acceptances", "batches"):
            connection.execute(sql.SQL("DELETE FROM {} WHERE batch_id = %s").format(sql.Identifier("ops", table)), [batch_id])
        connection.execute("DELETE FROM ops.staged")
        connection.execute("INSERT INTO ops.staged (batch_id, started_at) VALUES (%s, now())", [batch_id])
        empty_staging(connection)


@explained
def finish_staging(
    connection: Connection,
    batch_id: str,
    base: Mapping[str, Position],
    target: Mapping[str, Position],
    expected: Mapping[str, int],
) -> None:
    """Record that all rows of a batch stand in staging.

    Args:
        connection: To the warehouse.
        batch_id: The batch that was begun.
        base: All of `published`, as it was when the changes were read.
        target: How far each table comes by this batch; at least the tables that rows were staged for.
        expected: Rows written to staging by table, deletions among them; tables without any may be left out.

    Raises:
        InputMissing: Another batch was begun meanwhile.
    """
    orphans = [name for name, count in expected.items() if count and name not in target]
    if orphans:
        raise ValueError(f"rows without a bookmark: {orphans}")
    with connection.transaction():
        started = connection.execute("SELECT started_at FROM ops.staged WHERE batch_id = %s FOR UPDATE", [batch_id]).fetchone()
        if started is None:
            raise not_staged(batch_id)
        connection.execute(
            "INSERT INTO ops.batches (batch_id, status, started_at, staged_at, base, target, expected)"
            " VALUES (%s, 'staged', %s, now(), %s, %s, %s)",
            [batch_id, started[0], _to_json(base), _to_json(target), Jsonb(dict(expected))],
        )


def find(connection: Connection, batch_id: str, *, lock: bool = False) -> Batch | None:
    """Read a batch, with its row locked until the transaction ends if `lock`."""
    query = "SELECT batch_id, status, base, target, expected, changes FROM ops.batches WHERE batch_id = %s"
    row = connection.execute(query + " FOR UPDATE" if lock else query, [batch_id]).fetchone()
    if row is None:
        return None
    name, status, base, target, expected, changes = cast("tuple[str, str, Any, Any, Any, Any]", row)
    return Batch(name, status, _from_json(base), _from_json(target), expected, changes)


def require_staged(connection: Connection, batch_id: str) -> Batch:
    """Read a batch and lock its row, and refuse one whose rows do not stand in staging.

    Raises:
        BadUsage: There is no such batch, or it is live already.
        InputMissing: Its rows have given way to another batch.
    """
    batch = find(connection, batch_id, lock=True)
    if batch is None:
        raise BadUsage(f"There is no batch {batch_id}, or it was not staged completely.", "See `bin/songlake status` for the last batches.")
    if batch.status == "published":
        raise BadUsage(f"Batch {batch_id} is published already.", "Nothing is to be done.")
    if staged_batch(connection) != batch_id:
        raise not_staged(batch_id)
    return batch


def not_staged(batch_id: str) -> InputMissing:
    """Say that a batch's rows are gone."""
    return InputMissing(
        f"Batch {batch_id} no longer stands in staging; another has taken its place.",
        STAGE_ANEW,
    )


def empty_staging(connection: Connection) -> None:
    """Empty the staging tables that take any room; emptying an empty one would cost as much as a full one."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('staging') AND relname = ANY(%s) AND pg_relation_size(oid) > 0",
        [[table.name for table in STAGED]],
    ).fetchall()
    if rows:
        names = [sql.Identifier("staging", str(name)) for (name,) in rows]
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)))


def _to_json(positions: Mapping[str, Position]) -> Jsonb:
    return Jsonb({name: position.as_dict() for name, position in positions.items()})


def _from_json(recorded: dict[str, dict[str, Any]]) -> dict[str, Position]:
    return {name: Position.of(position) for name, position in recorded.items()}


@explained
def has_books(connection: Connection) -> bool:
    """Whether the schema was made; `status` looks before the first run too."""
    row = connection.execute("SELECT to_regclass('ops.batches') IS NOT NULL AND to_regclass('ops.published') IS NOT NULL").fetchone()
    return bool(row and row[0])


@explained
def published_at(connection: Connection) -> datetime | None:
    """Tell when a batch went live last; None before the first."""
    row = connection.execute("SELECT max(published_at) FROM ops.batches").fetchone()
    return cast("datetime | None", row[0]) if row else None


@explained
def latest(connection: Connection, count: int) -> list[dict[str, object]]:
    """List the last loads, newest first: batch_id, status, started_at, published_at."""
    rows = connection.execute(
        "SELECT batch_id, status, started_at, published_at FROM ops.batches ORDER BY started_at DESC LIMIT %s", [count]
    ).fetchall()
    return [dict(zip(("batch_id", "status", "started_at", "published_at"), row, strict=True)) for row in rows]
