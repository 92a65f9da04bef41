"""Lines on their way into a lake in an object store, while they are on this machine's disk."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from spark_jobs import object_store
from spark_jobs.errors import InputMissing
from spark_jobs.landing.spool import clear_spool, open_spool, pack_into
from spark_jobs.locations import ObjectPath
from tests.sparkenv import PROJECT

PACK_AND_WAIT = """
import sys, time
from pathlib import Path
from spark_jobs.landing.find import find_files
from spark_jobs.landing.spool import open_spool, pack_into
from spark_jobs.locations import ObjectPath
def wait(file):
    print("packing", flush=True)
    time.sleep(600)
with open_spool(ObjectPath(sys.argv[1], "lake"), "killed") as spool:
    pack_into(spool, find_files(Path(sys.argv[2])).files, wait)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder, of this process and of those it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_lines_that_a_killed_run_left_here_go_with_the_next_run_and_nobody_else_could_read_them(
    bucket: ObjectPath, here: Path, tmp_path: Path
) -> None:
    events = tmp_path / "landing" / "log_data" / "a.json"
    events.parent.mkdir(parents=True)
    events.write_text('{"ts": 1541105830796, "userId": "39", "firstName": "Walter"}\n')
    command = [sys.executable, "-c", PACK_AND_WAIT, bucket.bucket, str(tmp_path / "landing")]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "packing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(here.rglob("events.parquet"))
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in here.iterdir()] == [0o700]
    with open_spool(bucket / "lake", "next"):
        assert list(here.iterdir()) == []


def test_lines_of_one_lake_stay_while_another_lake_is_cleared(bucket: ObjectPath, here: Path) -> None:
    with open_spool(bucket / "lake", "batch") as spool:
        pack_into(spool, [], None)
        [ours] = here.iterdir()
        clear_spool(bucket / "other")
        assert list(here.iterdir()) == [ours]
    assert list(here.iterdir()) == []


def test_packed_lines_are_in_the_lake_and_only_there(bucket: ObjectPath, here: Path) -> None:
    with open_spool(bucket / "lake", "batch") as spool:
        pack_into(spool, [], None)
        assert object_store.exists(spool / "events.parquet")
        assert list(here.rglob("*.parquet")) == []


def _link(folder: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def _file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch(0o600)


def _open_to_others(folder: Path) -> None:
    folder.chmod(0o755)


def _of_another_user(folder: Path) -> None:
    if os.getuid():
        pytest.skip("only root can give a folder away")
    os.chown(folder, 65534, 65534)


@pytest.mark.parametrize("spoil", [_link, _file, _open_to_others, _of_another_user])
def test_a_folder_that_is_not_this_user_s_alone_is_refused_and_left_as_it_is(
    bucket: ObjectPath, here: Path, spoil: Callable[[Path], None]
) -> None:
    with open_spool(bucket / "lake", "batch") as spool:
        pack_into(spool, [], None)
        [folder] = here.iterdir()
    folder.mkdir(0o700)
    (folder / "theirs").touch()
    spoil(folder)
    with pytest.raises(InputMissing, match="is no folder, another user's, or open to others"), open_spool(bucket / "lake", "batch"):
        pass
    assert spoil is _file or (folder / "theirs").exists()
