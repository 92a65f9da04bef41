"""# songlake_recommend: artists for everyone, after each publication

Runs when `publish` of the DAG `songlake` has made a batch live. The job learns from the plays that are live, tries the model on the last days,
and publishes its recommendations to `dwh.recommendations` where it beats popularity; otherwise popularity, marked so. Both are a success.
Which it was, and why, is the last line but one of the task's log, and a row of `ops.model_runs`. It waits for the pool of the pipeline's writers.

**If it fails**, what was recommended before stays live, and the pipeline is not touched. It may be cleared or run by hand at any time: where nothing
moved since the last run, it does nothing. More in docs/model.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset
from submit_job import submit
from task_lineage import lineage_parent
from warehouse_connection import warehouse_url

with DAG(
    "songlake_recommend",
    schedule=[Asset("songlake_warehouse")],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["songlake"],
    user_defined_macros={"warehouse_url": warehouse_url, "lineage_parent": lineage_parent},
    default_args={"owner": "data", "retries": 2, "retry_delay": timedelta(minutes=2)},
) as dag:
    submit("recommend", full_compiler=True, WAREHOUSE_URL="{{ warehouse_url() }}")
