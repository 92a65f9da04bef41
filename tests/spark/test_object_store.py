"""The pipeline on an object store: same rows as on a disk, and the same after its faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.object_store import ObjectStore, ObjectWorld, endpoint
from tests.world import DAY, START, event, song


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with endpoint() as running:
        yield running


@pytest.fixture
def world(spark: SparkSession, warehouse_url: str, tmp_path: Path, store: ObjectStore) -> ObjectWorld:
    return ObjectWorld(tmp_path, warehouse_url, bucket=store.bucket())


def test_deliveries_into_an_object_store_end_as_the_oracle_says(world: ObjectWorld, store: ObjectStore) -> None:
    world.write("song_data/A/a.json", [song("SO1"), song("SO2", title="Another")])
    world.write("log_data/2018/11/day 1 ö=%41#.json", [event(START), event(START + 1, user="2", item=1), event(START, item=2)])
    world.write("log_data/2018/11/broken.json.gz", b"no gzip")
    world.run()
    world.check()

    again = world.run()
    assert (again.ingest_batch, again.load_batch) == (None, None)

    world.write("log_data/late.csv", "ts,userId,sessionId,itemInSession,page,level\n" + f"{START - DAY},9,4,0,Home,free\n")
    world.write("log_data/2018/11/day 1 ö=%41#.json", [event(START, level="paid"), event(START + DAY, user="3", item=7)])
    world.write("song_data/B/late.json", [song("SO0")])
    world.run()
    world.check()
