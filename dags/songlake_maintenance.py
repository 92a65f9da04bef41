"""# songlake_maintenance: once a week

Compacts the lake's small files, removes files that nobody can need any more (never one that the warehouse or a star table has yet to
read), removes old report pages, and refreshes the warehouse's statistics. It waits for the same pool as the pipeline's writers, so it never
works beside them. It may be run at any time. A failure is mailed once until it works again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, TriggerRule, task
from maintenance_tasks import analyze_warehouse, diagnose_maintenance, maintain_lake, notify_maintained, remove_old_files
from task_failures import tried_again

from spark_jobs.settings import WRITER_POOL

with DAG(
    "songlake_maintenance",
    schedule="0 3 * * 0",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["songlake"],
    default_args=tried_again(),
) as dag:
    lake = task(task_id="maintain_lake", pool=WRITER_POOL)(maintain_lake)()
    warehouse = task(task_id="analyze_warehouse", pool=WRITER_POOL)(analyze_warehouse)()
    files = task(task_id="remove_old_files")(remove_old_files)()
    notify = task(task_id="notify")(notify_maintained)()
    upstream = ["maintain_lake", "analyze_warehouse", "remove_old_files"]
    diagnose = task(task_id="diagnose", trigger_rule=TriggerRule.ONE_FAILED)(diagnose_maintenance)(upstream)
    lake >> warehouse
    [lake, warehouse, files] >> notify
    [lake, warehouse, files] >> diagnose
