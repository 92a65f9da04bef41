"""Walking the landing zone: which files count, of which kind, and which are new."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spark_jobs.errors import InputMissing
from spark_jobs.lake.snapshot import FileRecord
from spark_jobs.landing.find import find_files, new_files, unreadable_before
from spark_jobs.landing.pack import pack

MOMENT = datetime(2018, 11, 2, 3, 4, 5, 678901, tzinfo=UTC)


def put(root: Path, *paths: str, text: str = "{}\n") -> None:
    """Write files, all of the same moment."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        nanoseconds = int(MOMENT.replace(microsecond=0).timestamp()) * 10**9 + 678_901_999
        os.utime(file, ns=(nanoseconds, nanoseconds))


def kinds(root: Path) -> dict[str, str]:
    return {file.path: file.kind for file in find_files(root).files}


def recorded(path: str, *, size: int = 3, modified_at: datetime = MOMENT, cause: str | None = None) -> dict[str, FileRecord]:
    """Give what the lake knows after reading that file."""
    status = "loaded" if cause is None else "unreadable"
    return {path: FileRecord(path, "events", status, cause, size, modified_at, 1, 1, 0, 0, "b", MOMENT)}


def test_the_nearest_folder_with_a_known_name_says_what_a_file_holds(tmp_path: Path) -> None:
    put(tmp_path, "log_data/2018/a.json", "x/log-data/b.json", "song_data/A/c.json", "y/song-data/d.json", "log_data/song_data/e.json")
    assert kinds(tmp_path) == {
        "log_data/2018/a.json": "events",
        "log_data/song_data/e.json": "songs",
        "song_data/A/c.json": "songs",
        "x/log-data/b.json": "events",
        "y/song-data/d.json": "songs",
    }


def test_formats_are_told_by_extensions_without_case_also_gzipped(tmp_path: Path) -> None:
    names = ["a.json", "b.JSONL", "c.ndjson", "d.Csv", "e.json.gz", "f.CSV.GZ"]
    put(tmp_path, *(f"log_data/{name}" for name in names))
    files = find_files(tmp_path).files
    assert [(file.path, file.is_csv, file.is_gzip) for file in files] == [
        ("log_data/a.json", False, False),
        ("log_data/b.JSONL", False, False),
        ("log_data/c.ndjson", False, False),
        ("log_data/d.Csv", True, False),
        ("log_data/e.json.gz", False, True),
        ("log_data/f.CSV.GZ", True, True),
    ]


def test_odd_file_names_are_taken_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, "log_data/a b%20#=ü:.json", "log_data/day=1/b.json")
    assert list(kinds(tmp_path)) == ["log_data/a b%20#=ü:.json", "log_data/day=1/b.json"]


def test_hidden_and_unfinished_files_and_folders_are_passed_over_without_a_word(tmp_path: Path) -> None:
    names = ["_a.json", ".b.json", "c.json.tmp", "d.part", "e.json.CRDOWNLOAD", "_f/g.json", ".h/i.json", "j.tmp/k.json"]
    put(tmp_path, *(f"log_data/{name}" for name in names))
    landing = find_files(tmp_path)
    assert (landing.files, landing.unrecognised) == ([], [])


def test_files_of_other_kinds_and_places_are_listed_as_unrecognised(tmp_path: Path) -> None:
    put(tmp_path, "log_data/readme.txt", "log_data/a.json.zip", "elsewhere/a.json", "LOG_DATA/a.json")
    landing = find_files(tmp_path)
    assert landing.files == []
    assert landing.unrecognised == ["LOG_DATA/a.json", "elsewhere/a.json", "log_data/a.json.zip", "log_data/readme.txt"]


def test_size_and_modification_time_in_whole_microseconds_are_told(tmp_path: Path) -> None:
    put(tmp_path, "log_data/a.json")
    [file] = find_files(tmp_path).files
    assert (file.size, file.modified_at, file.cause) == (3, MOMENT, None)


OUTSIDE = "the link leads out of the landing zone, to a folder that the setting links_into does not name"


