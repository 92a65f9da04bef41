"""Which files stand still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from spark_jobs.landing.find import Landing, LandingFile, left_alone, named_like
from spark_jobs.landing.settle import Settling

MOMENT = datetime(2018, 11, 2, tzinfo=UTC)


def file(path: str = "log_data/a.json", size: int = 1, modified_at: datetime = MOMENT) -> LandingFile:
    return LandingFile(path, "events", size, modified_at, Path("/landing") / path)


def test_a_file_is_settled_once_it_looked_the_same_for_so_long() -> None:
    settling = Settling(10)
    assert settling.settled([file()], 0) == []
    assert settling.settled([file()], 9.9) == []
    assert settling.settled([file()], 10) == [file()]


def test_a_file_that_grows_or_is_touched_begins_anew() -> None:
    settling = Settling(10)
    settling.settled([file(), file("log_data/b.json")], 0)
    later = MOMENT + timedelta(microseconds=1)
    grown, touched = file(size=2), file("log_data/b.json", modified_at=later)
    assert settling.settled([grown, touched], 9) == []
    assert settling.settled([grown, touched], 18) == []
    assert settling.settled([grown, touched], 19) == [grown, touched]


def test_a_file_that_went_away_and_came_back_begins_anew() -> None:
    settling = Settling(10)
    settling.settled([file()], 0)
    settling.settled([], 5)
    assert settling.settled([file()], 12) == []


def test_a_job_leaves_files_alone_that_may_still_grow() -> None:
    young, old = (
        file("log_data/young.json", modified_at=MOMENT - timedelta(seconds=9)),
        file("log_data/old.json", modified_at=MOMENT - timedelta(seconds=10)),
    )
    future = file("log_data/future.json", modified_at=MOMENT + timedelta(seconds=1))
    found = left_alone(Landing([young, old, future], ["x.txt"]), 10, MOMENT)
    assert found == Landing([old, future], ["x.txt"])


def test_files_to_read_again_are_named_by_a_pattern() -> None:
    landing = Landing([file("log_data/2018/11/a.json"), file("log_data/2018/12/a.json")])
    assert [found.path for found in named_like(landing, "log_data/2018/11/*")] == ["log_data/2018/11/a.json"]
