"""What `status` and `rejects` tell, and what it costs; no PostgreSQL is asked here, but the lake is that of these tests."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from spark_jobs import status
from tests.postgres.lake import ingest, reject


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
