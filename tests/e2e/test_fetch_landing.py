"""bin/fetch-landing against real servers: whole or not there, never twice, never outside of its folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from spark_jobs.landing.find import find_files
from tests.object_store import BUCKET, verifying_endpoint
from tests.scratch import small_disk
from tests.sparkenv import PROJECT
from tests.web import Web, web_server

PROGRAM = str(PROJECT / "bin/fetch-landing")
LARGE = bytes(range(256)) * 12_000
NOON = 1_541_073_600.0

Fetch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as served:
        yield served


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "landing zone"


@pytest.fixture
def fetch(target: Path) -> Fetch:
    def run(source: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [PROGRAM, *options, source, str(target)], capture_output=True, text=True, env=kept | environment, timeout=240, check=False
        )

    return run


def here(target: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(target)): path.read_bytes() for path in sorted(target.rglob("*")) if path.is_file() and path.name[0] != "."
    }


def listed(web: Web, *lines: str) -> str:
    path = f"/lab/list{len(web.files)}"
    web.put(path, "".join(f"{line}\n" for line in lines).encode())
    return web.address + path


def test_files_come_whole_with_their_times_and_are_asked_for_once(web: Web, target: Path, fetch: Fetch) -> None:
    for path in ("log_data/2018/a.json", "log_data/b%20%C3%A9%25%23.csv", "song_data/-rf.json", "log_data/empty.json"):
        web.put(f"/lab/{path}", path.encode() if "empty" not in path else b"", NOON)
    web.put("/lab/log_data/signed.json?key=secret", b"signed", NOON)
    web.get_only.add("/lab/log_data/signed.json?key=secret")
    web.busy["/lab/song_data/-rf.json"] = 1
    source = listed(
        web,
        "# all there is",
        "log_data/2018/a.json",
        "log_data/b é%#.csv\r",
        "",
        f"{web.address}/lab/song_data/%2Drf.json".replace("%2D", "-"),
        "log_data/empty.json",
        f"{web.address}/lab/log_data/signed.json?key=secret",
    )
    done = fetch(source)
    assert (done.returncode, done.stderr) == (0, "")
    assert here(target) == {
        "log_data/2018/a.json": b"log_data/2018/a.json",
        "log_data/b é%#.csv": b"log_data/b%20%C3%A9%25%23.csv",
        "log_data/empty.json": b"",
        "log_data/signed.json": b"signed",
        "song_data/-rf.json": b"song_data/-rf.json",
    }
    assert {file.modified_at.timestamp() for file in find_files(target).files} == {NOON}
    web.forget()
    again = fetch(source)
    assert (again.returncode, again.stdout[:9]) == (0, "0 fetched")
    assert web.gets() == [("/lab/log_data/signed.json?key=secret", None)]
    web.forget()
    web.put("/lab/log_data/2018/a.json", b"log_data/2018/a.jsoN", NOON - 60)
    assert fetch(source).stdout.startswith("1 fetched")
    assert here(target)["log_data/2018/a.json"] == b"log_data/2018/a.jsoN"


def test_hostile_names_stay_inside_and_the_others_come(web: Web, target: Path, fetch: Fetch, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    names = [f"$(touch {trap})", f"a[$(touch {trap})]", "@", "*", "`id`", '"quoted" \\n', "]", "-K", "a=b;c&d", "~", "log_data/x" * 20]
    for name in names:
        encoded = "".join(chr(byte) if chr(byte).isalnum() or byte in b"/._~-" else f"%{byte:02X}" for byte in name.encode())
        web.put(f"/lab/{encoded}", name.encode(), NOON)
    bad = ["../x", "/etc/passwd", "a/../../x", "a//b", "./x", "..", "a\x1b[2Jb", "n" * 230, "folder/"]
    bad += [f"{web.address}/lab/{path}" for path in ("%2e%2e/x", "a%2F..%2F..%2Fx", "%2Fetc%2Fpasswd", "a%0Ab", "a%00b", "bad%zz")]
    bad += ["0" * 64 + "  ../y", "\\" + "0" * 64 + "  a\\nb", "ftp://127.0.0.1/x", "file:///etc/passwd"]
    for path in ("/x", "/lab/x", "/lab/%2e%2e/x", "/etc/passwd", "/lab/a%1B%5B2Jb", "/lab/a%0Ab"):
        web.put(path, b"no")
    before = sorted(tmp_path.iterdir())
    done = fetch(listed(web, *names, *names[:1], *bad, "_tmp/x.json", "a/.b", "log_data/x.PART"))
    assert done.returncode == 3
    assert here(target) == {name: name.encode() for name in names}
    assert sorted(tmp_path.iterdir()) == sorted([*before, target])
    assert done.stdout.endswith(f"{len(names)} fetched into {target}, 0 there already, 3 passed over, {len(bad)} not fetched\n")
    assert "\x1b" not in done.stderr
    assert done.stderr.count("leads out of the landing zone") == 13


def test_file_that_broke_off_goes_on_where_it_ended(web: Web, target: Path, fetch: Fetch) -> None:
    web.put("/lab/log_data/large.json", LARGE, NOON)
    web.breaks_after["/lab/log_data/large.json"] = [2_000_000, 500_000]
    done = fetch(listed(web, "log_data/large.json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert here(target) == {"log_data/large.json": LARGE}
    assert [asked for _, asked in web.gets()] == [None, "bytes=2000000-", "bytes=2500000-"]


def test_kill_in_the_middle_leaves_nothing_half_and_the_next_fetch_goes_on(web: Web, target: Path, fetch: Fetch) -> None:
    web.put("/lab/log_data/large.json?key=secret", LARGE, NOON)
    web.slow.add("/lab/log_data/large.json?key=secret")
    source = listed(web, f"{web.address}/lab/log_data/large.json?key=secret")
    first = subprocess.Popen([PROGRAM, source, str(target)], start_new_session=True)
    assert web.waiting.wait(240)
    family = psutil.Process(first.pid).children(recursive=True)
    arguments = [" ".join(each.cmdline()) for each in family]
    assert any("curl" in each for each in arguments)
    assert not any("secret" in each for each in arguments)
    locked = fetch(source)
    assert (locked.returncode, "is at work" in locked.stderr) == (6, True)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    psutil.wait_procs(family, 60)  # curl holds the lock too
    assert find_files(target).files == []
    web.slow.clear()
    web.forget()
    assert fetch(source).returncode == 0
    assert [asked is None for _, asked in web.gets()] == [False]
    assert here(target) == {"log_data/large.json": LARGE}
    web.forget()
    assert fetch(source).stdout.startswith("0 fetched")
    assert web.gets() == []


def test_what_was_begun_of_another_version_is_not_gone_on_with(web: Web, target: Path, fetch: Fetch) -> None:
    path = "/lab/log_data/large.json"
    web.put(path, LARGE, NOON)
    web.breaks_after[path] = [2_000_000, 0]
    source = listed(web, "log_data/large.json")
    assert fetch(source, "--tries", "1").returncode == 5
    assert len(list(target.rglob("*.part"))) == 1
    web.put(path, LARGE[::-1], NOON + 60)
    web.breaks_after[path], web.changes_to[path] = [2_000_000], (LARGE, NOON + 120)
    assert fetch(source).returncode == 0
    assert here(target) == {"log_data/large.json": LARGE}
    assert (target / "log_data/large.json").stat().st_mtime == NOON + 120
    assert [asked for _, asked in web.gets()] == [None, "bytes=2000000-", None, "bytes=2000000-", None]


def test_checksums_of_the_list_are_verified_and_what_is_here_is_not_asked_for(web: Web, target: Path, fetch: Fetch) -> None:
    web.put("/lab/log_data/good.json", b"good", NOON)
    web.put("/lab/log_data/bad.json", b"bad", NOON)
    (target / "log_data").mkdir(parents=True)
    (target / "log_data/bad.json").write_bytes(b"earlier")
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("good", "other")}
    source = listed(web, f"{sums['good']}  log_data/good.json", f"{sums['other']} *log_data/bad.json")
    done = fetch(source)
    assert (done.returncode, done.stderr.splitlines()[0]) == (3, "Not fetched: log_data/bad.json: it is not what the list's checksum says")
    assert here(target) == {"log_data/good.json": b"good", "log_data/bad.json": b"earlier"}
    web.forget()
    assert fetch(source).returncode == 3
    assert "/lab/log_data/good.json" not in [path for _, path, _ in web.asked]


def test_errors_have_their_codes_and_say_what_to_do(web: Web, target: Path, fetch: Fetch) -> None:
    with web_server() as gone:
        pass
    (target / "a.json").mkdir(parents=True)
    web.put("/lab/a.json", b"a")
    for code, source, options, says in [
        (0, "x", ["--help"], ""),
        (2, "x", ["--tries", "none"], "See bin/fetch-landing --help."),
        (2, "s3://x;y", [], "This is no bucket"),
        (2, "x", ["--tires"], "There is no option --tires."),
        (3, "s3://moved", [], "Set AWS_REGION"),
        (3, "no/such/list", [], "There is no list no/such/list."),
        (3, f"{web.address}/none", [], "The server has no list (404)."),
        (3, listed(web, "a.json"), [], "a folder has its name"),
        (3, listed(web, "missing.json"), [], "the server does not have it (404)"),
        (5, f"{gone.address}/lab/list", ["--tries", "1"], "does not answer"),
        (5, listed(web, f"{gone.address}/secret.json?key=secret"), ["--tries", "1"], "Run this again later"),
    ]:
        done = fetch(source, *options, AWS_ENDPOINT_URL=web.address)
        assert (done.returncode, says in done.stderr) == (code, True), done.stderr
        assert "key=secret" not in done.stdout + done.stderr


def test_bucket_is_fetched_with_signatures_that_the_server_verifies(tmp_path: Path, target: Path, fetch: Fetch) -> None:
    with verifying_endpoint() as objects:
        content = {"log_data/a b+%41é.json": b"a", "log_data/2018/b.json": b"b", "song_data/large.json": LARGE, "song_data/=&?#.json": b"c"}
        for key, body in content.items():
            objects.client.put_object(Bucket=BUCKET, Key=f"raw data/{key}", Body=body)
        objects.client.put_object(Bucket=BUCKET, Key="raw data/log_data/", Body=b"")
        objects.client.put_object(Bucket=BUCKET, Key="elsewhere/log_data/c.json", Body=b"c")
        done = fetch(f"s3://{BUCKET}/raw data", **objects.environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert here(target) == content
        again = fetch(f"s3://{BUCKET}/raw data/", **objects.environment)
        assert again.stdout.startswith(f"0 fetched into {target}, 4 there already")
        told = objects.client.head_object(Bucket=BUCKET, Key="raw data/log_data/2018/b.json")["LastModified"]
        assert (target / "log_data/2018/b.json").stat().st_mtime == told.timestamp()
        objects.client.put_object(Bucket=BUCKET, Key="raw data/../evil.json", Body=b"e")
        hostile = fetch(f"s3://{BUCKET}/raw data", **objects.environment)
        assert (hostile.returncode, (tmp_path / "evil.json").exists()) == (3, False)
        refused = fetch(f"s3://{BUCKET}/raw data", **objects.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"})
        assert (refused.returncode, "refuses access to bucket lab (403)" in refused.stderr) == (5, True)
        assert fetch("s3://none-such", **objects.environment).returncode == 3


def test_open_bucket_is_fetched_without_credentials(web: Web, target: Path, fetch: Fetch) -> None:
    entry = (
        "<Contents><Key>{}</Key><LastModified>2018-11-01T12:00:00.123Z</LastModified><ETag>&quot;1&quot;</ETag><Size>{}</Size></Contents>"
    )
    first = f"{entry.format('log_data/a.json', 1)}{entry.format('..%2Fx', 1)}<NextContinuationToken>x/y=</NextContinuationToken>"
    web.put("/open?encoding-type=url&list-type=2&prefix=", first.encode())
    web.put(
        "/open?continuation-token=x%2Fy%3D&encoding-type=url&list-type=2&prefix=",
        entry.format("log_data/a+b.json", f"a[$(touch {target}/sprung)]").encode(),
    )
    web.put("/open/log_data/a.json", b"1", NOON)
    web.put("/open/log_data/a%20b.json", b"22", NOON)
    done = fetch("s3://open", AWS_ENDPOINT_URL_S3=web.address)
    assert (done.returncode, "../x" in done.stderr) == (3, True)
    assert here(target) == {"log_data/a.json": b"1", "log_data/a b.json": b"22"}
    assert fetch("s3://open", AWS_ENDPOINT_URL_S3=web.address).stdout.startswith(f"0 fetched into {target}, 2 there already")


def test_full_disk_is_told_and_what_was_whole_stays(web: Web, target: Path, fetch: Fetch) -> None:
    web.put("/lab/log_data/small.json", b"small", NOON)
    web.put("/lab/log_data/large.json", LARGE, NOON)
    with small_disk(target, 2):
        assert fetch(listed(web, "log_data/small.json")).returncode == 0
        full = fetch(listed(web, "log_data/large.json"))
        assert (full.returncode, "Nothing can be written" in full.stderr) == (3, True)
        assert [file.path for file in find_files(target).files] == ["log_data/small.json"]


def test_lock_goes_with_the_process(web: Web, target: Path, fetch: Fetch) -> None:
    target.mkdir()
    with (target / ".fetch-landing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert fetch(listed(web)).returncode == 6
    assert fetch(listed(web)).returncode == 0
