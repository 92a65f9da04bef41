"""# songlake: from files to the warehouse

One run takes what was delivered to the landing folder and makes it live. Afterwards the next run waits, without a worker, for more.

| task | does | if it fails |
|---|---|---|
| wait_for_files | waits until new or changed files stand still; a run started by hand does not wait | what it cannot read it waits for, and the watchdog tells people |
| ingest | reads the files into the lake; a bad line goes to `rejects` with its reason | nothing of the batch counts; the next try begins anew |
| build_star | brings the star tables up to date with the lake | the tables stay at what they had; the next try goes on |
| load_postgres | stages by JDBC everything not yet published | live tables are not touched |
| check_quality | asks every check in `sql/checks` about the staged batch | **the batch stays out**; nothing retries, because the data is at fault |
| publish | makes the batch live in one transaction | nothing of it is live |
| export | only if the setting `export.to` names a place: exports what is live there; the same is not exported twice | the batch is live all the same; the next run exports it |
| notify | mails a recovery, and checks that warn | the batch is live all the same |
| diagnose | runs only if something failed: gathers why, and mails it once an incident | |
| report | writes the run's page, see the tab **Report** of the run | |

**A red run.** Read the log of `diagnose`: it names the failing checks, the refused lines, unreadable files and the error's last lines.
A refused batch: mend and deliver the files anew, the next run takes them; or run by hand with `accept` (the names of the checks) and
`accept_reason`, or `bin/songlake accept`. Anything else: mend it, then clear the failed tasks, or wait, Songlake tries again by itself.

**By hand.** *Trigger* with `landing` (another folder), `reprocess` (a pattern of paths to read again, `log_data/2018/11/*`),
`accept` and `accept_reason`. No run has or needs a logical date: which days are touched follows from the files.
More in docs/operations.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, Param, TriggerRule, task
from landing_sensor import LandingSensor
from run_tasks import check_staged_batch, diagnose_run, export_warehouse, notify_people, publish_batch, write_report
from submit_job import submit
from task_failures import tried_again
from task_lineage import lineage_parent
from warehouse_connection import warehouse_url

from spark_jobs.settings import WRITER_POOL, load

settings = load()
UPSTREAM = [
    "wait_for_files",
    "ingest",
    "build_star",
    "load_postgres",
    "check_quality",
    "publish",
    *(["export"] if settings.export.to else []),
]


with DAG(
    "songlake",
    schedule="@continuous",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["songlake"],
    user_defined_macros={"warehouse_url": warehouse_url, "lineage_parent": lineage_parent},
    default_args=tried_again(),
    params={
        "landing": Param(str(settings.landing), type="string", description="root of the landing zone"),
        "reprocess": Param("", type="string", description="read files whose path fits this pattern again, such as log_data/2018/11/*"),
        "accept": Param([], type="array", items={"type": "string"}, description="failed checks to overrule, by name"),
        "accept_reason": Param("", type="string", description="why they are overruled; without a reason the gate stands"),
    },
) as dag:
    wait_for_files = LandingSensor(
        task_id="wait_for_files",
        landing=str(settings.landing),
        links_into=[str(folder) for folder in settings.links_into],
        lake=str(settings.lake),
        settle_seconds=settings.settle_seconds,
        retry_seconds=settings.alerts.retry_minutes * 60,
        execution_timeout=None,
        timeout=timedelta(days=365).total_seconds(),
    )
    ingest = submit("ingest", "--landing", "{{ params.landing }}", "--settled", "--reprocess", "{{ params.reprocess }}")
    build_star = submit("build_star")
    load_postgres = submit("load_postgres", WAREHOUSE_URL="{{ warehouse_url() }}")
    check_quality = task(task_id="check_quality", pool=WRITER_POOL)(check_staged_batch)()
    publish = task(task_id="publish", pool=WRITER_POOL, outlets=[Asset("songlake_warehouse")])(publish_batch)(check_quality)
    notify = task(task_id="notify")(notify_people)(publish)
    if settings.export.to:
        # Also where nothing was new: an export that failed is made up for by the next run.
        export = task(task_id="export", trigger_rule=TriggerRule.NONE_FAILED)(export_warehouse)()
        publish >> export
    diagnose = task(task_id="diagnose", trigger_rule=TriggerRule.ONE_FAILED)(diagnose_run)(UPSTREAM)
    report = task(task_id="report", trigger_rule=TriggerRule.ALL_DONE)(write_report)().as_teardown()

    wait_for_files >> ingest >> build_star >> load_postgres >> check_quality >> publish >> notify
    [dag.get_task(task_id) for task_id in UPSTREAM] >> diagnose
    [notify, diagnose, *([export] if settings.export.to else [])] >> report
