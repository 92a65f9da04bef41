"""Make a checked batch live in one transaction, so that readers see all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from psycopg import sql
from psycopg.types.json import Jsonb

from spark_jobs.contracts import SONGPLAYS, STAGED, USERS, Table
from spark_jobs.errors import BadUsage, GateFailed, InputMissing, LockHeld
from spark_jobs.pause import pause_at
from spark_jobs.settings import Warehouse
from spark_jobs.warehouse.batches import STAGE_ANEW, Batch, empty_staging, find, is_empty, published, require_staged, row_counts
from spark_jobs.warehouse.check import way_out
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.marts import keep_up
from spark_jobs.warehouse.statements import SQL, applied, live, read, staged
from spark_jobs.warehouse.transaction import limit_lock_wait, tune


@dataclass(frozen=True)
class TableChange:
    """What publishing a batch did to one table, in rows.

    Attributes:
        before: Live before.
        after: Live after.
        inserted: New.
        updated: Rewritten, because a value changed.
        deleted: Taken away.
    """

    before: int
    after: int
    inserted: int
    updated: int
    deleted: int


@explained
def publish(connection: Connection, batch_id: str, warehouse: Warehouse) -> dict[str, TableChange]:
    """Make a batch live: rows, what is kept for views, the record of files, bookmarks and status in one transaction.

    A batch that is live already is left alone, and what it changed is told again; so a task may be retried.

    Returns:
        What happened to each table of the contracts' STAGED, by name.

    Raises:
        BadUsage: There is no such batch, or it was not checked.
        GateFailed: It was rejected and not every failed check was overruled.
        InputMissing: Its rows no longer stand in staging, or not all of them.
        LockHeld: Another run published first, or somebody holds a table too long; the sentence says who.
    """
    with connection.transaction():
        limit_lock_wait(connection, warehouse.lock_timeout_seconds)
        tune(connection)
        # Two publishers come here one after the other, and the second sees what the first did.
        connection.execute("LOCK TABLE ops.published IN SHARE ROW EXCLUSIVE MODE")
        known = find(connection, batch_id, lock=True)
        if known and known.status == "published":
            return {name: TableChange(**change) for name, change in (known.changes or {}).items()}
        batch = require_staged(connection, batch_id)
        _require_passed(connection, batch)
        _require_base(connection, batch)
        counts = _staged_counts(connection)
        _require_complete(batch, counts)
        changes = keep_up(connection, lambda: _apply(connection, counts), lambda changes: changes[SONGPLAYS.name].after)
        if counts[USERS.name].deletions:
            connection.execute(read(SQL / "publish" / "forget_recommendations.sql"))
        _keep_books(connection, batch, changes)
        empty_staging(connection)
        pause_at("publish")
    pause_at("published")
    return changes


@dataclass(frozen=True)
class _Staged:
    """Rows of one staging table."""

    upserts: int
    deletions: int


def _require_passed(connection: Connection, batch: Batch) -> None:
    """Refuse a batch that was not checked, or was rejected by a check that nobody overruled."""
    if batch.status == "staged":
        raise BadUsage(f"Batch {batch.batch_id} was not checked.", "Run the checks first; `bin/songlake run` does all in order.")
    if batch.status == "rejected":
        remaining = unaccepted(connection, batch.batch_id)
        if remaining:
            raise GateFailed(
                f"Batch {batch.batch_id} was rejected by {', '.join(remaining)}; what was live stays live.",
                way_out(batch.batch_id, remaining),
            )


def unaccepted(connection: Connection, batch_id: str) -> list[str]:
    """Name the failed checks of a batch that nobody overruled."""
    rows = connection.execute(read(SQL / "publish" / "unaccepted.sql"), {"batch_id": batch_id}).fetchall()
    return [str(name) for (name,) in rows]


def _require_base(connection: Connection, batch: Batch) -> None:
    """Refuse a batch whose changes were read from another state than the live one."""
    if published(connection) != batch.base:
        raise LockHeld(
            f"Another run published first, so batch {batch.batch_id} starts from a state that is no longer live.",
            "Run again: the load stages everything that is not yet published.",
        )


def _staged_counts(connection: Connection) -> dict[str, _Staged]:
    counts = {}
    for table in STAGED:
        query = sql.SQL("SELECT count(*) FILTER (WHERE NOT deleted), count(*) FILTER (WHERE deleted) FROM {}").format(staged(table))
        upserts, deletions = cast("tuple[int, int]", connection.execute(query).fetchone())
        counts[table.name] = _Staged(upserts, deletions)
    return counts


def _require_complete(batch: Batch, counts: Mapping[str, _Staged]) -> None:
    """Refuse a batch whose rows have gone since it was checked: a crash of the server empties unlogged tables."""
    found = {name: count.upserts + count.deletions for name, count in counts.items()}
    expected = {table.name: batch.expected.get(table.name, 0) for table in STAGED}
    if found != expected:
        raise InputMissing(
            f"Staging no longer holds all rows of batch {batch.batch_id}; PostgreSQL empties it when it crashes.",
            STAGE_ANEW,
        )


def _apply(connection: Connection, counts: Mapping[str, _Staged]) -> dict[str, TableChange]:
    """Delete and upsert, table by table: what refers goes before what it refers to, and comes after it."""
    kept = row_counts(connection)
    before = {table.name: kept[table.name] if table.name in kept else _count(connection, table) for table in STAGED}
    deleted = {
        table.name: connection.execute(applied("delete", table)).rowcount for table in reversed(STAGED) if counts[table.name].deletions
    }
    changes = {}
    for table in STAGED:
        name, gone = table.name, deleted.get(table.name, 0)
        inserted, updated = _write(connection, table, counts[name].upserts)
        changes[name] = TableChange(before[name], before[name] + inserted - gone, inserted, updated, gone)
    return changes


def _write(connection: Connection, table: Table, upserts: int) -> tuple[int, int]:
    """Write one table's upserts; give the counts of rows inserted and updated.

    A first load keeps its key too: built afterwards it would cost less, and lock readers out until the whole batch is live.
    """
    if not upserts:
        return 0, 0
    if is_empty(connection, table):
        return connection.execute(applied("insert", table)).rowcount, 0
    return cast("tuple[int, int]", connection.execute(applied("upsert", table)).fetchone())


def _count(connection: Connection, table: Table) -> int:
    """Count live rows, once for each table: from then on publish keeps count."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(live(table))).fetchone()
    return cast("int", row[0]) if row else 0


def _keep_books(connection: Connection, batch: Batch, changes: Mapping[str, TableChange]) -> None:
    """Move the bookmarks on and close the batch."""
    with connection.cursor() as cursor:
        cursor.executemany(
            read(SQL / "publish" / "bookmark.sql"),
            [
                {
                    "table_name": name,
                    "delta_table_id": bookmark.table_id,
                    "delta_version": bookmark.version,
                    "delta_written_at": bookmark.written_at,
                    "batch_id": batch.batch_id,
                    "row_count": changes[name].after,
                }
                for name, bookmark in batch.target.items()
            ],
        )
    connection.execute(
        "UPDATE ops.batches SET status = 'published', published_at = now(), changes = %s WHERE batch_id = %s",
        [Jsonb({name: asdict(change) for name, change in changes.items()}), batch.batch_id],
    )
    connection.execute("DELETE FROM ops.staged")
