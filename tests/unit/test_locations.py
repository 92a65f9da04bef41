"""Landing zone and lake by path or by address, and what is told where an object store fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_jobs import settings
from spark_jobs.errors import BadUsage, ServiceUnreachable
from spark_jobs.landing.find import find_files
from spark_jobs.locations import ObjectPath, location, on_disk
from spark_jobs.store_faults import store_fault


def test_an_address_is_a_place_and_everything_else_a_path() -> None:
    assert location("s3a://songs.example/landing/2018/") == ObjectPath("songs.example", "landing/2018")
    assert str(location("s3a://songs.example/landing/2018/") / "log_data") == "s3a://songs.example/landing/2018/log_data"
    assert str(ObjectPath("songs.example") / "log_data") == "s3a://songs.example/log_data"
    assert location("data/s3a") == Path("data/s3a")


@pytest.mark.parametrize(
    "address",
    ["s3://bucket/x", "s3a:///x", "s3a://x", "s3a://Bucket/x", "s3a://key:secret@bucket/x", "s3a://bucket/a//b", "s3a://bucket/a/../b"],
)
def test_an_odd_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(BadUsage) as refused:
        settings.load(landing=address)
    assert address not in str(refused.value)
    assert "s3a://bucket/prefix" in refused.value.fix


def test_a_lake_that_deltalake_would_spell_in_two_ways_is_refused() -> None:
    with pytest.raises(BadUsage, match="characters"):
        settings.load(lake="s3a://bucket/the lake")
    assert settings.load(landing="s3a://bucket/the landing zone").landing == ObjectPath("bucket", "the landing zone")


def test_settings_of_the_environment_may_be_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_LANDING", "s3a://bucket/landing")
    monkeypatch.setenv("SONGLAKE_LAKE", "data/lake")
    loaded = settings.load()
    assert (loaded.landing, loaded.lake) == (ObjectPath("bucket", "landing"), settings.PROJECT / "data" / "lake")


def test_what_works_on_disks_alone_says_so() -> None:
    with pytest.raises(BadUsage, match="not on s3a://bucket/landing"):
        on_disk(ObjectPath("bucket", "landing"), "bin/songlake erase")


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with pytest.raises(ServiceUnreachable, match="and AWS_SECRET_ACCESS_KEY in the environment are not set"):
        find_files(ObjectPath("bucket"))


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (
            "Generic S3 error: Error performing GET http://127.0.0.1:1/b, after 6 retries - HTTP error: error sending request",
            ServiceUnreachable,
        ),
        (
            "org.apache.hadoop.fs.s3a.AWSServiceThrottledException: s3a://b/x: getFileStatus: Please reduce your request rate",
            ServiceUnreachable,
        ),
        ("java.nio.file.AccessDeniedException: s3a://b/x: getFileStatus: S3Exception: null (Status Code: 403)", ServiceUnreachable),
        ("java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found", BadUsage),
        ("ERROR: duplicate key value violates unique constraint", None),
    ],
)
def test_faults_of_the_store_are_told_from_others(told: str, kind: type[Exception] | None) -> None:
    fault = store_fault(told)
    assert fault is None if kind is None else isinstance(fault, kind)
