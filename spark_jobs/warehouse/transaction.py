"""Settings of one transaction; they end with it."""

from __future__ import annotations

from spark_jobs.warehouse.connection import Connection


def limit_lock_wait(connection: Connection, seconds: float) -> None:
    """Let statements of this transaction wait no longer than this for a lock."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(seconds * 1000)}ms"])


def tune(connection: Connection) -> None:
    """Plan for a batch beside a large history: room to hash and sort the batch, and a look-up by key priced as from memory.

    The latter keeps the planner from reading a whole live table for the sake of a day. Compiling queries does not pay at this size.
    """
    connection.execute(
        "SELECT set_config('work_mem', '64MB', true), set_config('maintenance_work_mem', '256MB', true),"
        " set_config('random_page_cost', '1.1', true), set_config('jit', 'off', true)"
    )
