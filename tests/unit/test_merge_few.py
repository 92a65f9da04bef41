"""Few rows are merged into a table without Spark: what the feed says of it, and what is told where that fails."""

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError

from spark_jobs.contracts import SONGS
from spark_jobs.errors import LakeChanged
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.few import append_few, merge_few
from spark_jobs.lake.log import commits, must_open, query

_TYPES = {"song_id": pa.string(), "title": pa.string(), "artist_id": pa.string(), "year": pa.int32(), "duration": pa.float64()}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    create_missing(tmp_path)
    merge(tmp_path, [(f"s{number}", "old") for number in range(4)], recorded=1)
    return tmp_path


def merge(lake: Path, songs: list[tuple[str, str]], gone: tuple[str, ...] = (), recorded: int = 2) -> None:
    rows = [(song_id, title, "a", None, 1.5) for song_id, title in songs] + [(song_id, None, None, None, None) for song_id in gone]
    columns = {name: pa.array([row[place] for row in rows], type_) for place, (name, type_) in enumerate(_TYPES.items())}
    columns["deleted"] = pa.array([False] * len(songs) + [True] * len(gone), pa.bool_())
    merge_few(lake, SONGS, pa.table(columns), {"number": recorded}, None)


def test_feed_says_what_changed_and_nothing_else(lake: Path) -> None:
    merge(lake, [("s0", "old"), ("s1", "new"), ("s9", "new")], gone=("s2", "never there"))
    opened = must_open(lake, SONGS)
    feed = pa.table(opened.load_cdf(starting_version=opened.version()).read_all())
    said = sorted(zip(feed["_change_type"].to_pylist(), feed["song_id"].to_pylist(), feed["title"].to_pylist(), strict=True))
    assert said == [
        ("delete", "s2", "old"),
        ("insert", "s9", "new"),
        ("update_postimage", "s1", "new"),
        ("update_preimage", "s1", "old"),
    ]
    held = query(opened, SONGS, "SELECT song_id, title FROM songs ORDER BY song_id")
    assert [tuple(row.values()) for row in held] == [("s0", "old"), ("s1", "new"), ("s3", "old"), ("s9", "new")]


@pytest.mark.parametrize(("songs", "gone"), [([("s0", "old")], ()), ([], ("never there",)), ([], ())])
def test_where_nothing_differs_an_empty_commit_records_how_far_the_table_has_come(
    lake: Path, songs: list[tuple[str, str]], gone: tuple[str, ...]
) -> None:
    merge(lake, songs, gone)
    opened = must_open(lake, SONGS)
    assert [(commit.version, commit.recorded) for commit in commits(opened, after=1)] == [(2, {"number": 2})]
    assert pa.table(opened.load_cdf(starting_version=2).read_all()).num_rows == 0


@pytest.mark.parametrize("gone", [(), ("s2",)], ids=["while it is merged", "while keys to delete are looked for"])
@pytest.mark.parametrize("kept", [None, 300], ids=["file gone", "file cut"])
def test_lost_data_file_is_told(lake: Path, gone: tuple[str, ...], kept: int | None) -> None:
    for file in (lake / "star" / "songs").glob("*.parquet"):
        content = file.read_bytes()
        file.unlink()
        if kept:
            file.write_bytes(content[:kept])
    with pytest.raises(LakeChanged, match="Lake table songs cannot be read"):
        merge(lake, [("s1", "new")], gone)


def test_mistake_of_ours_is_not_told_as_a_damaged_lake(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_TYPES, "year", pa.list_(pa.int32()))
    with pytest.raises(DeltaError):
        merge(lake, [("s1", "new")])


def test_rows_that_are_refused_do_not_stand_in_the_error(lake: Path) -> None:
    row = {"song_id": "s9", "title": "Somebody's secret", "artist_id": None, "year": None, "duration": 1.5}
    given = pa.table({name: pa.array([row[name]], type_) for name, type_ in _TYPES.items()})
    merged = partial(merge_few, lake, SONGS, given.append_column("deleted", pa.array([False])), {}, None)
    for write in (merged, partial(append_few, lake, SONGS, given, {})):
        with pytest.raises(DeltaError, match=r"lake table songs: .*Invalid data") as refused:
            write()
        assert "secret" not in "".join(traceback.format_exception(refused.value))
