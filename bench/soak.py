"""Deliver hour files one batch after another, kill the process every so often, and see what grows and what does not.

make soak                # 200 batches, about 40 minutes
make soak BATCHES=40

Every `KILL_EVERY` batches the whole process is killed at a random moment and started again; every `MAINTAIN_EVERY` batches the
weekly maintenance runs. At the end lake and warehouse are compared with the tests' oracle, row by row. What was measured after each
batch is kept in `data/bench/soak-*.jsonl`; the summary compares the first and the last fifth.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import altair as alt
import psutil
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bench.measure import PROJECT
from bench.results import RESULTS
from bench.warehouses import fresh_database
from spark_jobs.generator import generate
from spark_jobs.warehouse import embedded
from tests.world import World

EVENTS_AN_HOUR, SONGS, HOURS_A_DAY = 250, 1_000, 24
KILL_EVERY, MAINTAIN_EVERY = 20, 50
LONGEST_LIFE_SECONDS = 12.0
MEASURES = {
    "seconds": "seconds a batch",
    "cpu_seconds": "CPU seconds a batch",
    "rss_mib": "memory of all its processes, MiB",
    "open_files": "open files",
    "log_kib_a_batch": "Delta logs, KiB a batch",
    "lake_files": "files in the lake",
    "lake_mib": "lake, MiB",
    "database_mib": "database, MiB",
}


def hours(source: Path, batches: int) -> Iterator[list[tuple[str, bytes]]]:
    """Cut each day's own file into hours; what else was sent that day comes with its last hour, songs with the first of all."""
    songs = [(str(path.relative_to(source)), path.read_bytes()) for path in sorted((source / "song_data").rglob("*.*"))]
    made = 0
    for day in sorted((source / "log_data").rglob("*-events.json")):
        lines = day.read_bytes().splitlines(keepends=True)
        others = [path for path in day.parents[2].rglob(f"*{day.name[:10]}*") if path.is_file() and path != day]
        for hour in range(HOURS_A_DAY):
            piece = b"".join(lines[len(lines) * hour // HOURS_A_DAY : len(lines) * (hour + 1) // HOURS_A_DAY])
            files = [(f"log_data/{day.name[:10]}/{hour:02}.json", piece)]
            if hour == HOURS_A_DAY - 1:
                files += [(str(path.relative_to(source)), path.read_bytes()) for path in others]
            yield files + (songs if made == 0 else [])
            made += 1
            if made == batches:
                return


class Worker:
    """The process under test with all it starts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.errors = (world.root / "worker.log").open("a")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        given = {"WAREHOUSE_URL": self.world.url, "SONGLAKE_LANDING": str(self.world.landing), "SONGLAKE_LAKE": str(self.world.lake)}
        return subprocess.Popen(
            ["bash", "-c", '. bin/env.sh && exec "$PYSPARK_PYTHON" -m bench.soak_worker'],
            cwd=PROJECT,
            env={**os.environ, **given},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
        )

    def ask(self, command: str) -> float:
        """Give a command and wait; tells the seconds it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"The worker ended while it did '{command}'; see {self.errors.name}.")
        return float(json.loads(answer)["seconds"])

    def tree(self) -> list[psutil.Process]:
        """The process and what it started."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def kill_within(self, seconds: float) -> None:
        """Begin a batch and kill everything at a random moment of it; then start anew."""
        assert self.process.stdin is not None
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        time.sleep(random.uniform(0, seconds))
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self._start()

    def end(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


def measured(worker: Worker, cpu_before: float, batch: int) -> tuple[dict[str, Any], float]:
    """Everything that must not grow, after a batch; and the CPU time up to now."""
    tree = worker.tree()
    cpu = sum(process.cpu_times().user + process.cpu_times().system for process in tree)
    files = [path for path in worker.world.lake.rglob("*") if path.is_file()]
    logs = sum(path.stat().st_size for path in files if "_delta_log" in path.parts)
    with psycopg.connect(worker.world.url) as connection:
        (database,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return {
        "cpu_seconds": round(cpu - cpu_before, 2),
        "rss_mib": sum(process.memory_info().rss for process in tree) >> 20,
        "open_files": sum(process.num_fds() for process in tree),
        "log_kib_a_batch": round(logs / 1024 / (batch + 1)),
        "lake_files": len(files),
        "lake_mib": round(sum(path.stat().st_size for path in files) / 2**20, 1),
        "database_mib": round(database / 2**20, 1),
    }, cpu


def soak(world: World, source: Path, batches: int, results: Path) -> list[dict[str, Any]]:
    """Deliver and measure; Ctrl-C ends it after the batch at work."""
    worker, rows, cpu = Worker(world), [], 0.0
    with results.open("w") as kept, suppress(KeyboardInterrupt):
        for batch, files in enumerate(hours(source, batches)):
            for path, content in files:
                target = world.landing / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            world.deliveries.observe(world.landing)
            killed = batch % KILL_EVERY == KILL_EVERY - 1
            if killed:
                worker.kill_within(LONGEST_LIFE_SECONDS)
                cpu = 0.0
            if batch % MAINTAIN_EVERY == MAINTAIN_EVERY - 1:
                worker.ask("maintain")
            seconds = worker.ask("run")
            found, cpu = measured(worker, cpu, batch)
            rows.append({"batch": batch, "killed": killed, "seconds": seconds, **found})
            kept.write(json.dumps(rows[-1]) + "\n")
            kept.flush()
            Console(stderr=True).print(f"batch {batch + 1} of {batches}: {seconds:.1f} s", highlight=False)
    worker.end()
    return rows


def print_summary(rows: list[dict[str, Any]]) -> None:
    """Compare the first and the last fifth, first batches of a process left out, as these start Spark."""
    warm = [row for row in rows[1:] if not row["killed"]]
    fifth = max(1, len(warm) // 5)
    shown = Table(
        title=f"{len(rows)} batches, {sum(row['killed'] for row in rows)} kills; everything equals the oracle", title_justify="left"
    )
    for column in ("", f"first {fifth}", f"last {fifth}", "greatest"):
        shown.add_column(column, justify="left" if not column else "right")
    for name, label in MEASURES.items():
        first, last = (statistics.median(row[name] for row in part) for part in (warm[:fifth], warm[-fifth:]))
        shown.add_row(label, f"{first:,.1f}", f"{last:,.1f}", f"{max(row[name] for row in warm):,.1f}")
    Console().print(shown)


def draw(rows: list[dict[str, Any]], picture: Path) -> None:
    """Draw every measure over the batches."""
    warm = [row for row in rows[1:] if not row["killed"]]
    data = [{"batch": row["batch"], "measure": label, "value": row[name]} for row in warm for name, label in MEASURES.items()]
    value = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True))
    lines = alt.Chart(alt.Data(values=data)).mark_line(strokeWidth=1).encode(x=alt.X("batch:Q", title=None), y=value)
    facets = lines.properties(width=230, height=110).facet(facet=alt.Facet("measure:N", title=None), columns=3)
    facets.resolve_scale(y="independent").save(picture)


def main(batches: int = 200) -> None:
    """Run the soak and tell what it found."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = f"soak-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    folder = Path(tempfile.mkdtemp(prefix="songlake-soak-"))
    folder.chmod(0o755)
    home = folder / "postgres"
    days = -(-batches // HOURS_A_DAY)
    generate(folder / "source", events=days * HOURS_A_DAY * EVENTS_AN_HOUR, songs=SONGS, days=days)
    try:
        world = World(folder, fresh_database(embedded.start(home), "soak"))
        world.landing.mkdir()
        rows = soak(world, folder / "source", batches, RESULTS / f"{name}.jsonl")
        world.check()
    finally:
        embedded.stop(home)
    shutil.rmtree(folder)
    print_summary(rows)
    draw(rows, RESULTS / f"{name}.svg")
    Console().print(f"Each batch: {RESULTS / name}.jsonl; drawn: {name}.svg beside it")


if __name__ == "__main__":
    typer.run(main)
