"""What is told apart without a JVM: batches that never finished, and commits of others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spark_jobs.contracts import EVENTS, REJECTS, Table
from spark_jobs.errors import LakeChanged, LockHeld
from spark_jobs.lake import log, snapshot
from spark_jobs.lake.creation import create_missing
from tests.postgres.lake import commit, ingest
from tests.postgres.staging import MIDNIGHT, file


def write(lake: Path, batch_id: str | None, *tables: Table) -> None:
    """Commit nothing but the batch's name to tables, as a batch on its way does, or without a name as a stranger does."""
    for table in tables:
        commit(lake, table, [], {} if batch_id is None else {"batch_id": batch_id})


def test_a_second_first_load_may_fail_too(tmp_path: Path) -> None:
    create_missing(tmp_path)
    write(tmp_path, "A", EVENTS)
    assert snapshot.undo_unfinished_batch(tmp_path) == ["events"]
    write(tmp_path, "B", EVENTS, REJECTS)
    assert snapshot.undo_unfinished_batch(tmp_path) == ["events", "rejects"]
    assert snapshot.undo_unfinished_batch(tmp_path) == []


def test_files_that_are_lost_are_told_also_where_a_batch_was_taken_back_once(tmp_path: Path) -> None:
    create_missing(tmp_path)
    write(tmp_path, "A", EVENTS)
    snapshot.undo_unfinished_batch(tmp_path)
    for batch_id in ("B", "C"):
        write(tmp_path, batch_id, EVENTS)
        ingest(tmp_path, batch_id, [file(f"log_data/{batch_id}.json", modified_at=MIDNIGHT)])
    shutil.rmtree(tmp_path / "files")
    create_missing(tmp_path)
    version = log.must_open(tmp_path, EVENTS).version()
    with pytest.raises(LakeChanged, match=r"'files' .* is new although events holds rows"):
        snapshot.undo_unfinished_batch(tmp_path)
    assert log.must_open(tmp_path, EVENTS).version() == version


@pytest.mark.parametrize(
    ("batch_id", "error"), [("ours", None), ("another", LockHeld), (None, LakeChanged)], ids=["ours", "another ingest's", "a stranger's"]
)
def test_a_batch_counts_only_if_nobody_else_wrote_meanwhile(tmp_path: Path, batch_id: str | None, error: type[Exception] | None) -> None:
    create_missing(tmp_path)
    before = snapshot.positions_now(tmp_path)
    write(tmp_path, "ours", EVENTS)
    write(tmp_path, batch_id, EVENTS)
    if error is None:
        assert snapshot.refuse_interference(tmp_path, before, "ours")["events"].version == 2
    else:
        with pytest.raises(error, match="events"):
            snapshot.refuse_interference(tmp_path, before, "ours")
