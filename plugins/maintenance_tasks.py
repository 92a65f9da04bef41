"""What the tasks of songlake_maintenance do."""

from __future__ import annotations

import logging

from airflow.sdk import get_current_context
from psycopg import sql
from task_failures import errors_of_failed, run_link, tell_failure, tell_recovery
from warehouse_connection import warehouse_url

from spark_jobs import alerts, maintenance, settings
from spark_jobs.contracts import STAGED
from spark_jobs.lake.lock import lake_lock
from spark_jobs.lineage import event_files
from spark_jobs.pipeline import writing
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.statements import live

log = logging.getLogger(__name__)


def maintain_lake() -> dict[str, list[int]]:
    """Compact and vacuum the lake; gives files compacted and removed by table."""
    chosen = settings.load()
    with writing(warehouse_url(), "maintenance") as (connection, _), lake_lock(chosen.lake, "maintenance"):
        done = maintenance.maintain_lake(chosen.lake, batches.published(connection), chosen.maintenance.lake_days)
    for table, (compacted, removed) in done.items():
        log.info("Table %s: %s files compacted, %s removed", table, compacted, removed)
    return {table: list(counts) for table, counts in done.items()}


def analyze_warehouse() -> None:
    """Refresh the statistics of the live tables."""
    with writing(warehouse_url(), "maintenance") as (connection, _):
        connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(live(table) for table in STAGED)))


def remove_old_files() -> int:
    """Remove old report pages, and events of lineage where they are files; tells how many."""
    chosen = settings.load()
    places = filter(None, [(chosen.reports, "*.html"), event_files()])
    return sum(maintenance.remove_old(folder, names, chosen.maintenance.report_days) for folder, names in places)


def diagnose_maintenance(upstream: list[str]) -> None:
    """Mail why maintenance failed, once until it works again."""
    errors = errors_of_failed(upstream)
    tell_failure("maintenance", errors, alerts.not_maintained(errors, run_link(get_current_context())))


def notify_maintained() -> None:
    """Mail that maintenance works again, if people were told that it had failed."""
    tell_recovery("maintenance")
