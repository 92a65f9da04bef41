"""What is too deep, too long or too large costs one file or line, never a run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from spark_jobs.landing import csv_records, lines
from spark_jobs.landing import pack as packing
from spark_jobs.landing.find import find_files
from spark_jobs.landing.pack import PackedFile, pack

_MIB = 1 << 20


@pytest.fixture
def a_64th(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limits of files, and the blocks that they are read in, a 64th of what they are."""
    limits = (packing, "_LONGEST_LINE", 64 * _MIB), (csv_records, "_LONGEST_RECORD", 64 * _MIB), (lines, "_LONGEST_SEQUENCE", 256 * _MIB)
    for module, name, limit in limits:
        assert getattr(module, name) == limit, "docs/adr/0006 says so"
        monkeypatch.setattr(module, name, limit // 64)
    blocks = packing._Utf8.pieces.__kwdefaults__
    assert blocks is not None
    monkeypatch.setitem(blocks, "size", blocks["size"] // 64)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A landing root that may become deeper than paths are long, which Python's own removal does not survive."""
    (tmp_path / "landing" / "log_data").mkdir(parents=True)
    yield tmp_path / "landing"
    subprocess.run(["rm", "-rf", str(tmp_path / "landing")], check=True)


def packed(root: Path, name: str, content: bytes) -> PackedFile:
    """Write one file and pack it."""
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    [found] = pack(find_files(root).files, root.parent / "spool")
    return found


@pytest.mark.parametrize(
    ("depth", "name", "found"),
    [(975, "d", (1, 0)), (1_100, "d", (0, 1)), (21, "d" * 200, (0, 1))],
    ids=["deep", "deeper than calls", "beyond all paths"],
)
def test_folders_may_lie_in_each_other_as_deep_as_they_like(root: Path, depth: int, name: str, found: tuple[int, int]) -> None:
    folder = os.open(root / "log_data", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=folder)
        below = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open("a.json", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    landing = find_files(root)
    assert (len(landing.files), len(landing.unrecognised)) == found


def test_a_file_whose_path_no_index_holds_is_told_as_not_recognised(root: Path) -> None:
    folder = root.joinpath("log_data", *["é" * 100] * 9)
    folder.mkdir(parents=True)
    room = 2_000 - len(os.fsencode(f"{folder.relative_to(root)}/.json"))
    for length in (room, room + 1):
        (folder / ("x" * length + ".json")).touch()
    landing = find_files(root)
    assert [len(path.encode()) for path in landing.unrecognised] == [2_001]
    assert [len(file.path.encode()) for file in landing.files] == [2_000]


@pytest.mark.parametrize("end", ["\r", ""])
@pytest.mark.parametrize(("size", "cause"), [(_MIB, None), (_MIB + 1, "a line of it is longer than 1 MiB")])
@pytest.mark.usefixtures("a_64th")
def test_a_file_with_a_line_longer_than_64_mib_is_unreadable(root: Path, end: str, size: int, cause: str | None) -> None:
    file = packed(root, "log_data/a.json", b"{}" + end.encode() + b"x" * (size - 2 * (not end)) + end.encode() + b"{}" * bool(end))
    assert (file.lines, file.cause) == ((0, cause) if cause else (3 if end else 1, None))


@pytest.mark.parametrize(("lines_in_quotes", "is_read"), [(63, True), (65, False)])
@pytest.mark.usefixtures("a_64th")
def test_a_csv_file_with_a_record_longer_than_that_is_unreadable(root: Path, lines_in_quotes: int, is_read: bool) -> None:
    line = b"x" * (_MIB // 64 - 1) + b"\n"
    file = packed(root, "log_data/a.csv", b'ts,page\n1,"' + line * lines_in_quotes)
    cause = None if is_read else "a record of it is longer than 1 Mi characters; a quote may never be closed"
    assert (file.lines, file.cause) == (int(is_read), cause)


@pytest.mark.usefixtures("a_64th")
@pytest.mark.parametrize("end", [b"[]", b""], ids=["an array", "nothing but blank lines"])
def test_a_song_file_that_is_no_lines_of_objects_is_unreadable_beyond_256_mib(root: Path, end: bytes) -> None:
    file = packed(root, "song_data/a.json", (b" " * (_MIB // 64 - 1) + b"\n") * 257 + end)
    assert file.cause == "its records are not one a line, and it has more than 4 MiB of text"


def test_a_pipe_that_is_put_in_the_place_of_a_file_is_not_waited_for(root: Path) -> None:
    (root / "log_data" / "a.json").write_text("{}")
    files = find_files(root).files
    (root / "log_data" / "a.json").unlink()
    os.mkfifo(root / "log_data" / "a.json")
    assert pack(files, root.parent / "spool") == []


@pytest.mark.parametrize(
    ("name", "before", "behind"),
    [
        ("log_data/a.json", '{"page":"', '"}\n{}\n'),
        ("log_data/a.csv", "page\n", "\r\nHome\r\n"),
        ("song_data/a.json", '[{"title":\n"', '"}\n,{}]'),
    ],
    ids=["line", "record", "value"],
)
@pytest.mark.parametrize("character", ["x", "\U0001f600"], ids=["of one byte", "of four"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_line_of_more_than_262144_characters_is_refused_and_its_beginning_kept(
    root: Path, name: str, before: str, behind: str, character: str, more: int
) -> None:
    around = {"log_data/a.json": 11, "log_data/a.csv": 0, "song_data/a.json": 13}[name]
    assert packed(root, name, (before + character * (2**18 - around + more) + behind).encode()).lines == 2
    table = pq.read_table(root.parent / "spool" / f"{'events' if 'log' in name else 'songs'}.parquet")
    rows = table.sort_by("line_number").to_pylist()
    assert [row["refused"] for row in rows] == ["line_too_long" if more else None, None]
    kept, value = len(rows[0]["line"].rstrip("\n")), rows[0]["page" if "log" in name else "title"]
    assert (kept, value is None) == ((10_000, True) if more else (2**18, False))
