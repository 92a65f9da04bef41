"""Let a person overrule what the gate found in the batch that stands refused in staging, on record."""

from __future__ import annotations

from collections.abc import Sequence

from spark_jobs.errors import BadUsage, GateFailed
from spark_jobs.settings import Warehouse
from spark_jobs.warehouse.batches import STAGE_ANEW, require_staged
from spark_jobs.warehouse.check import LOST_ROWS
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.publish import TableChange, publish, unaccepted
from spark_jobs.warehouse.statements import SQL, read


@explained
def accept(
    connection: Connection, batch_id: str, *, reason: str, checks: Sequence[str], by: str, warehouse: Warehouse
) -> dict[str, TableChange]:
    """Overrule failed checks of a rejected batch, then publish it.

    What was overruled stays on record even when the batch is not published.

    Args:
        connection: To the warehouse, with the writer lock held.
        batch_id: The batch that stands rejected in staging.
        reason: Why, for those who come later.
        checks: Names of failed checks; all failed ones if empty.
        by: Who answers for it.
        warehouse: How long to wait for locks.

    Returns:
        What publishing changed.

    Raises:
        BadUsage: No reason, no such batch, it was not rejected, or a named check did not fail.
        InputMissing: The batch's rows no longer stand in staging.
        GateFailed: Failed checks remain that were not overruled, or staging lost rows, which nobody can overrule; nothing is published.
        LockHeld: Another run published first, or somebody holds a table.
    """
    if not reason.strip():
        raise BadUsage("Overruling a check needs a reason.", "Give it with --reason TEXT.")
    _record(connection, batch_id, reason.strip(), checks, by)
    remaining = unaccepted(connection, batch_id)
    if remaining:
        raise GateFailed(
            f"Batch {batch_id} still stands rejected by {', '.join(remaining)}; what was overruled is on record, nothing was published.",
            f"Mend the files and run again, or overrule the rest: bin/songlake accept {batch_id} --reason TEXT {' '.join(remaining)}",
        )
    return publish(connection, batch_id, warehouse)


def _record(connection: Connection, batch_id: str, reason: str, checks: Sequence[str], by: str) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        batch = require_staged(connection, batch_id)
        if batch.status != "rejected":
            raise BadUsage(
                f"Batch {batch_id} was not rejected, it is {batch.status}.", "There is nothing to overrule; run again to go on with it."
            )
        rows = cursor.execute(
            "SELECT check_name FROM ops.check_results WHERE batch_id = %s AND severity = 'fail' AND NOT passed ORDER BY check_name",
            [batch_id],
        ).fetchall()
        failed = [str(name) for (name,) in rows]
        unknown = sorted(set(checks) - set(failed))
        if unknown:
            raise BadUsage(f"Batch {batch_id} was not rejected by {', '.join(unknown)}.", f"It was rejected by {', '.join(failed)}.")
        if LOST_ROWS in failed:
            # Published without them the batch would move the bookmarks past rows that no later run brings.
            raise GateFailed(
                f"Staging does not hold all rows of batch {batch_id}: {LOST_ROWS} cannot be overruled, and nothing was published.",
                STAGE_ANEW,
            )
        cursor.executemany(
            read(SQL / "publish" / "acceptance.sql"),
            [{"batch_id": batch_id, "check_name": name, "reason": reason, "accepted_by": by} for name in (checks or failed)],
        )
