"""Landing zone and lake by path or by address, and what is told where an object store fails."""

from __future__ import annotations

import os
import shutil
import subprocess
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


def test_spark_gets_the_jars_for_object_stores_where_one_is_named_and_nowhere_else(tmp_path: Path) -> None:
    for folder in ("bin", "conf", ".cache/jars-s3"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(settings.PROJECT / "bin" / "env.sh", tmp_path / "bin")
    jars = [tmp_path / ".cache" / "jars-s3" / name for name in ("a.jar", "b.jar")]
    for jar in jars:
        jar.touch()

    def given(*arguments: str, config: str = "landing: data/landing\n# lake: s3a://bucket/lake\n", **environment: str) -> str:
        (tmp_path / "conf" / "songlake.yaml").write_text(config)
        told = subprocess.run(
            ["bash", "-c", '. "$0" && printf "%s\n" "$SONGLAKE_S3_JARS" "$PYSPARK_SUBMIT_ARGS"', tmp_path / "bin" / "env.sh", *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert (f'--jars "{told[0]}" ' in told[1]) == bool(told[0])
        return told[0]

    both = ",".join(map(str, jars))
    assert given("run", "--lake", "data/lake") == ""
    assert given("run", "--lake", "s3a://bucket/lake") == both
    assert given("run", SONGLAKE_LANDING="s3a://bucket/landing") == both
    assert given("run", config="lake: s3a://bucket/lake\n") == both
