"""What stands in the DAG files: they import without Spark, and tasks, order and policies are the ones that the docs promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.jvm import FULL_COMPILER
from tests.dags.conftest import dag_files, load_bag
from tests.sparkenv import PROJECT

GRAPHS = {
    "songlake": {
        "wait_for_files": {"ingest", "diagnose"},
        "ingest": {"build_star", "diagnose"},
        "build_star": {"load_postgres", "diagnose"},
        "load_postgres": {"check_quality", "diagnose"},
        "check_quality": {"publish", "diagnose"},
        "publish": {"notify", "diagnose"},
        "notify": {"report"},
        "diagnose": {"report"},
        "report": set(),
    },
    "songlake_watchdog": {"look_for_late_files": set()},
    "songlake_maintenance": {
        "maintain_lake": {"analyze_warehouse", "notify", "diagnose"},
        "analyze_warehouse": {"notify", "diagnose"},
        "remove_old_files": {"notify", "diagnose"},
        "notify": set(),
        "diagnose": set(),
    },
    "songlake_recommend": {"recommend": {"diagnose", "notify"}, "diagnose": set(), "notify": set()},
}
WRITERS = {"ingest", "build_star", "load_postgres", "check_quality", "publish", "maintain_lake", "analyze_warehouse", "recommend"}


def test_dag_files_import_cleanly_and_without_spark(bag: dict[str, Any]) -> None:
    assert bag["errors"] == {}
    assert bag["pyspark"] is False


def test_every_dag_file_is_tested(bag: dict[str, Any]) -> None:
    assert sorted(Path(file).name for file in (dag["file"] for dag in bag["dags"].values())) == dag_files()
    assert set(bag["dags"]) == set(GRAPHS)


@pytest.mark.parametrize("name", GRAPHS)
def test_tasks_and_their_order(bag: dict[str, Any], name: str) -> None:
    found = {task_id: set(task["then"]) for task_id, task in bag["dags"][name]["tasks"].items()}
    assert found == GRAPHS[name]


@pytest.mark.parametrize("name", GRAPHS)
def test_every_dag_tells_the_on_call_what_it_does(bag: dict[str, Any], name: str) -> None:
    dag = bag["dags"][name]
    assert dag["doc"].startswith(f"# {name}")
    assert dag["tags"] == ["songlake"]
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False


@pytest.mark.parametrize("name", GRAPHS)
def test_every_task_has_an_owner_and_an_end(bag: dict[str, Any], name: str) -> None:
    for task_id, task in bag["dags"][name]["tasks"].items():
        assert task["owner"] == "data", task_id
        # Waiting for files ends when files come; the sensor's own timeout is a year.
        assert task_id == "wait_for_files" or task["seconds"], task_id


def test_whatever_writes_waits_for_the_one_slot(bag: dict[str, Any]) -> None:
    pools = {task_id: task["pool"] for dag in bag["dags"].values() for task_id, task in dag["tasks"].items()}
    assert {task_id for task_id, pool in pools.items() if pool == "songlake_writer"} == WRITERS


@pytest.mark.parametrize("name", ["songlake", "songlake_recommend", "songlake_maintenance"])
def test_what_a_retry_can_mend_is_tried_again(bag: dict[str, Any], name: str) -> None:
    found = bag["dags"][name]["tasks"]
    assert {task_id: task["retries"] for task_id, task in found.items()} == dict.fromkeys(found, 3)
    assert all(task["retry_exponential_backoff"] for task in found.values())


def test_diagnose_runs_only_after_a_failure_and_report_always(bag: dict[str, Any]) -> None:
    found = bag["dags"]["songlake"]["tasks"]
    assert found["diagnose"]["trigger_rule"] == "one_failed"
    assert found["report"]["is_teardown"] is True
    assert {task["trigger_rule"] for name, task in found.items() if name not in ("diagnose", "report")} == {"all_success"}
    for name in ("songlake_recommend", "songlake_maintenance"):
        found = bag["dags"][name]["tasks"]
        assert {task_id for task_id, task in found.items() if task["trigger_rule"] != "all_success"} == {"diagnose"}
        assert found["diagnose"]["trigger_rule"] == "one_failed"


def test_publish_announces_the_warehouse(bag: dict[str, Any]) -> None:
    outlets = bag["dags"]["songlake"]["tasks"]["publish"]["outlets"]
    assert outlets == ["songlake_warehouse"]


def test_a_place_for_exports_adds_a_task_that_also_runs_when_nothing_was_new(
    airflow_environment: dict[str, str], bag: dict[str, Any]
) -> None:
    assert "export" not in bag["dags"]["songlake"]["tasks"]
    found = load_bag(airflow_environment | {"SONGLAKE_EXPORT__TO": "s3a://lab/exports"})
    assert (found["errors"], found["pyspark"]) == ({}, False)
    tasks = found["dags"]["songlake"]["tasks"]
    assert {task_id: set(task["then"]) for task_id, task in tasks.items()} == GRAPHS["songlake"] | {
        "publish": {"notify", "diagnose", "export"},
        "export": {"diagnose", "report"},
    }
    assert (tasks["export"]["trigger_rule"], tasks["export"]["pool"], tasks["export"]["retries"]) == ("none_failed", "default_pool", 3)
    assert tasks["export"]["seconds"]


def test_the_model_alone_follows_what_publish_announces(bag: dict[str, Any]) -> None:
    assert {name for name, dag in bag["dags"].items() if dag["follows"] == ["songlake_warehouse"]} == {"songlake_recommend"}


_RENDER = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
dags = DagBag(dag_folder=sys.argv[1]).dags
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
found = {}
for name in ("ingest", "build_star", "load_postgres", "recommend"):
    dag = dags["songlake_recommend" if name == "recommend" else "songlake"]
    task = dag.get_task(name)
    given = {"params": {"landing": "/my landing", "reprocess": "log_data/*"}, "ti": None}
    task.render_template_fields({**given, **dag.user_defined_macros, "lineage_parent": lambda ti: "parent"})
    hook = task._get_hook()
    found[name] = {"command": hook._build_spark_submit_command(task.application), "environment": hook._env or {}}
print(json.dumps(found))
"""


