"""Lineage of what follows a publication; the model's is in tests/spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_jobs import settings
from spark_jobs.export.command import export
from spark_jobs.warehouse.connection import Connection
from tests.lineage import endings, names, parse, tell_to, told
from tests.postgres.staging import batch, load, play


def test_an_export_tells_which_tables_it_read_and_where_it_wrote(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play(0)))
    tell_to(tmp_path / "events", monkeypatch)
    monkeypatch.setenv("WAREHOUSE_URL", url)
    export(settings.load(), settings.Export(to=tmp_path / "out", format="csv", tables=("songplays", "sessions")), as_json=True)
    events = told(tmp_path / "events")
    assert endings(events) == [("export", "START"), ("export", "COMPLETE")]
    database = warehouse.info.dbname
    assert names(events[-1]["inputs"]) == [f"{database}.dwh.songplays", f"{database}.dwh.sessions"]
    assert names(events[-1]["outputs"]) == [str(tmp_path / "out")]
    parse(events[-1])
