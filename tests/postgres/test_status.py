"""What `status` and `rejects` tell, and what it costs."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from spark_jobs import settings, status
from spark_jobs.contracts import STAR
from spark_jobs.lake import snapshot
from spark_jobs.warehouse.connection import Connection
from tests.postgres.lake import commit, ingest, reject
from tests.postgres.logins import at, login
from tests.postgres.staging import file


def test_first_refused_lines_are_shown_by_file_and_line_and_all_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [("log_data/é.json", 1), ("log_data/b.json", 10), ("log_data/b.json", 9), ("log_data/Z.json", 3), ("song_data/a.json", 1)]
    rows = [reject(path, line, "ts_invalid") for path, line in places]
    ingest(tmp_path, "i1", [], [*rows[:2], reject("log_data/a.json", 1, "page_missing")])
    ingest(tmp_path, "i2", [], rows[2:])
    for limit in (1, 2, 4, 10):
        status.show_rejects(tmp_path, "log_data/*", "ts_invalid", limit, as_json=True)
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(row["source_file"], row["line_number"]) for row in told] == sorted(places[:4])[:limit]
    status.show_rejects(tmp_path, "log_data/*", "ts_invalid", 3, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == "4 refused lines; 3 of them shown, --limit shows more."


def test_memory_does_not_grow_with_the_refused_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [reject("log_data/a.json", line, "ts_invalid") | {"raw_line": f"{line:01000}"} for line in range(60_000)]
    ingest(tmp_path, "i1", [], rows)
    del rows
    tracemalloc.start()
    try:
        status.show_rejects(tmp_path, "*", None, 20, as_json=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert capsys.readouterr().out.endswith("60,000 refused lines; 20 of them shown, --limit shows more.\n")
    assert peak < 40_000_000, f"60 MB of lines took {peak:,} bytes"


def test_nothing_waits_only_once_all_that_the_lake_holds_is_live(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", url)
    lake, landing = tmp_path / "lake", tmp_path / "landing"
    landing.mkdir()

    def told() -> str:
        status.show(settings.load(lake=lake, landing=landing), as_json=False)
        return capsys.readouterr().out.splitlines()[-1]

    assert told() == "Nothing waits."
    ingest(lake, "i1", [file()])
    assert told() == "Behind the lake: artists, songs, users, time, songplays; the next run brings them up to date."
    counted = snapshot.counted_positions(lake)
    for table in STAR:
        commit(lake, table, [], {"sources": {name: counted[name].as_dict() for name in table.sources}})
    assert told() == "Not live as the lake has them: artists, songs, users, time, songplays, files; the next run publishes them."
    for name, target in snapshot.positions_to_publish(lake).items():
        position = [name, target.table_id, target.version, "b1", 1, target.written_at]
        warehouse.execute("INSERT INTO ops.published VALUES (%s, %s, %s, %s, %s, %s)", position)
    assert told() == "Nothing waits."
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://songlake:word@127.0.0.1:1/songlake")
    assert "Nothing waits." not in told()


def test_who_may_not_read_the_books_is_told_and_sees_the_rest(
    postgres_server: str,
    warehouse: Connection,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "landing").mkdir()
    with login(postgres_server, "IN ROLE songlake_reader") as reader:
        monkeypatch.setenv("WAREHOUSE_URL", at(reader, url))
        status.show(settings.load(lake=tmp_path / "lake", landing=tmp_path / "landing"), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["totals"]["files"] == 0
    assert [note.partition(" refuses: ")[2].partition(".")[0] for note in told["notes"]] == ["permission denied for schema ops"]