@pytest.mark.parametrize("master", ["local[2]", "yarn", "k8s://https://k8s"])
def test_spark_submit_gets_its_secret_by_environment_alone(airflow_environment: dict[str, str], master: str) -> None:
    import json

    marker = "s3cr3t marker"
    more = {
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps({"conn_type": "spark", "host": master}),
        "AIRFLOW_CONN_SONGLAKE_WAREHOUSE": "postgresql://songlake:s3cr3t%20marker@127.0.0.1:5432/songlake",
    }
    done = subprocess.run(
        [sys.executable, "-c", _RENDER, str(PROJECT / "dags")], env=airflow_environment | more, cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    lake = airflow_environment["SONGLAKE_LAKE"]
    job = {name: str(PROJECT / "spark_jobs" / f"{name}.py") for name in found}
    conf = {"recommend": ["--conf", f"spark.driver.extraJavaOptions={FULL_COMPILER}"]}
    start = {name: ["spark-submit", "--master", master, *conf.get(name, []), "--name", f"songlake-{name}", job[name]] for name in found}
    assert found["ingest"]["command"] == [
        *start["ingest"],
        *("--landing", "/my landing", "--settled", "--reprocess", "log_data/*", "--lake", lake),
    ]
    assert found["build_star"]["command"] == [*start["build_star"], "--lake", lake]
    assert found["load_postgres"]["command"] == [*start["load_postgres"], "--lake", lake]
    parent = {"OPENLINEAGE_PARENT_ID": "parent"}
    assert found["ingest"]["environment"] == found["build_star"]["environment"] == parent
    address = {"WAREHOUSE_URL": "postgres://songlake:s3cr3t%20marker@127.0.0.1:5432/songlake"}
    assert found["recommend"]["command"] == [*start["recommend"], "--lake", lake]
    assert found["load_postgres"]["environment"] == parent | address
    assert found["recommend"]["environment"] == parent | address
    assert marker not in done.stderr
    assert "s3cr3t%20marker" not in done.stderr


def test_cluster_deploy_mode_is_refused_because_the_secret_would_stand_on_the_command_line(airflow_environment: dict[str, str]) -> None:
    more = {"AIRFLOW_CONN_SPARK_DEFAULT": '{"conn_type": "spark", "host": "yarn", "extra": {"deploy-mode": "cluster"}}'}
    done = subprocess.run(
        [sys.executable, "-c", _RENDER, str(PROJECT / "dags")], env=airflow_environment | more, cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Connection spark_default asks for cluster deploy mode" in done.stderr
