"""Take what the warehouse no longer holds out of its tables' dead rows and of PostgreSQL's statistics."""

from __future__ import annotations

from psycopg import sql
from psycopg.errors import Diagnostic

from spark_jobs.contracts import STAGED
from spark_jobs.warehouse.batches import empty_staging
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.contracts import MARTS, RECOMMENDATIONS
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.statements import live, staged
from spark_jobs.warehouse.transaction import limit_lock_wait


@explained
def vacuum(connection: Connection, lock_timeout_seconds: float) -> list[str]:
    """Vacuum and analyze the live tables, empty staging and what statistics remember of it. Readers are not held up.

    Args:
        connection: To the warehouse, with the writer lock held; nothing stands in staging.
        lock_timeout_seconds: How long to wait for somebody who reads staging.

    Returns:
        What PostgreSQL would not do, in its words: where this user does not own the tables, their owner has to.
    """
    refusals: list[str] = []

    def hear(said: Diagnostic) -> None:
        if said.severity_nonlocalized == "WARNING" and said.message_primary:
            refusals.append(said.message_primary)

    connection.add_notice_handler(hear)
    try:
        # The gate analyzes staging, and an empty table keeps its statistics, which hold values: rows without any take their place.
        with connection.transaction():
            limit_lock_wait(connection, lock_timeout_seconds)
            for table in STAGED:
                connection.execute(sql.SQL("INSERT INTO {} (deleted) VALUES (false)").format(staged(table)))
            connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(staged, STAGED))))
            empty_staging(connection)
            # What a run of the model left that was killed; it is never analyzed.
            connection.execute(sql.SQL("TRUNCATE {}").format(staged(RECOMMENDATIONS)))
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.SQL(", ").join(map(live, (*STAGED, *MARTS, RECOMMENDATIONS)))))
    finally:
        connection.remove_notice_handler(hear)
    return refusals
