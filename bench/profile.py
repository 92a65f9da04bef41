"""Show where a run's seconds go: its stages, what the threads of its JVM are busy with, and its most expensive Spark queries.

    python -m bench.profile --landing LANDING --lake LAKE      (WAREHOUSE_URL in the environment)

It does what `bin/songlake run` does, with Spark's event log on. Threads are looked at by `jcmd`, which a JDK has.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.measure import PROJECT

_RUN = (
    '. bin/env.sh && export PYSPARK_SUBMIT_ARGS="--conf spark.eventLog.enabled=true --conf spark.eventLog.rolling.enabled=false '
    '--conf spark.eventLog.compress=false --conf \\"spark.eventLog.dir=file:$0\\" $PYSPARK_SUBMIT_ARGS" '
    '&& exec "$PYSPARK_PYTHON" -m spark_jobs.cli run --json "$@"'
)
_THREAD = re.compile(r'^"(?P<name>[^"]*)".* cpu=(?P<cpu>[\d.]+)ms', re.MULTILINE)
_KINDS = (
    ("Spark tasks", "Executor task launch worker"),
    ("compiling bytecode", "C1 CompilerThread|C2 CompilerThread|Sweeper"),
    ("collecting garbage", "VM Thread|GC |G1 |Gang worker"),
    ("planning, commits (calls from Python)", "Thread-|main|delta|Delta|broadcast-exchange|subquery|SparkSubmit|py4j"),
    ("Spark's scheduler and listeners", "dispatcher|dag-scheduler|spark-listener|task-result|map-output|shuffle|netty|rpc"),
)


@dataclass
class Query:
    """What one Spark query cost.

    Attributes:
        about: Spark's words for it.
        begun_at: Seconds since the log's first query.
        seconds: From start to end, planning included.
        task_seconds: Of all its tasks together.
        cpu_seconds: CPU time of these.
    """

    about: str
    begun_at: float
    seconds: float = 0.0
    task_seconds: float = 0.0
    cpu_seconds: float = 0.0


def profile(landing: Path, lake: Path, limit: int) -> None:
    """Run once, and print what it was busy with."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        command = ["bash", "-c", _RUN, folder, "--landing", str(landing.resolve()), "--lake", str(lake.resolve())]
        with tempfile.TemporaryFile("w+") as printed:
            process = subprocess.Popen(command, cwd=PROJECT, stdout=printed)
            threads, usage = _watched(process)
            wall = time.monotonic() - begun
            printed.seek(0)
            stages = json.loads(printed.read() or '{"seconds": {}}')["seconds"]
        logs = list(Path(folder).iterdir())
        queries = read_queries(logs[0].read_text().splitlines()) if logs else []
    _print("Seconds by stage", stages, wall)
    _print("CPU seconds by process", usage, sum(usage.values()))
    _print("CPU seconds by threads of the JVM", threads, sum(threads.values()))
    _print_queries(queries, limit)


def _watched(process: subprocess.Popen[bytes]) -> tuple[dict[str, float], dict[str, float]]:
    """Look at the process until it ends; gives CPU seconds by kind of thread of its JVM, and by process."""
    threads, usage = dict[str, float](), dict[str, float]()
    while process.poll() is None:
        try:
            tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for one in tree:
                times = one.cpu_times()
                usage[f"{one.name()} {one.pid}"] = times.user + times.system
                if one.name() == "java" and shutil.which("jcmd"):
                    told = subprocess.run(["jcmd", str(one.pid), "Thread.print"], capture_output=True, text=True, timeout=20, check=False)
                    threads.update({match["name"]: float(match["cpu"]) / 1000 for match in _THREAD.finditer(told.stdout)})
        except (psutil.NoSuchProcess, subprocess.TimeoutExpired):
            pass
        time.sleep(1)
    return _by_kind(threads), usage


def _by_kind(threads: dict[str, float]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for name, seconds in threads.items():
        kind = next((kind for kind, pattern in _KINDS if re.match(pattern, name)), "other threads")
        found[kind] += seconds  # type: ignore[assignment]
    return dict(found)


def read_queries(lines: list[str]) -> list[Query]:
    """Read an event log."""
    queries: dict[int, Query] = {}
    query_of_stage: dict[int, int] = {}
    first = None
    for event in map(json.loads, lines):
        kind = event["Event"].rsplit(".", 1)[-1]
        if kind == "SparkListenerSQLExecutionStart":
            first = first or event["time"]
            root = event.get("rootExecutionId", event["executionId"])
            about = f"{event['description'].split(chr(10))[0]} {_target(event.get('physicalPlanDescription', ''))}"
            queries[event["executionId"]] = Query(about if root == event["executionId"] else f"· {about}", (event["time"] - first) / 1000)
            queries[event["executionId"]].seconds = -event["time"] / 1000
        elif kind == "SparkListenerSQLExecutionEnd" and event["executionId"] in queries:
            queries[event["executionId"]].seconds += event["time"] / 1000
        elif kind == "SparkListenerJobStart":
            execution = (event.get("Properties") or {}).get("spark.sql.execution.id")
            query_of_stage |= dict.fromkeys(event["Stage IDs"], int(execution)) if execution else {}
        elif kind == "SparkListenerTaskEnd" and query_of_stage.get(event["Stage ID"]) in queries and event.get("Task Metrics"):
            query = queries[query_of_stage[event["Stage ID"]]]
            query.task_seconds += event["Task Metrics"]["Executor Run Time"] / 1000
            query.cpu_seconds += event["Task Metrics"]["Executor CPU Time"] / 1e9
    return list(queries.values())


def _target(plan: str) -> str:
    """Find what a plan writes or reads, from its paths."""
    paths = re.findall(r"file:[^\s,\]\)]*/lake[^/]*/([\w/]+)", plan)
    return " ".join(list(dict.fromkeys(path.split("/part-")[0] for path in paths))[:3])


def _print(title: str, seconds: dict[str, float], whole: float) -> None:
    table = Table(title=f"{title} ({whole:.1f} in all)", title_justify="left")
    for column in ("", "seconds"):
        table.add_column(column, justify="right" if column else "left")
    for name, value in sorted(seconds.items(), key=lambda item: -item[1]):
        if value >= 0.05:
            table.add_row(name, f"{value:.1f}")
    Console().print(table)


def _print_queries(queries: list[Query], limit: int) -> None:
    table = Table(title=f"Spark queries: {len(queries)}, the longest {limit} in the order they began", title_justify="left")
    for column in ("query", "begun at s", "seconds", "seconds of tasks", "CPU s of tasks"):
        table.add_column(column, justify="left" if column == "query" else "right")
    longest = sorted(queries, key=lambda query: -query.seconds)[:limit]
    for query in sorted(longest, key=lambda query: query.begun_at):
        numbers = (query.begun_at, query.seconds, query.task_seconds, query.cpu_seconds)
        table.add_row(query.about[:100], *(f"{number:.1f}" for number in numbers))
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m bench.profile")
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--lake", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=25, help="queries to show")
    asked = parser.parse_args()
    profile(asked.landing, asked.lake, asked.limit)
    sys.exit(0)
