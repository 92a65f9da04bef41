"""Show where a run's seconds go: its stages, what the threads of its JVM are busy with, and its most expensive Spark queries.

    python -m bench.profiling --landing LANDING --lake LAKE      (WAREHOUSE_URL in the environment)

It does what `bin/songlake run` does, with Spark's event log on. Threads are told apart by the names that Linux shows.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
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
_KINDS = (
    ("Spark tasks", "Executor task"),
    ("compiling bytecode", "C[12] Compiler|Sweeper"),
    ("collecting garbage", "VM Thread|GC |G1 "),
    ("planning and commits, called from Python", "Thread-|main|java"),
    ("the same, on threads of their own", "delta|Delta|broadcast|subquery|ForkJoin|pool-"),
    ("Spark's scheduler and listeners", "dispatcher|dag-|spark-|task-result|map-output|shuffle|netty|rpc|block-manager"),
)
"""Of threads, by how their names begin; Linux keeps fifteen characters."""


_TABLE = re.compile(r"file:[^\s,\])]*?/(_spool|events|catalog|rejects|files|star/\w+)[/\]\s,]")


@dataclass
class Query:
    """What one Spark query cost.

    Attributes:
        about: Spark's word for it.
        begun_at: Seconds since 1970.
        ended_at: The same; 0 while it is not known.
        tables: The lake's tables that it read or wrote.
        task_seconds: Of all its tasks together.
        cpu_seconds: CPU time of these.
    """

    about: str
    begun_at: float
    ended_at: float = 0.0
    tables: dict[str, None] = field(default_factory=dict)
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
    _print("Seconds by stage", {**stages, "outside of stages": wall - sum(stages.values())})
    _print("CPU seconds by process", usage)
    if queries:
        _print("CPU seconds by threads of the JVM", threads)
        _print_queries(queries, limit)


def _watched(process: subprocess.Popen[bytes]) -> tuple[dict[str, float], dict[str, float]]:
    """Look at the process until it ends; gives CPU seconds by kind of thread of its JVM, and by process."""
    threads, usage = dict[int, tuple[str, float]](), dict[str, float]()
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            for one in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
                times = one.cpu_times()
                usage[f"{one.name()} {one.pid}"] = times.user + times.system
                if one.name() == "java":
                    threads |= {thread.id: (_name(one.pid, thread.id), thread.user_time + thread.system_time) for thread in one.threads()}
        time.sleep(0.3)
    return _by_kind(threads.values()), usage


def _name(process: int, thread: int) -> str:
    return Path(f"/proc/{process}/task/{thread}/comm").read_text().strip()


def _by_kind(threads: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for name, seconds in threads:
        found[next((kind for kind, pattern in _KINDS if re.match(pattern, name)), "other threads")] += seconds
    return found


def read_queries(lines: list[str]) -> list[Query]:
    """Read an event log; what a query started of its own, such as a look at a table's log, counts with it."""
    queries: dict[int, Query] = {}
    root_of: dict[int, int] = {}
    root_of_stage: dict[int, int] = {}
    for event in map(json.loads, lines):
        kind = event["Event"].rsplit(".", 1)[-1]
        if kind == "SparkListenerSQLExecutionStart":
            execution = event["executionId"]
            root = root_of[execution] = event.get("rootExecutionId", execution)
            query = queries.setdefault(root, Query(_about(event["description"]), event["time"] / 1000))
            query.tables |= dict.fromkeys(_TABLE.findall(event.get("physicalPlanDescription", "")))
        elif kind == "SparkListenerSQLExecutionEnd" and event["executionId"] in queries:
            queries[event["executionId"]].ended_at = event["time"] / 1000
        elif kind == "SparkListenerJobStart":
            execution = (event.get("Properties") or {}).get("spark.sql.execution.id")
            if execution and int(execution) in root_of:
                root_of_stage |= dict.fromkeys(event["Stage IDs"], root_of[int(execution)])
        elif kind == "SparkListenerTaskEnd" and event["Stage ID"] in root_of_stage and event.get("Task Metrics"):
            query = queries[root_of_stage[event["Stage ID"]]]
            query.task_seconds += event["Task Metrics"]["Executor Run Time"] / 1000
            query.cpu_seconds += event["Task Metrics"]["Executor CPU Time"] / 1e9
    return list(queries.values())


def _about(description: str) -> str:
    """Shorten Spark's words for a query; where in this project it was called is worth knowing, where in Py4J is not."""
    return description.split("\n", maxsplit=1)[0].replace(" at NativeMethodAccessorImpl.java:0", "").replace(f"{PROJECT}/", "")


def _print(title: str, seconds: dict[str, float]) -> None:
    table = Table(title=f"{title} ({sum(seconds.values()):.1f} in all)", title_justify="left")
    for column in ("", "seconds"):
        table.add_column(column, justify="right" if column else "left")
    for name, value in sorted(seconds.items(), key=lambda item: -item[1]):
        if value >= 0.05:
            table.add_row(name, f"{value:.1f}")
    Console(width=140).print(table)


def _print_queries(queries: list[Query], limit: int) -> None:
    table = Table(title=f"Spark queries: {len(queries)}; the longest {limit} in the order they began", title_justify="left")
    for column in ("query", "tables", "begun at s", "seconds", "seconds of tasks", "CPU s of tasks"):
        table.add_column(column, justify="left" if column in ("query", "tables") else "right")
    begun = min((query.begun_at for query in queries), default=0.0)
    longest = sorted(queries, key=lambda query: query.begun_at - query.ended_at)[:limit]
    for query in sorted(longest, key=lambda query: query.begun_at):
        numbers = (query.begun_at - begun, query.ended_at - query.begun_at, query.task_seconds, query.cpu_seconds)
        table.add_row(query.about[:50], " ".join(query.tables), *(f"{number:.1f}" for number in numbers))
    Console(width=140).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m bench.profiling")
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--lake", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=25, help="queries to show")
    asked = parser.parse_args()
    profile(asked.landing, asked.lake, asked.limit)
    sys.exit(0)
