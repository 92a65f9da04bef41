"""The sensor's trigger on a landing zone in an object store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from landing_sensor import LandingTrigger

from spark_jobs import object_store
from spark_jobs.lake.creation import create_missing
from spark_jobs.landing.find import find_files
from spark_jobs.lateness import late_files
from spark_jobs.locations import ObjectPath
from tests.object_store import ObjectStore, endpoint


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with endpoint() as running:
        yield running


class Waiting(LandingTrigger):
    """A trigger that no other run waits behind."""

    async def _another_run_waits(self) -> bool:
        return False


def trigger(root: ObjectPath, **more: Any) -> Waiting:
    places = {"landing": str(root / "landing"), "lake": str(root / "lake")}
    return Waiting(**places, links_into=[], settle_seconds=0.6, poll_seconds=0.2, dag_id="songlake", **more)


async def fired(one: LandingTrigger, within: float = 240) -> dict[str, Any]:
    return dict((await asyncio.wait_for(anext(one.run()), within)).payload)


def test_it_fires_for_an_object_that_stands_still_also_after_the_store_was_away(
    store: ObjectStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "_RETRIES", 1)
    object_store._connected.cache_clear()
    root = store.bucket()
    create_missing(root / "lake")
    for path in ("landing/log_data/a.json", "landing/log_data/.hidden.json"):
        object_store.write(root / path, b"{}")
    store.fail(times=6, status=503)
    told = asyncio.run(fired(trigger(root)))
    said = capsys.readouterr().err
    assert {name: told[name] for name in ("files", "bytes", "first", "still_growing")} == {
        "files": 1,
        "bytes": 2,
        "first": ["log_data/a.json"],
        "still_growing": 0,
    }
    assert said.count("does not answer") == 1
    assert "secret" not in said


def test_after_a_failed_run_only_an_object_that_came_since_fires_at_once(store: ObjectStore) -> None:
    root, now = store.bucket(), datetime.now(UTC).timestamp()
    object_store.write(root / "landing/log_data/a.json", b"{}")
    before = trigger(root, not_before=now + 3600, failed_at=now + 60)
    with pytest.raises(TimeoutError):
        asyncio.run(fired(before, within=2))
    assert asyncio.run(fired(trigger(root, not_before=now + 3600, failed_at=now - 60)))["files"] == 1


def test_an_object_is_late_from_when_it_was_written(store: ObjectStore) -> None:
    root = store.bucket()
    object_store.write(root / "landing/log_data/a.json", b"{}")
    landing = find_files(root / "landing")
    assert late_files(landing, root / "lake", None, 60) == {}
    assert 0 <= late_files(landing, root / "lake", None, -1)["log_data/a.json"] < 60
