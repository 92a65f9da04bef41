"""Ten runs at once on growing deliveries end right, and whoever reads meanwhile sees whole deliveries."""

from __future__ import annotations

import shutil
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import IsolationLevel

from spark_jobs.contracts import STAR
from tests.e2e.conftest import Cli
from tests.oracle import Deliveries
from tests.scratch import wait_until
from tests.world import DAY, START, event, live_rows, song

RUNS = 10
FIRST_SEEN = {4: 0, 8: 4}
"""Deliveries that come once another was seen, so that there are states between the first and the last however slow the machine is."""
Tables = dict[str, list[tuple[Any, ...]]]


class Reader(threading.Thread):
    """Reads all of dwh again and again, each time in one snapshot, and keeps what it saw by the files that were live then."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.seen: dict[frozenset[str], Tables] = {}
        self.problems: list[object] = []
        self.over = threading.Event()

    def run(self) -> None:
        try:
            with psycopg.connect(self.url) as connection:
                connection.isolation_level = IsolationLevel.REPEATABLE_READ
                connection.execute("SET lock_timeout = '2s'")
                connection.commit()
                while not self.over.wait(0.2):
                    with connection.transaction():
                        self._look(connection)
        except BaseException as problem:
            self.problems.append(problem)

    def saw(self, number: int) -> bool:
        """Whether a delivery was seen, or nothing more will be."""
        return bool(self.problems) or any(f"log_data/{number}.json" in paths for paths in list(self.seen))

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        if connection.execute("SELECT to_regclass('dwh.songplays') IS NULL").fetchone() == (True,):
            return
        paths = frozenset(str(path) for (path,) in connection.execute("SELECT path FROM ops.files"))
        tables = {table.name: live_rows(connection, table) for table in STAR}
        if self.seen.setdefault(paths, tables) != tables:
            self.problems.append(f"two states of the same files: {sorted(paths)}")


def delivery(number: int) -> list[dict[str, Any]]:
    """A day of its own, one late play of the first day, and a user whose level changes."""
    level = "paid" if number % 2 else "free"
    today = [event(START + number * DAY + item, "1", number, item, level=level) for item in range(20)]
    return [*today, event(START + 1000 + number, "2", 100 + number, level=level)]


def run_until_done(cli: Cli, ended: list[int]) -> None:
    """Run as a person does who is told that another run is at work: again, until it is over."""
    while (code := cli("run").code) == 6:
        time.sleep(8)
    ended.append(code)


def expected(landing: Path, paths: frozenset[str], folder: Path) -> Tables:
    """What the oracle makes of some of the files."""
    folder.mkdir()
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(landing / path, folder / path)
    deliveries = Deliveries()
    deliveries.observe(folder)
    return {table.name: deliveries.warehouse().tables[table.name] for table in STAR}


def test_ten_runs_at_once_on_growing_deliveries_show_whole_deliveries_only(cli: Cli) -> None:
    world, ended = cli.world, []
    reader = Reader(world.url)
    reader.start()
    runs = []
    for number in range(RUNS):
        if number in FIRST_SEEN:
            assert wait_until(partial(reader.saw, FIRST_SEEN[number]), 600)
        world.write(f"log_data/{number}.json.tmp", delivery(number)).rename(world.landing / f"log_data/{number}.json")
        if number == RUNS // 2:
            world.write("song_data/late.json", [song()])
        run = threading.Thread(target=run_until_done, args=[cli, ended])
        run.start()
        runs.append(run)
        time.sleep(3)
    for run in runs:
        run.join()
    reader.over.set()
    reader.join()
    assert ended == [0] * RUNS
    assert reader.problems == []
    world.deliveries.observe(world.landing)
    world.check()
    assert len(reader.seen) > 2, "too few states were seen to say anything"
    for place, (paths, tables) in enumerate(reader.seen.items()):
        assert tables == expected(world.landing, paths, world.root / f"prefix-{place}")
