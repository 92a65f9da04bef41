"""The DAG files, loaded as Airflow loads them, in an Airflow home of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sparkenv import PROJECT

_LOAD = """
import json, sys
from airflow.dag_processing.dagbag import DagBag


def about(task):
    names = ("owner", "pool", "retries", "retry_exponential_backoff", "trigger_rule", "is_teardown")
    return {
        **{name: getattr(task, name) for name in names},
        "seconds": task.execution_timeout and task.execution_timeout.total_seconds(),
        "then": sorted(task.downstream_task_ids),
        "outlets": [outlet.name for outlet in task.outlets],
    }


bag = DagBag(dag_folder=sys.argv[1])
dags = {
    name: {
        "file": dag.fileloc,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "follows": [asset.name for asset in getattr(dag.timetable.asset_condition, "objects", [])],
        "tasks": {task.task_id: about(task) for task in dag.tasks},
    }
    for name, dag in bag.dags.items()
}
print(json.dumps({"errors": bag.import_errors, "dags": dags, "pyspark": "pyspark" in sys.modules}, default=str))
"""


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow that nobody else uses."""
    home = tmp_path_factory.mktemp("airflow")
    given = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        # Airflow gives a DAG file up after half a minute, which the imports of its providers may take on a busy machine.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "plugins")]),
        "SONGLAKE_LANDING": str(home / "landing"),
        "SONGLAKE_LAKE": str(home / "lake"),
    }
    return {**os.environ, **given}


@pytest.fixture(scope="session")
def bag(airflow_environment: dict[str, str]) -> dict[str, Any]:
    """What Airflow makes of the DAG folder."""
    return load_bag(airflow_environment)


def load_bag(environment: dict[str, str]) -> dict[str, Any]:
    """Let Airflow load the DAG folder: errors, dags as it stores them, files, and whether pyspark was imported for it."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(PROJECT / "dags")],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def dag_files() -> list[str]:
    """Names of all files of the DAG folder."""
    return sorted(path.name for path in Path(PROJECT / "dags").glob("*.py"))
