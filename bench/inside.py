"""What is measured inside one Spark session, against the plain way to do the same: ingest, small files, staging, publish.

    . bin/env.sh && python -m bench.inside ingest 1000000 3 FOLDER      (WAREHOUSE_URL in the environment)

Each side does the work once before anything counts, so that none pays for starting Spark. Who begins changes from round to round.
The last line it prints is the costs, by work and side.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from bench.inside_load import Loading
from bench.measure import Tree
from spark_jobs.contracts import EVENTS
from spark_jobs.generator import generate
from spark_jobs.lake import log
from spark_jobs.lake.creation import create_missing
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.session import start_session

EVENT_SCHEMA = (
    "artist STRING, auth STRING, firstName STRING, gender STRING, itemInSession INT, lastName STRING, length DOUBLE, level STRING, "
    "location STRING, method STRING, page STRING, registration DOUBLE, sessionId BIGINT, song STRING, status INT, ts BIGINT, "
    "userAgent STRING, userId STRING"
)
SONG_SCHEMA = (
    "artist_id STRING, artist_latitude DOUBLE, artist_longitude DOUBLE, artist_location STRING, artist_name STRING, duration DOUBLE, "
    "num_songs INT, song_id STRING, title STRING, year INT"
)


@dataclass(frozen=True)
class Side:
    """One way to do a work.

    Attributes:
        act: Does it, and tells how many rows that were.
        prepare: What must be there before; its time does not count.
    """

    act: Callable[[], int]
    prepare: Callable[[], object] = lambda: None


Sides = Mapping[str, Side]


def ingest_events(size: int, folder: Path) -> dict[str, Sides]:
    """Songlake's ingest of day files, and Spark's typed read of them with an append of the same rows to the same kind of table."""
    landing, spark = folder / "landing", start_session(full_compiler=True)
    generate(landing, events=size, songs=0, days=10, dirty=0)
    for other in (*landing.rglob("*.csv"), *landing.rglob("*.gz"), *landing.rglob("*redelivered.json")):
        other.unlink()
    names = {"user_id": F.expr("try_cast(userId AS BIGINT)"), "event_date": F.expr("to_date(timestamp_millis(ts))")}
    names |= {"source_file": F.col("_metadata.file_path"), "source_modified_at": F.col("_metadata.file_modification_time")}
    names |= {"batch_id": F.lit("plain")}

    lake = folder / "plain"

    def prepare() -> None:
        shutil.rmtree(lake, ignore_errors=True)
        create_missing(lake)

    def plain() -> int:
        rows = spark.read.schema(EVENT_SCHEMA).json(str(landing / "log_data" / "*" / "*"))
        chosen = [names.get(name, F.col(_camel(name))).alias(name) for name in EVENTS.column_names]
        rows.select(*chosen).write.format("delta").mode("append").save(str(log.lake_path(lake, EVENTS)))
        return size

    return {"ingest": {"songlake": _ingest(landing, folder), "spark": Side(plain, prepare)}}


def ingest_songs(size: int, folder: Path) -> dict[str, Sides]:
    """Songlake's ingest of one-song files, and Spark's mere reading of them by a glob with a schema."""
    landing, spark = folder / "landing", start_session(full_compiler=True)
    generate(landing, events=0, songs=size, dirty=0)

    def plain() -> int:
        spark.read.schema(SONG_SCHEMA).json(str(landing / "song_data" / "*" / "*" / "*")).write.format("noop").mode("overwrite").save()
        return size

    sides = {"songlake": _ingest(landing, folder), "spark": Side(plain)}
    return {"songs": sides if size < 20_000 else {"songlake": sides["songlake"]}}


def _ingest(landing: Path, folder: Path) -> Side:
    lake = folder / "lake"

    def act() -> int:
        done = ingest(find_files(landing), lake, lambda: start_session(full_compiler=True))
        return sum(record.accepted for record in done.files)

    return Side(act, lambda: shutil.rmtree(lake, ignore_errors=True))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def load(size: int, folder: Path) -> dict[str, Sides]:
    """Staging against a default JDBC write of the same rows, and publish against a plain INSERT … SELECT of them."""
    landing, lake = folder / "landing", folder / "lake"
    generate(landing, events=size, dirty=0, songs=15_000, days=10)
    loading = Loading(os.environ["WAREHOUSE_URL"], landing, lake, start_session(full_compiler=True))
    return {
        "staging": {"songlake": Side(loading.stage, loading.begin), "spark": Side(loading.write_by_default, loading.begin)},
        "apply": {
            "songlake": Side(loading.publish, loading.begin_staged),
            "insert": Side(loading.insert_plainly, loading.begin_staged),
        },
    }


WORKS: dict[str, Callable[[int, Path], dict[str, Sides]]] = {"ingest": ingest_events, "songs": ingest_songs, "load": load}


def timed(side: Side) -> dict[str, Any]:
    """Do it once; CPU time and memory are those of this process and its JVM."""
    side.prepare()
    tree = Tree(os.getpid())
    tree.sample()
    before, begun = tree.cpu_seconds, time.monotonic()
    rows = side.act()
    wall = time.monotonic() - begun
    tree.sample()
    return {"wall_seconds": wall, "cpu_seconds": tree.cpu_seconds - before, "peak_rss_bytes": tree.peak_rss_bytes, "rows": rows}


def main(work: str, size: int, rounds: int, folder: Path) -> None:
    """Measure a work round by round, after one that does not count."""
    works = WORKS[work](size, folder)
    costs: dict[str, dict[str, list[dict[str, Any]]]] = {name: {side: [] for side in sides} for name, sides in works.items()}
    for number in range(rounds + 1):
        for name, sides in works.items():
            for side in list(sides)[:: 1 if number % 2 else -1]:
                cost = timed(sides[side])
                sys.stderr.write(f"{name}, round {number} of {rounds}: {side} {cost['wall_seconds']:.1f} s\n")
                if number:
                    costs[name][side].append(cost)
    sys.stdout.write("\n" + json.dumps(costs) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