def test_links_are_followed_inside_the_landing_zone_and_into_the_folders_that_are_named(tmp_path: Path) -> None:
    root, outside = tmp_path / "landing", tmp_path / "outside"
    for folder in (outside, tmp_path / "outsider", root / "log_data" / "inside"):
        put(folder, "a.json")
    links = {"b.json": "../../outside/a.json", "dotted.json": "inside/../inside/a.json", "folder": outside, "whole": tmp_path / "outsider"}
    for name, target in links.items():
        (root / "log_data" / name).symlink_to(target)
    (tmp_path / "link-to-root").symlink_to(root)

    def causes(*links_into: Path) -> dict[str, str | None]:
        return {file.path.removeprefix("log_data/"): file.cause for file in find_files(tmp_path / "link-to-root", links_into).files}

    inside = {"dotted.json": None, "inside/a.json": None}
    assert causes() == {**inside, "b.json": OUTSIDE, "folder": OUTSIDE, "whole": OUTSIDE}
    assert causes(outside) == {**inside, "b.json": None, "folder/a.json": None, "whole": OUTSIDE}


def test_a_file_that_was_put_in_the_place_of_another_is_not_read(tmp_path: Path) -> None:
    root, secret = tmp_path / "landing", tmp_path / "secret"
    put(root, "log_data/a.json")
    put(tmp_path, "secret")
    files = find_files(root).files
    (root / "log_data" / "a.json").unlink()
    (root / "log_data" / "a.json").symlink_to(secret)
    assert pack(files, tmp_path / "spool") == []


def test_links_that_loop_or_lead_to_nothing_have_a_cause(tmp_path: Path) -> None:
    root = tmp_path / "landing"
    put(root, "log_data/inside/a.json")
    (root / "log_data" / "linked").symlink_to(root / "log_data" / "inside")
    (root / "log_data" / "loop").symlink_to(root)
    (root / "log_data" / "gone.json").symlink_to(tmp_path / "nothing")
    assert [(file.path, file.cause) for file in find_files(root).files] == [
        ("log_data/gone.json", "the link leads to nothing"),
        ("log_data/inside/a.json", None),
        ("log_data/linked/a.json", None),
        ("log_data/loop", "the link leads back to a folder above it"),
    ]


def test_a_landing_folder_that_is_not_there_is_told_with_the_way_on(tmp_path: Path) -> None:
    with pytest.raises(InputMissing) as error:
        find_files(tmp_path / "nowhere")
    assert error.value.exit_code == 3
    assert "--landing" in error.value.fix


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ({}, True),
        (recorded("log_data/a.json"), False),
        (recorded("log_data/a.json", size=4), True),
        (recorded("log_data/a.json", modified_at=MOMENT + timedelta(microseconds=1)), True),
        (recorded("log_data/b.json"), True),
    ],
    ids=["unknown", "as recorded", "other size", "a microsecond later", "another path"],
)
def test_a_file_is_new_unless_path_size_and_time_are_as_recorded(tmp_path: Path, known: dict[str, FileRecord], new: bool) -> None:
    put(tmp_path, "log_data/a.json")
    assert [file.path for file in new_files(find_files(tmp_path), known)] == (["log_data/a.json"] if new else [])


def test_an_unreadable_file_that_looks_the_same_is_not_new_but_tried_again(tmp_path: Path) -> None:
    put(tmp_path, "log_data/a.json")
    landing, known = find_files(tmp_path), recorded("log_data/a.json", cause="the gzip stream is cut")
    assert new_files(landing, known) == []
    assert [file.path for file in unreadable_before(landing, known)] == ["log_data/a.json"]


def test_names_that_are_not_utf8_stay_different_files(tmp_path: Path) -> None:
    for name in (b"a\xff.json", b"a\xfe.json", b"a\\xff.json"):
        put(tmp_path, f"log_data/{os.fsdecode(name)}")
    assert [file.path for file in find_files(tmp_path).files] == [
        "log_data/a\\x5cxff.json",
        "log_data/a\\xfe.json",
        "log_data/a\\xff.json",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (15_000_000_000, datetime(2445, 5, 1, 2, 40, 0, 999999, tzinfo=UTC)),
        (-5_000_000_000, datetime(1900, 1, 1, tzinfo=UTC)),
        (300_000_000_000, datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_files_of_the_far_past_and_future_are_read_and_their_times_kept_within_what_all_parts_know(seconds: int, told: datetime) -> None:
    # Not every file system keeps such times; this one, in memory, does.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        put(Path(folder), "log_data/a.json")
        os.utime(Path(folder) / "log_data" / "a.json", ns=(0, seconds * 10**9 + 999_999_999))
        files = find_files(Path(folder)).files
        assert [file.modified_at for file in files] == [told]
        assert [packed.lines for packed in pack(files, Path(folder) / "spool")] == [1]
