"""# songlake_maintenance: once a week

Compacts the lake's small files, removes files that nobody can need any more (never one that the warehouse or a star table has yet to
read), removes old report pages, and refreshes the warehouse's statistics. It waits for the same pool as the pipeline's writers, so it never
works beside them. It may be run at any time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, task
from run_tasks import analyze_warehouse, maintain_lake, remove_old_files

from spark_jobs.settings import WRITER_POOL

with DAG(
    "songlake_maintenance",
    schedule="0 3 * * 0",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["songlake"],
    default_args={"owner": "data", "retries": 2, "retry_delay": timedelta(minutes=10), "execution_timeout": timedelta(hours=2)},
) as dag:
    lake = task(task_id="maintain_lake", pool=WRITER_POOL)(maintain_lake)()
    warehouse = task(task_id="analyze_warehouse", pool=WRITER_POOL)(analyze_warehouse)()
    reports = task(task_id="remove_old_files")(remove_old_files)()
    lake >> warehouse >> reports
