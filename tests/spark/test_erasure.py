"""A person who is erased is nowhere any more, and everything else is as if their lines had never come."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from spark_jobs import erasure
from spark_jobs.console import Stages
from spark_jobs.contracts import EVENTS, SONGPLAYS, USERS
from spark_jobs.lake import log, snapshot
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.landing.person import Person
from spark_jobs.session import start_session
from tests.world import DAY, START, World, event, song

MARK = "Zanzibarina"
"""In every line of the person and in no other."""
THEM = 9_223_372_036_000_026
"""Their user id, a number that comes up nowhere by chance."""


def theirs(ts: int = START, item: object = 0, **more: Any) -> dict[str, Any]:
    return event(ts, str(THEM), session=77, item=item, **{"firstName": MARK, "song": MARK, "location": MARK, **more})


def others(ts: int = START, count: int = 25) -> list[dict[str, Any]]:
    return [event(ts + number, str(number % 3), session=number % 3, item=number, firstName=f"Name{number % 3}") for number in range(count)]


def as_csv(*lines: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def as_json(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def deliver(world: World) -> None:
    """One user in every format, accepted, repeated, refused, alone in a file, and in files that will be archived."""
    broken = as_json(theirs(ts=START, item="no number")) + f'{{"userId": {THEM}.0, "firstName": "{MARK}'.encode() + b"\n"
    world.write("log_data/1.json", as_json(*others(), theirs(), theirs(START + 5), theirs(userId=float(THEM), level="paid")) + broken)
    world.write("log_data/2.csv", as_csv(theirs(START + DAY, location=f'"{MARK}"\nthere'), *others(START + DAY)))
    world.write("log_data/3.jsonl.gz", gzip.compress(as_json(*others(START + 2 * DAY), theirs(START + 2 * DAY))))
    world.write("log_data/alone.json", as_json(theirs(START + 3 * DAY), theirs(START + 3 * DAY, page="Home")))
    world.write("log_data/archived.json", as_json(*others(START + 4 * DAY), theirs(START + 4 * DAY)) + broken + b"not json\n")
    world.write("log_data/archived.csv", as_csv(*others(START + 6 * DAY), theirs(START + 4 * DAY, 3)) + f"{THEM},{MARK}\r\n".encode())
    world.write("song_data/1.json", [song(), song("SO2", title=MARK[:-1])])


def archive(world: World) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in world.landing.glob("log_data/archived.*")}
    for name in files:
        (world.landing / "log_data" / name).unlink()
    return files


def expect_erased(world: World) -> None:
    """Let the oracle see what is in the landing zone now, and the archived files as they would be without the person."""
    versions = world.deliveries._versions
    size = {path: versions[path].file.size for path in ("log_data/archived.json", "log_data/archived.csv")}
    for path in size:
        modified_at = versions[path].file.modified_at / 1_000_000
        world.write(path, ARCHIVED[path], modified_at)
    world.deliveries.observe(world.landing)
    archive(world)
    for path, before in size.items():
        versions[path] = replace(versions[path], file=replace(versions[path].file, size=before))


ARCHIVED = {
    "log_data/archived.json": as_json(*others(START + 4 * DAY)) + b"not json\n",
    "log_data/archived.csv": as_csv(*others(START + 6 * DAY)),
}


def erase(world: World) -> erasure.Erased:
    return erasure.erase(world.settings(), Person(THEM), Stages())


def traces(world: World) -> list[str]:
    """Name every place that still holds something of them: bytes of landing and lake, Parquet decoded, tables and their statistics."""
    return [where for where, text in [*_in_files(world.root), *_in_database(world.url)] if MARK in text or str(THEM) in text]


def _in_files(root: Path) -> Iterator[tuple[str, str]]:
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            yield str(path.relative_to(root)), f"{path.name} {content.decode('latin-1')}"
            if path.suffix == ".parquet":
                table = pq.ParquetFile(path)
                yield f"rows of {path.relative_to(root)}", f"{table.read().to_pylist()} {table.metadata.to_dict()}"


def _in_database(url: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pageinspect")
        ours = "relkind IN ('r', 'v') AND relnamespace IN ('dwh'::regnamespace, 'staging'::regnamespace, 'ops'::regnamespace)"
        sizes = f"SELECT oid::regclass::text, pg_relation_size(oid) / 8192 FROM pg_class WHERE {ours}"
        for name, pages in connection.execute(sizes).fetchall():
            yield name, repr(connection.execute(f"SELECT t::text FROM {name} t").fetchall())
            for page in range(pages):
                tuples = connection.execute("SELECT t_data FROM heap_page_items(get_raw_page(%s, %s))", [name, page]).fetchall()
                yield f"dead rows of {name}", "".join(bytes(data or b"").decode("latin-1") for (data,) in tuples)
        yield "statistics", repr(connection.execute("SELECT t::text FROM pg_stats t").fetchall())


class Died(Exception):
    """Stands for the process ending there."""


def die_at(place: str, reached: str) -> None:
    if reached == place:
        raise Died


def test_erased_by_a_process_that_breaks_off_after_every_step_a_person_is_nowhere_and_all_else_equals_the_oracle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(world)
    assert world.run().published
    world.check()
    archive(world)
    before = traces(world)
    assert {where.split("/")[0] for where in before} >= {"landing", "lake", "rows of lake", "dwh.users", "dwh.songplays", "statistics"}
    assert erasure.search(world.settings(), Person(THEM), lambda path: None).by_file() == {
        "log_data/1.json": (5, 4),
        "log_data/2.csv": (1, 1),
        "log_data/3.jsonl.gz": (1, 1),
        "log_data/alone.json": (2, 1),
        "log_data/archived.csv": (0, 2),
        "log_data/archived.json": (0, 3),
    }
    assert traces(world) == before
    for place in ("rewritten", "read again", "withdrawn", "refreshed", "begun anew", "live"):
        monkeypatch.setattr(erasure, "pause_at", partial(die_at, place))
        with pytest.raises(Died):
            erase(world)
    monkeypatch.undo()
    done = erase(world)
    assert (done.lines, done.withdrawn, done.summary.published) == (0, 0, True)
    assert traces(world) == []
    expect_erased(world)
    world.check()
    _deliver_more_and_see_that_it_costs_a_days_work(world)


def _deliver_more_and_see_that_it_costs_a_days_work(world: World) -> None:
    world.write("log_data/1.json", as_json(*others(count=20)))
    world.write("log_data/4.json", as_json(*others(START + 5 * DAY)))
    world.deliveries.observe(world.landing)
    ingest(find_files(world.landing), world.lake, start_session)
    counted = snapshot.require_counted(world.lake)
    assert all(
        log.has_feed(world.lake, EVENTS, log.bookmark(world.lake, table)["events"], counted["events"]) for table in (SONGPLAYS, USERS)
    )
    summary = world.run()
    world.check()
    assert (summary.tables["songplays"].deleted, summary.tables["users"].inserted) == (5, 0)
