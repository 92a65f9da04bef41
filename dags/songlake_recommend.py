"""# songlake_recommend: artists for everyone, after each publication

Runs when `publish` of the DAG `songlake` has made a batch live. The job learns from the plays that are live, tries the model on the last days,
and publishes its recommendations to `dwh.recommendations` where it beats popularity; otherwise popularity, marked so. Both are a success.
Which it was, and why, is the last line but one of the task's log, and a row of `ops.model_runs`. It waits for the pool of the pipeline's writers.

| task | does | if it fails |
|---|---|---|
| recommend | learns, tries and publishes | what was recommended before stays live, and the pipeline is not touched |
| notify | mails a recovery | the recommendations are live all the same |
| diagnose | runs only if `recommend` failed: mails why, once until it works again | |

**A red run.** Read the log of `recommend`: its last lines say what to do. The next publication runs it anew; to go on at once, clear `recommend` with what is
downstream of it. It may be cleared or run by hand at any time: where nothing moved since the last run, it does nothing. More in docs/model.md.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, TriggerRule, task
from recommend_tasks import diagnose_recommend, notify_recommended
from submit_job import submit
from task_failures import tried_again
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
    default_args=tried_again(),
) as dag:
    recommend = submit("recommend", full_compiler=True, WAREHOUSE_URL="{{ warehouse_url() }}")
    notify = task(task_id="notify")(notify_recommended)()
    diagnose = task(task_id="diagnose", trigger_rule=TriggerRule.ONE_FAILED)(diagnose_recommend)()
    recommend >> [notify, diagnose]
