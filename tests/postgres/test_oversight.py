"""What people are told: why a run failed, which files are late; and that maintenance takes nothing that is still needed."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import structlog
from pyspark.sql import SparkSession

from spark_jobs import ingest as ingest_job
from spark_jobs import status
from spark_jobs.contracts import ARTISTS, EVENTS, REJECTS, STAR, TIME
from spark_jobs.diagnosis import examine
from spark_jobs.lake import log, snapshot
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.tables import Lake
from spark_jobs.landing.find import find_files
from spark_jobs.lateness import late_files
from spark_jobs.maintenance import maintain_lake, remove_old
from spark_jobs.settings import Settings
from spark_jobs.warehouse.check import check
from spark_jobs.warehouse.connection import Connection
from tests.postgres.lake import commit, ingest, reject
from tests.postgres.staging import GATE, MIDNIGHT, batch, file, load, play, stage

EVENT = {"ts": 1, "session_id": 1, "item_in_session": 1, "page": "Home", "event_date": MIDNIGHT.date(), "source_modified_at": MIDNIGHT}


def test_a_refused_batch_is_explained_by_checks_reasons_and_files(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    bad = file("log_data/bad.json", lines=10, accepted=0, rejected=10)
    stage(warehouse, "b2", batch(play(), files=[bad]))
    check(warehouse, "b2", GATE)
    cut = file("log_data/cut.json", status="unreadable", cause="the gzip is cut", lines=0, accepted=0)
    refused = [reject("log_data/bad.json", number, "ts_invalid", "page_missing") for number in range(2)] + [
        reject("log_data/bad.json", 3, "ts_invalid")
    ]
    ingest(tmp_path, "i1", [bad, cut], refused)
    found = examine(tmp_path, url, {"check_quality": "The quality gate refused batch b2."})
    assert (found.batch, found.refused, found.signature) == ("b2", True, "gate: rejected_share")
    assert found.failed == {"check_quality": "The quality gate refused batch b2."}
    assert found.reasons == {"ts_invalid": 3, "page_missing": 2}
    assert found.unreadable == {"log_data/cut.json": "the gzip is cut"}
    assert found.tables["songplays"] == (1, 1)
    assert found.notes == []


def test_a_published_batch_is_not_to_blame_for_a_later_failure(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    found = examine(tmp_path, url, {"ingest": None})
    assert (found.batch, found.checks, found.refused, found.signature) == (None, [], False, "failed: ingest")


def test_a_warehouse_that_does_not_answer_is_a_note(tmp_path: Path) -> None:
    found = examine(tmp_path, "postgresql://songlake:secret@127.0.0.1:1/songlake", {"load_postgres": "refused"})
    assert len(found.notes) == 1
    assert "127.0.0.1:1" in found.notes[0]
    assert "secret" not in found.notes[0]


def deliver(landing: Path, name: str, content: str = "{}") -> dict[str, object]:
    """Put a file there and give what the books say of it once it was read."""
    path = landing / "log_data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return {"size": len(content), "modified_at": datetime.fromtimestamp(1_000_000_000, UTC)}


def test_a_file_is_late_until_the_warehouse_has_it_as_it_is(warehouse: Connection, tmp_path: Path) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    done, old = deliver(landing, "done.json"), deliver(landing, "old.json")
    deliver(landing, "new.json")
    (landing / "log_data/old.json").write_text("longer")
    cut = deliver(landing, "cut.json.gz")
    ingest(lake, "i1", [file("log_data/cut.json.gz", status="unreadable", cause="cut", lines=0, accepted=0, **cut)])
    load(warehouse, "b1", batch(play(), files=[file("log_data/done.json", **done), file("log_data/old.json", **old)]))
    assert set(late_files(find_files(landing), lake, warehouse, 0)) == {"log_data/new.json", "log_data/old.json"}
    # It came just now, although copying kept a modification time of years ago.
    assert late_files(find_files(landing), lake, warehouse, 60) == {}


def test_status_tells_of_a_file_copied_just_now_that_it_came_just_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deliver(tmp_path / "landing", "old.json")
    time.sleep(0.2)
    deliver(tmp_path / "landing", "new.json")
    status.show(Settings(landing=tmp_path / "landing", lake=tmp_path / "lake", postgres_home=tmp_path / "postgres"), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["waiting"] == ["log_data/new.json", "log_data/old.json"]
    assert 0.2 <= told["oldest_waiting_seconds"] < 60


def test_without_a_warehouse_the_lakes_books_tell_what_is_late(tmp_path: Path) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    done = deliver(landing, "done.json")
    deliver(landing, "new.json")
    ingest(lake, "i1", [file("log_data/done.json", **done)])
    assert set(late_files(find_files(landing), lake, None, 0)) == {"log_data/new.json"}


def test_ingest_by_hand_tells_that_it_took_back_an_unfinished_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    ingest(lake, "i1", [file("log_data/done.json", **deliver(landing, "done.json"))])
    commit(lake, EVENTS, [EVENT | {"source_file": "log_data/a.json", "batch_id": "i2"}], {"batch_id": "i2"})
    try:
        with pytest.raises(SystemExit) as ended:
            ingest_job.main(str(landing), str(lake))
    finally:
        # It set logs to this moment's stderr, which is the test's own.
        structlog.reset_defaults()
    assert ended.value.code == 0
    told = capsys.readouterr().out.splitlines()
    assert (told[0], told[-1]) == ("Note: A batch that never finished was taken back from events.", "Nothing is new.")


def replace_events(lake: Path) -> None:
    """Make some small files, then compact, so that there is something to remove."""
    create_missing(lake)
    for number in range(3):
        commit(lake, EVENTS, [EVENT | {"item_in_session": number, "source_file": "log_data/a.json", "batch_id": "i1"}], {"batch_id": "i1"})
    ingest(lake, "i1", [file("log_data/a.json")])


def data_files(lake: Path) -> int:
    return len([path for path in (lake / "events").rglob("*.parquet") if path.parent.name != "_delta_log"])


def make_old(lake: Path, days: int) -> None:
    """Let everything in the log of `events` have happened so many days ago."""
    for entry in (lake / "events" / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
        for action in actions:
            for kind, name in (("commitInfo", "timestamp"), ("remove", "deletionTimestamp"), ("add", "modificationTime")):
                if kind in action:
                    action[kind][name] -= days * 86_400_000
        entry.write_text("\n".join(json.dumps(action) for action in actions))


@pytest.mark.parametrize(("read_up_to", "left"), [(3, 1), (0, 4)])
def test_files_go_once_nobody_has_to_read_them_any_more(tmp_path: Path, read_up_to: int, left: int) -> None:
    replace_events(tmp_path)
    positions = snapshot.counted_positions(tmp_path)
    bookmark = {"events": {"table_id": positions["events"].table_id, "version": read_up_to}}
    commit(tmp_path, TIME, [], {"sources": bookmark})
    log.must_open(tmp_path, EVENTS).optimize.compact()
    make_old(tmp_path, 60)
    maintain_lake(tmp_path, {}, keep_days=30)
    assert data_files(tmp_path) == left


def test_maintenance_compacts_and_keeps_what_a_bookmark_has_yet_to_read(tmp_path: Path) -> None:
    replace_events(tmp_path)
    before = log.query(log.must_open(tmp_path, EVENTS), EVENTS, "SELECT * FROM events ORDER BY item_in_session")
    assert data_files(tmp_path) == 3
    done = maintain_lake(tmp_path, {}, keep_days=1)
    assert done["events"] == (3, 0)
    assert data_files(tmp_path) == 4, "the three are too young to go"
    assert log.query(log.must_open(tmp_path, EVENTS), EVENTS, "SELECT * FROM events ORDER BY item_in_session") == before
    assert snapshot.counted_positions(tmp_path)["events"].version == 3
    assert set(done) == {"catalog", "events", "rejects", "files", *(table.name for table in STAR)}


def test_maintenance_without_a_lake_does_nothing(tmp_path: Path) -> None:
    assert maintain_lake(tmp_path, {}, keep_days=1) == {}
    assert not (tmp_path / REJECTS.name).exists()


@pytest.mark.parametrize(("age_days", "left"), [(89, 1), (91, 0)])
def test_old_report_pages_go(tmp_path: Path, age_days: int, left: int) -> None:
    page = tmp_path / "run.html"
    for path in (page, tmp_path / "kept.json"):
        path.write_text("x")
        os.utime(path, (time.time() - age_days * 86_400,) * 2)
    assert remove_old(tmp_path, "*.html", 90) == 1 - left
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json", "run.html"][: 1 + left]


def test_a_version_reached_again_after_a_backup_is_another_position(tmp_path: Path) -> None:
    lake, backup = tmp_path / "lake", tmp_path / "backup"
    create_missing(lake)
    shutil.copytree(lake, backup)
    commit(lake, ARTISTS, [{"artist_id": "A1", "name": "One"}], {"sources": {}})
    published = log.star_positions(lake)["artists"]
    assert published.version == 1
    shutil.rmtree(lake)
    shutil.copytree(backup, lake)
    commit(lake, ARTISTS, [{"artist_id": "A2", "name": "Two"}], {"sources": {}})
    commit(lake, ARTISTS, [{"artist_id": "A3", "name": "Three"}], {"sources": {}})
    now = log.star_positions(lake)["artists"]
    assert (now.table_id, now.version) == (published.table_id, 2)
    assert not log.has_feed(lake, ARTISTS, published, now)
    again = replace(now, version=1, written_at=log.must_open(lake, ARTISTS).history()[1]["timestamp"])
    assert again != published
    spark = cast("SparkSession", None)
    assert Lake(spark, lake).changes(ARTISTS, published, again) is None, "no feed leads there, also to the very same version"
    assert log.has_feed(lake, ARTISTS, again, now)
