"""Objects as landing files: found by their keys, read as they were listed, and what is said where the store fails."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from spark_jobs import object_store
from spark_jobs.contracts import STAR
from spark_jobs.errors import InputMissing, ServiceUnreachable, SonglakeError
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.lock import lake_lock
from spark_jobs.lake.snapshot import counted_positions, read_files
from spark_jobs.landing.find import LandingFile, find_files
from spark_jobs.landing.opening import Changed, fetch_ahead, opened
from spark_jobs.landing.pack import read_lines
from spark_jobs.locations import ObjectPath
from spark_jobs.maintenance import maintain_lake
from tests.object_store import ObjectStore


def put(root: ObjectPath, keys: dict[str, bytes]) -> None:
    for key, content in keys.items():
        object_store.write(root / key, content)


def texts(file: LandingFile) -> list[str]:
    return [text.rstrip("\n") for lines in read_lines(file) for text in lines.lines.to_pylist()]


def test_files_are_told_by_their_keys_with_one_request_and_none_for_each(store: ObjectStore, bucket: ObjectPath) -> None:
    kept = {
        "log_data/2018/11/b c%20=#+ö.json": "events",
        "log_data/song_data/deep.CSV.GZ": "songs",
        "song-data/a\\b.ndjson": "songs",
        "x/log-data/e.jsonl": "events",
    }
    put(bucket / "zone", dict.fromkeys(kept, b"{}"))
    put(bucket / "zone", dict.fromkeys(["log_data/.x.json", "_tmp/log_data/x.json", "log_data/x.json.part", "log_data/.d/x.json"], b"{}"))
    put(bucket / "zone", dict.fromkeys(["log_data/notes.txt", "other/x.json"], b"{}"))
    put(bucket, {"zone2/log_data/x.json": b"{}", "log_data/x.json": b"{}"})
    store.client.put_object(Bucket=bucket.bucket, Key="zone/log_data/folder/", Body=b"")
    store.requests()
    found = find_files(bucket / "zone")
    assert {file.path: file.kind for file in found.files} == {path.replace("\\", r"\x5c"): kind for path, kind in kept.items()}
    assert found.unrecognised == ["log_data/notes.txt", "other/x.json"]
    assert [method for method, *_ in store.requests()] == ["GET"]
    now = datetime.now(UTC)
    assert all(file.size == 2 and abs((now - file.modified_at).total_seconds()) < 60 for file in found.files)
    assert {text for file in found.files if not file.is_gzip and not file.is_csv for text in texts(file)} == {"{}"}


def test_large_and_small_objects_are_read_whole_and_in_order_in_few_requests(store: ObjectStore, bucket: ObjectPath) -> None:
    large = b"".join(b'{"line": %07d}\n' % number for number in range(600_000))
    put(bucket, {"log_data/large.json": large, "log_data/packed.json.gz": gzip.compress(large), "log_data/empty.json": b""})
    put(bucket, {f"song_data/{n:03}.json": b'{"n": %d}' % n for n in range(100)})
    files = find_files(bucket).files
    store.requests()
    for file, fetched in fetch_ahead(files):
        with opened(file, fetched) as raw:
            read = gzip.GzipFile(fileobj=raw).read() if file.is_gzip else raw.read()
        if file.kind == "songs":
            assert read == b'{"n": %d}' % int(file.path[-8:-5])
        else:
            assert read == (b"" if "empty" in file.path else large)
    assert len(store.requests()) == 100 + 3 + 1


def test_an_object_replaced_or_removed_after_the_listing_is_left_for_the_next_run(store: ObjectStore, bucket: ObjectPath) -> None:
    put(bucket, {"log_data/a.json": b"{}", "log_data/b.json": b"{}", "log_data/c.json": b"{}\n" * 3_000_000})
    replaced, removed, large = find_files(bucket).files
    with opened(large) as raw:
        raw.read(10)
        put(bucket, {"log_data/a.json": b"[]", "log_data/c.json": b"[]\n" * 3_000_000})
        store.client.delete_object(Bucket=bucket.bucket, Key="log_data/b.json")
        with pytest.raises(FileNotFoundError):
            raw.read()
    for file in (replaced, removed):
        with pytest.raises(Changed):
            texts(file)


def test_one_object_that_may_not_be_read_is_unreadable_and_the_others_are_read(store: ObjectStore, bucket: ObjectPath) -> None:
    from spark_jobs.landing.lines import Unreadable

    put(bucket, {"log_data/a.json": b"{}"})
    [file] = find_files(bucket).files
    store.fail(path="GET .*a.json", status=403, code="AccessDenied")
    with pytest.raises(Unreadable, match="no permission"):
        texts(file)
    assert texts(file) == ["{}"]


def test_a_store_that_fails_for_a_moment_is_asked_again(store: ObjectStore, bucket: ObjectPath) -> None:
    put(bucket, {"log_data/a.json": b"{}"})
    store.fail(times=3, status=503)
    [file] = find_files(bucket).files
    store.fail(times=2, status=500, code="InternalError")
    assert texts(file) == ["{}"]


def nobody(bucket: ObjectPath, store: ObjectStore, patch: pytest.MonkeyPatch) -> ObjectPath:
    patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    return bucket


def throttled(bucket: ObjectPath, store: ObjectStore, patch: pytest.MonkeyPatch) -> ObjectPath:
    store.fail(times=1000, status=503)
    return bucket


def slow(bucket: ObjectPath, store: ObjectStore, patch: pytest.MonkeyPatch) -> ObjectPath:
    patch.setattr(object_store, "_ANSWER_SECONDS", 0.3)
    patch.setenv("AWS_REGION", "eu-slow-1")
    store.fail(times=1000, seconds=1)
    return bucket


def refused(bucket: ObjectPath, store: ObjectStore, patch: pytest.MonkeyPatch) -> ObjectPath:
    store.fail(times=1, status=403, code="InvalidAccessKeyId")
    return bucket


def no_bucket(bucket: ObjectPath, store: ObjectStore, patch: pytest.MonkeyPatch) -> ObjectPath:
    return ObjectPath("no-such-bucket", "landing")


def odd_key(bucket: ObjectPath, store: ObjectStore, patch: pytest.MonkeyPatch) -> ObjectPath:
    store.client.put_object(Bucket=bucket.bucket, Key="log_data//x.json", Body=b"{}")
    return bucket


Case = Callable[[ObjectPath, ObjectStore, pytest.MonkeyPatch], ObjectPath]


@pytest.mark.parametrize(
    ("case", "error", "says"),
    [
        (nobody, ServiceUnreachable, "does not answer for s3a://test-"),
        (throttled, ServiceUnreachable, "does not answer for s3a://test-"),
        (slow, ServiceUnreachable, "does not answer for s3a://test-"),
        (refused, ServiceUnreachable, "refuses access to s3a://test-"),
        (no_bucket, InputMissing, "no bucket for s3a://no-such-bucket/landing"),
        (odd_key, InputMissing, "log_data//x.json"),
    ],
)
def test_what_keeps_the_landing_zone_from_being_listed_is_said_in_a_sentence_soon(
    case: Case, error: type[SonglakeError], says: str, store: ObjectStore, bucket: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "_RETRIES", 3)
    object_store._connected.cache_clear()
    place, began = case(bucket, store, monkeypatch), time.monotonic()
    with pytest.raises(error) as told:
        find_files(place)
    object_store._connected.cache_clear()
    assert says in str(told.value)
    assert "secret" not in str(told.value)
    assert len(str(told.value)) < 600
    assert time.monotonic() - began < 60


def test_a_lake_without_a_bucket_is_missing_and_one_whose_store_is_away_is_not_damaged(
    store: ObjectStore, bucket: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = ObjectPath("no-such-bucket", "lake")
    with pytest.raises(InputMissing, match="no bucket"), lake_lock(nowhere, "ingest"):
        pass
    with pytest.raises(InputMissing, match="no bucket"):
        read_files(nowhere)
    assert read_files(bucket / "lake") == {}
    create_missing(bucket / "lake")
    assert read_files(bucket / "lake") == {}
    monkeypatch.setattr(object_store, "_RETRIES", 1)
    store.fail(times=1000, status=503)
    with pytest.raises(ServiceUnreachable, match="does not answer"):
        read_files(bucket / "lake")


def test_commits_of_deltalake_replace_none_and_maintenance_works_there(store: ObjectStore, bucket: ObjectPath) -> None:
    lake = bucket / "lake"
    store.requests()
    create_missing(lake)
    conditions = [condition for method, path, condition, _ in store.requests() if method == "PUT" and path.endswith("0.json")]
    assert conditions == ["*"] * 9, "deltalake could replace a commit"
    before = counted_positions(lake)
    with lake_lock(lake, "maintenance"):
        assert set(maintain_lake(lake, {}, keep_days=1)) == set(before) | {table.name for table in STAR}
    store.requests()
    assert counted_positions(lake) == before
    asked = [path for method, path, *_ in store.requests() if method == "GET"]
    assert any(path.endswith(".checkpoint.parquet") for path in asked)
