"""The profile counts a query's tasks with it, also those of what it started of its own."""

from __future__ import annotations

import json

from bench.profiling import read_queries

_SQL = "org.apache.spark.sql.execution.ui."


def _start(execution: int, root: int, at: int, plan: str) -> str:
    return json.dumps(
        {
            "Event": f"{_SQL}SparkListenerSQLExecutionStart",
            "executionId": execution,
            "rootExecutionId": root,
            "description": "save at NativeMethodAccessorImpl.java:0",
            "time": at,
            "physicalPlanDescription": plan,
        }
    )


def _end(execution: int, at: int) -> str:
    return json.dumps({"Event": f"{_SQL}SparkListenerSQLExecutionEnd", "executionId": execution, "time": at})


def _job(execution: int, stage: int) -> str:
    return json.dumps({"Event": "SparkListenerJobStart", "Stage IDs": [stage], "Properties": {"spark.sql.execution.id": str(execution)}})


def _task(stage: int, run_ms: int, cpu_ns: int) -> str:
    metrics = {"Executor Run Time": run_ms, "Executor CPU Time": cpu_ns}
    return json.dumps({"Event": "SparkListenerTaskEnd", "Stage ID": stage, "Task Metrics": metrics})


def test_query_holds_the_tasks_of_what_it_started() -> None:
    log = [
        _start(0, 0, 1_000, "Write [file:/data/lake/events/_delta_log]"),
        _start(1, 0, 1_500, "Scan [file:/data/lake/star/users, other]"),
        _job(1, 7),
        _task(7, 400, 250_000_000),
        _task(7, 100, 50_000_000),
        _end(1, 2_000),
        _end(0, 4_000),
        _task(99, 1_000, 1_000_000_000),
    ]
    (query,) = read_queries(log)
    assert (query.about, query.begun_at, query.ended_at) == ("save", 1.0, 4.0)
    assert (query.task_seconds, round(query.cpu_seconds, 6)) == (0.5, 0.3)
    assert list(query.tables) == ["events", "star/users"]
