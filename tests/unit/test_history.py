"""What is live is compared with the lake's history, also where the log no longer tells of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spark_jobs.contracts import EVENTS
from spark_jobs.errors import InputMissing
from spark_jobs.lake import log
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.history import is_of_this_history, require_history
from spark_jobs.lake.log import Position
from tests.postgres.lake import commit


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake whose table of events was written three times."""
    create_missing(tmp_path)
    for batch_id in ("A", "B", "C"):
        commit(tmp_path, EVENTS, [], {"batch_id": batch_id})
    return tmp_path


def at(lake: Path, version: int) -> Position:
    opened = log.must_open(lake, EVENTS)
    written_at = next(commit.written_at for commit in log.commits(opened) if commit.version == version)
    return Position(log.position(opened).table_id, version, written_at)


def test_a_version_that_the_log_no_longer_tells_of_may_be_live_and_cannot_be_gone_on_from(lake: Path) -> None:
    live = at(lake, 1)
    assert (require_history(lake, EVENTS, live), is_of_this_history(lake, EVENTS, live)) == (live, True)
    log.must_open(lake, EVENTS).create_checkpoint()
    for version in (0, 1, 2):
        (lake / "events" / "_delta_log" / f"{version:020}.json").unlink()
    assert (require_history(lake, EVENTS, live), is_of_this_history(lake, EVENTS, live)) == (live, False)


@pytest.mark.parametrize(
    "other", [{"table_id": "another"}, {"version": 4}, {"written_at": 1}], ids=["another table", "ahead of it", "another history"]
)
def test_another_history_is_told(lake: Path, other: dict[str, object]) -> None:
    elsewhere = replace(at(lake, 2), **other)  # type: ignore[arg-type]
    assert not is_of_this_history(lake, EVENTS, elsewhere)
    with pytest.raises(InputMissing, match="was not loaded from the lake"):
        require_history(lake, EVENTS, elsewhere)


def test_nothing_live_is_told_and_a_table_nobody_wrote_to_is_at_home(lake: Path) -> None:
    with pytest.raises(InputMissing, match="was not loaded from the lake"):
        require_history(lake, EVENTS, None)
    assert is_of_this_history(lake, EVENTS, Position(at(lake, 0).table_id, 0))
