"""The model learns from what is live only where the lake is the one that it was loaded from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spark_jobs import settings
from spark_jobs.console import Stages
from spark_jobs.contracts import SONGPLAYS, USERS
from spark_jobs.errors import InputMissing
from spark_jobs.lake import log
from spark_jobs.lake.creation import create_missing
from spark_jobs.model.renewal import renew
from spark_jobs.warehouse.connection import Connection
from tests.postgres.lake import commit
from tests.postgres.staging import MIDNIGHT


def publish(warehouse: Connection, positions: log.Positions) -> None:
    for name in (SONGPLAYS.name, USERS.name):
        at = positions[name]
        warehouse.execute(
            "INSERT INTO ops.published (table_name, delta_table_id, delta_version, delta_written_at, batch_id, row_count)"
            " VALUES (%s, %s, %s, %s, 'b1', 1)",
            [name, at.table_id, at.version, at.written_at],
        )


def test_nothing_is_learnt_from_a_lake_that_what_is_live_did_not_come_from(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never loaded, or it was brought back from a backup, or such a one has come as far again with other rows."""
    monkeypatch.setenv("WAREHOUSE_URL", url)
    lake, backup = tmp_path / "lake", tmp_path / "backup"
    chosen = settings.load(lake=lake)
    create_missing(lake)
    with pytest.raises(InputMissing, match="Run `bin/songlake run` first"):
        renew(chosen, Stages())
    shutil.copytree(lake, backup)
    commit(lake, USERS, [{"user_id": 1, "last_seen_at": MIDNIGHT}], {"sources": {}})
    published = log.star_positions(lake)
    publish(warehouse, published)
    shutil.rmtree(lake)
    shutil.copytree(backup, lake)
    with pytest.raises(InputMissing, match="brought back from a backup"):
        renew(chosen, Stages())
    commit(lake, USERS, [{"user_id": 2, "last_seen_at": MIDNIGHT}], {"sources": {}})
    again = log.star_positions(lake)[USERS.name]
    assert (again.table_id, again.version) == (published[USERS.name].table_id, published[USERS.name].version)
    with pytest.raises(InputMissing, match="brought back from a backup"):
        renew(chosen, Stages())
