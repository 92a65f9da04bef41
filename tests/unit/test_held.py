"""Finding a person's rows in the lake."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from spark_jobs.contracts import EVENTS
from spark_jobs.landing.find import find_files
from spark_jobs.landing.held import Held, find_rows
from spark_jobs.landing.person import Person
from tests.postgres.lake import commit, ingest, reject
from tests.postgres.staging import file

USER = 200


def test_a_refused_csv_record_is_theirs_by_its_header_and_by_any_cell_once_nobody_has_that(tmp_path: Path) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    there = landing / "log_data" / "a.csv"
    there.parent.mkdir(parents=True)
    there.write_text("ts,userId,location,status\n1,27,San Francisco, CA,200\n1,200,San Francisco, CA,1\n")
    (as_read,) = find_files(landing).files
    others, theirs, json = "1,27,San Francisco, CA,200", "1,200,San Francisco, CA,1", '{"userId": "200", "status": 1'
    lines = [
        reject(path, line) | {"raw_line": raw}
        for path in ("log_data/a.csv", "log_data/gone.csv", "log_data/gone.json")
        for line, raw in enumerate((others, theirs, json), 2)
    ]
    read = file("log_data/a.csv", size=as_read.size, modified_at=as_read.modified_at, rejected=3)
    ingest(lake, "b1", [read, file("log_data/gone.csv"), file("log_data/gone.json")], lines)
    assert find_rows(lake, Person(USER), find_files(landing)) == {
        "log_data/a.csv": Held(0, [3]),
        "log_data/gone.csv": Held(0, [2, 3]),
        "log_data/gone.json": Held(0, [4]),
    }
    there.write_text("userId\n")
    assert find_rows(lake, Person(USER), find_files(landing))["log_data/a.csv"] == Held(0, [2, 3])


def test_rows_of_a_batch_that_does_not_count_are_not_found(tmp_path: Path) -> None:
    ingest(tmp_path / "lake", "b1", [file()])
    moment = datetime(2018, 11, 15, tzinfo=UTC)
    row = {"ts": 1, "session_id": 1, "item_in_session": 1, "user_id": USER, "page": "Home", "event_date": moment.date()}
    commit(tmp_path / "lake", EVENTS, [row | {"source_file": "a", "source_modified_at": moment, "batch_id": "b2"}], {"batch_id": "b2"})
    (tmp_path / "landing").mkdir()
    assert find_rows(tmp_path / "lake", Person(USER), find_files(tmp_path / "landing")) == {}
