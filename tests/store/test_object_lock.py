"""One writer at a time on a lake in an object store."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import psutil
import pytest

from spark_jobs import object_store
from spark_jobs.errors import LockHeld
from spark_jobs.lake import object_lock
from spark_jobs.lake.lock import lake_lock
from spark_jobs.locations import ObjectPath
from tests.object_store import ObjectStore
from tests.scratch import wait_until
from tests.sparkenv import PROJECT

HOLD = """
import sys, time
from spark_jobs.lake.lock import lake_lock
from spark_jobs.locations import ObjectPath
with lake_lock(ObjectPath(sys.argv[1], "lake"), "ingest"):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(**other: object) -> bytes:
    return json.dumps({"owner": "ingest", "host": "elsewhere", "pid": 7, "started": 1.0, "sign": "x", **other}).encode()


@pytest.fixture
def lake(bucket: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> ObjectPath:
    # The lease stays as long as it is: a busy machine shows its signs late.
    monkeypatch.setattr(object_lock, "_RENEWED_EVERY", 0.3)
    return bucket / "lake"


def wait_for_signs(lake: ObjectPath, count: int) -> None:
    """Wait until the holder has shown so many more signs of life."""

    def sign() -> str:
        return object_store.read(lake / ".lock")[1]

    for _ in range(count):
        before = sign()
        assert wait_until(lambda before=before: sign() != before, 60, every=0.05), "the holder shows no sign of life"


def test_the_second_is_told_who_writes_and_comes_in_when_that_one_is_done(lake: ObjectPath) -> None:
    with lake_lock(lake, "songlake run"):
        wait_for_signs(lake, 2)
        with pytest.raises(LockHeld, match=r"written by songlake run \(pid \d+ on "), lake_lock(lake, "ingest"):
            pass
    with lake_lock(lake, "ingest"):
        pass


def test_a_killed_holder_of_this_machine_is_followed_at_once(lake: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, lake.bucket], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(LockHeld, match="written by ingest"), lake_lock(lake, "songlake run"):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    monkeypatch.setattr(object_lock, "sleep", lambda _: pytest.fail("it was watched first"))
    with lake_lock(lake, "songlake run"):
        pass


def test_a_holder_elsewhere_is_followed_after_its_lease_and_not_before(lake: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    object_store.create(lake / ".lock", holder())
    with pytest.raises(LockHeld, match="written by ingest"), lake_lock(lake, "songlake run"):
        pass
    monkeypatch.setattr(object_lock, "time", SimpleNamespace(time=lambda: time.time() + object_lock._LEASE))
    with lake_lock(lake, "songlake run"):
        pass


def test_a_holder_that_lives_is_not_followed_although_clocks_differ(lake: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = object_store.create(lake / ".lock", holder())
    assert etag is not None
    monkeypatch.setattr(object_lock, "_LEASE", -3600.0)
    watched = []

    def meanwhile(seconds: float) -> None:
        watched.append(seconds)
        object_store.replace(lake / ".lock", holder(sign="y"), etag)

    monkeypatch.setattr(object_lock, "sleep", meanwhile)
    with pytest.raises(LockHeld), lake_lock(lake, "songlake run"):
        pass
    assert watched == [0.6]


def test_a_dead_holder_elsewhere_is_followed_although_this_clock_is_hours_behind(lake: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    object_store.create(lake / ".lock", holder())
    monkeypatch.setattr(object_lock, "time", SimpleNamespace(time=lambda: time.time() - 7200))
    with lake_lock(lake, "songlake run"):
        pass


def test_a_holder_of_this_machine_lives_on_when_the_clock_is_set(lake: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    with lake_lock(lake, "ingest"):
        booted = psutil.boot_time()
        monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted + 1)
        with pytest.raises(LockHeld, match="written by ingest"), lake_lock(lake, "songlake run"):
            pass


@pytest.mark.parametrize("fault", [{"status": 503}, {"cut": True}], ids=["a fault for an answer", "no answer"])
@pytest.mark.parametrize("retries", [6, 0], ids=["tried again", "given up"])
def test_a_holder_whose_sign_was_written_but_never_answered_is_not_told_that_another_took_over(
    lake: ObjectPath, store: ObjectStore, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object], retries: int
) -> None:
    monkeypatch.setattr(object_store, "_RETRIES", retries)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"known-by-{retries}")  # connections are kept by environment
    with lake_lock(lake, "songlake run"):
        store.fail(path=r"PUT .*\.lock", applied=True, **fault)
        wait_for_signs(lake, 3)


def test_a_holder_whose_freeing_was_never_answered_is_not_told_that_another_took_over(
    lake: ObjectPath, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = object_store.replace

    def unheard(place: ObjectPath, content: bytes, etag: str) -> str | None:
        if not content:
            store.fail(path=r"PUT .*\.lock", applied=True, status=503)
        return replace(place, content, etag)

    monkeypatch.setattr(object_store, "replace", unheard)
    with lake_lock(lake, "songlake run"):
        pass
    assert object_store.read(lake / ".lock")[0] == b""


def test_who_was_taken_for_dead_learns_it_and_leaves_the_lock_to_the_follower(lake: ObjectPath) -> None:
    def be_followed() -> None:
        with lake_lock(lake, "songlake run"):
            _, etag = object_store.read(lake / ".lock")
            while not object_store.replace(lake / ".lock", holder(), etag):
                _, etag = object_store.read(lake / ".lock")

    with pytest.raises(LockHeld, match="no sign of life"):
        be_followed()
    assert object_store.read(lake / ".lock")[0] == holder()


def test_a_failure_inside_frees_the_lock(lake: ObjectPath) -> None:
    with pytest.raises(ZeroDivisionError), lake_lock(lake, "songlake run"):
        _ = 1 / 0
    with lake_lock(lake, "ingest"):
        pass


def test_a_lock_that_could_not_be_freed_keeps_nobody_of_this_machine_out(lake: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    with lake_lock(lake, "songlake run"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        monkeypatch.setattr(object_store, "_RETRIES", 0)
    monkeypatch.undo()
    with lake_lock(lake, "songlake run"):
        pass


def test_of_many_at_once_one_comes_in(bucket: ObjectPath) -> None:
    came: list[int] = []
    lake, together = bucket / "lake", threading.Barrier(8)

    def take(number: int) -> None:
        together.wait()
        try:
            object_lock._take(lake, object_lock._Holder("run", "elsewhere", number, 1.0))
            came.append(number)
        except LockHeld:
            pass

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 1
