"""Taking a person's lines out of landing files: which lines go, and that every other byte and the time stay."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest

from spark_jobs.landing.find import find_files
from spark_jobs.landing.person import Person
from spark_jobs.landing.rewrite import Found, Obstacle, clear_leftovers, find_lines, rewrite

BOM = b"\xef\xbb\xbf"
HEADER = b"ts,userId,location,status\n"


def line(user: object, **more: object) -> bytes:
    return json.dumps({"ts": 1, "userId": user, **more}).encode()


def erased(tmp_path: Path, name: str, content: bytes, user_id: int = 26) -> tuple[int, bytes]:
    """Write a file, take the person out of it; give the number of lines and what is left."""
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = look(tmp_path, user_id)
    if found.lines:
        rewrite(found)
    left = file.read_bytes()
    return found.lines, gzip.decompress(left) if name.endswith(".gz") else left


def look(root: Path, user_id: int = 26) -> Found:
    (file,) = find_files(root).files
    return find_lines(file, Person(user_id))


OTHERS = line("27") + b"\r\n\n" + line(2, song="userId 26, \\u00e9") + b"\n"


@pytest.mark.parametrize(
    "theirs",
    [
        line("26"),
        line(26),
        b'{"userId":26.0}',
        b'{"userId":" 2.6e1 ","ts":"no time"}',
        b'{"userId":"\\u0032\\u0036"}',
        b'{"userId":"+026","firstName":"Bj\xc3\xb6rk"}',
        b'{"userId":"27","userId":"26"}',
        BOM + line("26"),
        b'{"userId": "26", "firstName": "cut',
        b'[{"userId": "26"}]',
        b'{"userId": 27} {"userId": 26}',
        b'"{\\"userId\\": \\"26\\"}"',
        b'\xff{"userId":26}',
        b'{"userId":"\\t26","ts":"no time"}',
        b'{"userId":"2600E-0002"}',
        b"{'userId': '26'}",
        b"{userId: 26}",
        b'{"song":"' + b"x" * 300_000 + b'","userId":26}',
    ],
)
@pytest.mark.parametrize("name", ["log_data/a.json", "log_data/a.ndjson.gz"])
def test_a_line_goes_whose_user_id_is_theirs_by_value_also_if_it_is_refused(tmp_path: Path, name: str, theirs: bytes) -> None:
    assert erased(tmp_path, name, OTHERS + theirs + b"\r\n" + OTHERS + theirs) == (2, OTHERS + OTHERS)


@pytest.mark.parametrize(
    "others",
    [
        line("260"),
        line("26.5"),
        line("-26"),
        line(None, sessionId=26),
        line("26x"),
        line(["26"], itemInSession="26"),
        b'{"userId":"26","userId":"27"}',
        b'{"userid":"26","ts":1}',
        b'{"userId":"27","song":"{\\"userId\\":\\"26\\"}"}',
        b"26",
        b'{"sessionId": 26, "userId": "2',
    ],
)
def test_lines_of_others_stay(tmp_path: Path, others: bytes) -> None:
    assert erased(tmp_path, "log_data/a.json", others + b"\n") == (0, others + b"\n")


def test_every_line_end_and_the_byte_order_mark_stay_as_they_are(tmp_path: Path) -> None:
    content = BOM + line(26) + b"\n" + line(1) + b"\r" + line(26) + b"\r\n" + line(2) + b"\r\n" + line(26) + b"\r" + line(3)
    assert erased(tmp_path, "log_data/a.json", content) == (3, BOM + line(1) + b"\r" + line(2) + b"\r\n" + line(3))


def test_a_file_of_theirs_alone_becomes_empty(tmp_path: Path) -> None:
    assert erased(tmp_path, "log_data/a.json.gz", line(26) + b"\n" + line("26")) == (2, b"")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["log_data/a.csv", "log_data/a.CSV.gz"])
def test_a_csv_record_goes_with_its_line_breaks_and_all_others_stay(tmp_path: Path, name: str, end: str) -> None:
    def text(*records: str) -> bytes:
        return (end.join(records) + end).encode()

    others = ["27,2018,Here", '"1","a ""26""",x', '27,"",","', "", "28,x,There,26"]
    theirs = ["26.0,2018,Here", '"26","two', 'lines, ""quoted""",There', "26,one,cell,more", "surplus,26,1,Here"]
    before = text("userId,ts,location", *others, *theirs, *others)
    assert erased(tmp_path, name, before) == (4, text("userId,ts,location", *others, *others))


@pytest.mark.parametrize("before", [b"", b"  \n", b"\n \t\n"])
def test_a_refused_record_is_told_by_the_header_that_ingest_takes_and_by_its_own_lines(tmp_path: Path, before: bytes) -> None:
    theirs, others = "1,26,x\u2028y,200,too many\n".encode(), b"1,27,x,26,too many\n"
    assert erased(tmp_path, "log_data/a.csv", before + HEADER + theirs + others) == (1, before + HEADER + others)


def test_a_record_with_a_cell_too_many_is_theirs_only_where_the_user_id_may_have_been_shifted_to(tmp_path: Path) -> None:
    theirs = b"1,x,200,Here,200\n" + b"1,200,San Francisco, CA,1\n" + b"200,Here,1\n"
    others = b"1,27,San Francisco, CA,200\n" + b"1,27,200\n"
    assert erased(tmp_path, "log_data/a.csv", HEADER + others + theirs, 200) == (3, HEADER + others)


