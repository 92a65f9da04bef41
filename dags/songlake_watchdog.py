"""# songlake_watchdog: nothing waits for ever

Every few minutes it asks which delivered files are not in the warehouse, and mails once if one waits longer than `alerts.sla_minutes`.
It is a DAG of its own, and not a deadline of `songlake`, because a deadline belongs to a run: it says nothing while the DAG is paused,
stuck in the queue, or waiting for a file that it does not see. While files are late its runs are red; the first green one says it is over.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, task
from run_tasks import look_for_late_files

with DAG(
    "songlake_watchdog",
    schedule=timedelta(minutes=5),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["songlake"],
    default_args={"owner": "data", "retries": 0, "execution_timeout": timedelta(minutes=4)},
) as dag:
    task(task_id="look_for_late_files")(look_for_late_files)()
