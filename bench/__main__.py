"""Measure a first load by whole cold processes, Songlake beside DuckDB, and prove that both made the same rows.

python -m bench --quick
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import typer
from psycopg import sql
from rich.console import Console
from rich.table import Table

from spark_jobs.contracts import STAR
from spark_jobs.generator import generate
from spark_jobs.warehouse import embedded
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.schema import ensure

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "data" / "bench"


@dataclass(frozen=True)
class Cost:
    """What one process and all it started cost."""

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end; memory and CPU time are sampled over the process tree.

    CPU time is summed from the last sample of each process, since a JVM that nobody waits for does not count as a child.
    """
    begun = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=PROJECT, stdout=subprocess.DEVNULL)
    peak, cpu = 0, dict[int, float]()
    while process.poll() is None:
        peak = max(peak, _sample(process.pid, cpu))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(time.monotonic() - begun, sum(cpu.values()), peak)


def _sample(pid: int, cpu: dict[int, float]) -> int:
    """Note the CPU time of each process of a tree and give their memory together."""
    total = 0
    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for one in tree:
        try:
            total += one.memory_info().rss
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        cpu[one.pid] = times.user + times.system
    return total


def digests(url: str) -> dict[str, tuple[int, str]]:
    """Count the rows of each table and digest them whatever their order."""
    query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(({})::text, 0)::numeric), 0)::text FROM {}")
    found = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in STAR:
            columns = sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.Identifier(column.name) for column in table.warehouse_columns))
            count, digest = connection.execute(query.format(columns, sql.Identifier("dwh", table.name))).fetchone() or (0, "")
            found[table.name] = (int(count), str(digest))
    return found


def fresh_database(server: str, name: str) -> str:
    """Create an empty warehouse; both contenders find the schema made."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = server.rsplit("/", 1)[0] + f"/{name}"
    with connect(url, application_name="bench") as connection:
        ensure(connection)
    return url


def main(quick: bool = False, rounds: int = 0) -> None:
    """Generate, load with each contender in interleaved rounds, compare, print."""
    events, songs, days = (100_000, 1_000, 10) if quick else (1_000_000, 15_000, 30)
    with tempfile.TemporaryDirectory(prefix="songlake-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        landing, home = root / "landing", root / "postgres"
        generate(landing, events=events, songs=songs, days=days, dirty=0)
        server = embedded.start(home)
        try:
            costs: dict[str, list[Cost]] = {"songlake": [], "duckdb": []}
            for number in range(rounds or (1 if quick else 3)):
                made = {}
                for name, taken in costs.items():
                    url = fresh_database(server, f"{name}_{number}")
                    lake = root / f"lake_{number}"
                    songlake = ["bin/songlake", "run", "--json", "--landing", str(landing), "--lake", str(lake)]
                    peer = [sys.executable, "-m", "bench.duckdb_load", str(landing)]
                    taken.append(measure(songlake if name == "songlake" else peer, {"WAREHOUSE_URL": url}))
                    made[name] = digests(url)
                differing = [table for table in made["songlake"] if made["songlake"][table] != made["duckdb"][table]]
                if differing:
                    raise SystemExit(f"The contenders made other rows in {', '.join(differing)}: {made}")
        finally:
            embedded.stop(home)
    _report(events, costs)


def _report(events: int, costs: dict[str, list[Cost]]) -> None:
    shown = Table(title=f"First load of {events:,} events, whole cold process; both made the same rows", title_justify="left")
    for column in ("contender", "wall s (min, max)", "CPU s", "peak RSS GiB"):
        shown.add_column(column)
    medians = {}
    for name, taken in costs.items():
        walls = [cost.wall_seconds for cost in taken]
        cpu, rss = statistics.median(cost.cpu_seconds for cost in taken), max(cost.peak_rss_bytes for cost in taken)
        medians[name] = (statistics.median(walls), cpu)
        shown.add_row(name, f"{medians[name][0]:.1f} ({min(walls):.1f}, {max(walls):.1f})", f"{cpu:.1f}", f"{rss / 2**30:.2f}")
    shown.add_row(
        "ratio", f"{medians['songlake'][0] / medians['duckdb'][0]:.1f}", f"{medians['songlake'][1] / medians['duckdb'][1]:.1f}", ""
    )
    Console().print(shown)
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {name: [vars(cost) for cost in taken] for name, taken in costs.items()}
    (RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json").write_text(json.dumps({"events": events, "cores": os.cpu_count(), **result}))


if __name__ == "__main__":
    typer.run(main)