@pytest.mark.parametrize(
    ("name", "content", "left"),
    [
        ("a.json", BOM + line(26) + b'\r\nbroken\n{"song_id": "SO1"}\n' + line(26), BOM + b'{}\r\nbroken\n{"song_id": "SO1"}\n{}'),
        ("a.json", b'{"song_id":\n"SO1"}\n' + line(26) + b'\n{"userId": 26, "cut', b'{"song_id":\n"SO1"}\n{}\n{}'),
        ("a.csv", b"song_id,userId\nSO1,27\nSO2,26\n26,SO3\n", b"song_id,userId\nSO1,27\n26,SO3\n"),
    ],
)
def test_an_event_that_was_sent_among_songs_goes_without_changing_how_the_songs_are_read(
    tmp_path: Path, name: str, content: bytes, left: bytes
) -> None:
    assert erased(tmp_path, f"song_data/{name}", content)[1] == left
    assert look(tmp_path).lines == 0


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("log_data/a.json.gz", b"\x1f\x8b not gzip", "not a gzip file"),
        ("log_data/a.json", line(26).decode().encode("utf-16"), "UTF-16"),
        ("log_data/a.csv", HEADER + b'1,26,"never closed,200\n1,27,Here,200\n', "line 2 runs on over lines of theirs"),
        ("log_data/a.csv", HEADER + b'1,27,"never closed,200\n1,26,Here,200\n', "line 2 runs on over lines of theirs"),
        ("song_data/a.json", b'[{"song_id": "SO1"},\n{"userId": \n26}]', "line 2 of this song file"),
        ("song_data/a.json", b'[{"song_id": "SO1"},\n{"userId": 26}]', "line 2 of this song file"),
        ("song_data/a.json", b'{\n"userId": "26"} {"userId": 26}', "line 1 of this song file"),
    ],
)
def test_what_cannot_be_searched_or_cut_is_refused_with_the_reason_and_left_alone(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(Obstacle, match=why):
        look(tmp_path)
    assert file.read_bytes() == content


def test_searching_a_file_of_nobody_but_them_takes_no_more_memory_than_one_of_others(tmp_path: Path) -> None:
    peaks = {}
    for user_id in (26, 27):
        file = tmp_path / "log_data" / "a.json"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((line(user_id, userAgent="x" * 5_000) + b"\n") * 12_000)
        tracemalloc.start()
        look(tmp_path)
        peaks[user_id] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[26] < peaks[27] + (8 << 20)


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_file_is_rewritten_without_being_held_in_memory_whatever_ends_its_lines(tmp_path: Path, end: bytes) -> None:
    file = tmp_path / "log_data" / "a.json"
    file.parent.mkdir()
    others = (line(27, userAgent="x" * 5_000) + end) * 12_000
    file.write_bytes(line(26) + end + others)
    found = look(tmp_path)
    tracemalloc.start()
    rewrite(found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20
    assert file.read_bytes() == others


def test_time_and_permissions_stay_a_link_stays_a_link_and_nothing_is_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "a.json"
    file.parent.mkdir()
    (tmp_path / "log_data").mkdir()
    file.write_bytes(line(26) + b"\n" + line(1))
    file.chmod(0o640)
    os.utime(file, ns=(1, 1_600_000_000_123_456_789))
    link = tmp_path / "log_data" / "a.json"
    link.symlink_to(file)
    leftover = file.parent / ".songlake-erase"
    leftover.write_text("a killed rewriting")
    found = look(tmp_path)
    clear_leftovers([found.file])
    assert not leftover.exists()
    leftover.symlink_to(tmp_path / "elsewhere")
    rewrite(found)
    status = file.stat()
    assert (link.is_symlink(), file.read_bytes(), status.st_mtime_ns, status.st_mode & 0o777) == (
        True,
        line(1),
        1_600_000_000_123_456_789,
        0o640,
    )
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.json", "a.json", "kept", "log_data"]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_changed_since_it_was_searched_is_left_as_it_is(tmp_path: Path, is_replaced: bool) -> None:
    file = tmp_path / "log_data" / "a.json"
    file.parent.mkdir()
    file.write_bytes(line(26) + b"\n")
    found, status = look(tmp_path), file.stat()
    if is_replaced:
        file.rename(tmp_path / "before")
    file.write_bytes(line(27) + (b"\n" if is_replaced else b""))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(Obstacle, match="changed while it was rewritten"):
        rewrite(found)
    assert file.read_bytes().startswith(line(27))
    assert not (file.parent / ".songlake-erase").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may take another user's place")
def test_the_copy_is_for_its_owner_alone_and_goes_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "log_data" / "a.json"
    file.parent.mkdir()
    file.write_bytes(line("26") + b"\n")
    file.chmod(0o600)
    modes = []

    def full_disk(_: int) -> None:
        modes.extend(path.stat().st_mode & 0o777 for path in file.parent.glob(".*"))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        rewrite(look(tmp_path))
    assert modes == [0o600]
    assert [path.name for path in file.parent.iterdir()] == ["a.json"]


def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "log_data" / "a.json"
    file.parent.mkdir()
    file.write_bytes(line(26) + b"\n")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp/pytest-of-root"):
            folder.chmod(0o755)
    child = os.fork()
    if not child:
        code = 1  # whatever happens, the tests do not go on in two processes
        try:
            os.setuid(65534)
            look(tmp_path)
        except Obstacle as error:
            code = 42 if "no permission to write it" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
