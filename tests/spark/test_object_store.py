"""The pipeline on an object store: same rows as on a disk, and right again after the store's faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs import status
from spark_jobs.console import Stages
from spark_jobs.model.renewal import renew
from spark_jobs.trace.play import trace_play
from tests.object_store import ObjectStore, ObjectWorld, endpoint
from tests.sparkenv import PROJECT
from tests.world import DAY, START, event, song

COMMIT = re.compile(r"/_delta_log/\d{20}\.json")


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    if not list((PROJECT / ".cache" / "jars-s3").glob("*.jar")):
        pytest.skip("the jars for s3a:// are not here: make setup-s3")
    with endpoint() as running:
        yield running


@pytest.fixture
def world(spark: SparkSession, warehouse_url: str, tmp_path: Path, store: ObjectStore) -> ObjectWorld:
    # A file system of Hadoop takes its settings when it is first used, so this bucket's gives up sooner than others.
    spark.sparkContext._jsc.hadoopConfiguration().set("fs.s3a.retry.throttle.limit", "2")
    return ObjectWorld(tmp_path, warehouse_url, bucket=store.bucket())


def test_deliveries_into_an_object_store_end_as_the_oracle_says(
    world: ObjectWorld, store: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    world.write("song_data/A/a.json", [song("SO1"), song("SO2", title="Another")])
    world.write("log_data/2018/11/day 1 ö=%41#.json", [event(START), event(START + 1, user="2", item=1), event(START, item=2)])
    world.write("log_data/2018/11/broken.json.gz", b"no gzip")
    world.write("log_data/refused.json", "\n".join(["not json", *(json.dumps(event(START + n, session=2, item=n)) for n in range(30))]))

    store.fail(times=10_000, path=r"PUT .*/lake/files/_delta_log/0+1\.json", status=503)
    assert world.attempt() == 5
    said = capsys.readouterr().err
    assert "The object store does not answer" in said
    assert "secret" not in said
    assert "Traceback" not in said

    store.fail(times=0)
    store.requests()
    world.run()
    world.check()
    commits = [path for method, path, *_ in store.requests() if method == "PUT" and COMMIT.search(path)]
    assert len(commits) == len(set(commits)) >= 8

    world.write("log_data/late.csv", f"ts,userId,sessionId,itemInSession,page,level\n{START - DAY},9,4,0,Home,free\n")
    world.write("log_data/2018/11/day 1 ö=%41#.json", [event(START, level="paid"), event(START + DAY, user="3", item=7)])
    world.write("song_data/B/late.json", [song("SO0")])
    status.show(world.settings(), as_json=True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sorted(told["waiting"]) == ["log_data/2018/11/day 1 ö=%41#.json", "log_data/late.csv", "song_data/B/late.json"]
    assert told["unreadable"] == {"log_data/2018/11/broken.json.gz": "not a gzip file (Not a gzipped file (b'no'))"}

    store.fail(times=40, path="GET|HEAD|PUT", seconds=0.1)
    world.run()
    world.check()
    again = world.run()
    assert (again.ingest_batch, again.load_batch) == (None, None)
    status.show_rejects(world.lake, "*", None, 5, as_json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["raw_line"] == "not json"
    traces = [trace_play(world.settings(), key) for key in (f"{START}-1-0-1", f"{START + DAY}-1-7-3", f"{START - DAY}-4-0-9")]
    assert [(trace.source.file, trace.source.lines[0].number, trace.source.note) for trace in traces] == [
        ("log_data/2018/11/day 1 ö=%41#.json", 1, None),
        ("log_data/2018/11/day 1 ö=%41#.json", 2, None),
        ("log_data/late.csv", 2, None),
    ]


def test_recommendations_are_made_of_a_lake_in_an_object_store_and_nothing_of_the_work_stays_there(
    world: ObjectWorld, store: ObjectStore
) -> None:
    world.write("log_data/plays.json", [event(user="1"), event(user="2", item=1), event(user="2", item=2, artist="Björk")])
    world.run()
    run = renew(world.settings(), Stages())
    assert run is not None
    assert (run.chosen, run.row_count) == ("popularity", 1)
    # Asked of the store itself: what stands for a folder there has a name that not every client tells.
    left = store.client.list_objects_v2(Bucket=world.bucket.bucket, Prefix="lake/_spool")
    assert [found["Key"] for found in left.get("Contents", [])] == []
