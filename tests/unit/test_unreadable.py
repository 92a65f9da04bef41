"""Files that may not be read, or that change while they are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_jobs.landing.find import LandingFile, find_files
from spark_jobs.landing.pack import pack
from tests.sparkenv import PROJECT

_LOOK = """
import os, sys
from pathlib import Path
from spark_jobs.landing.find import find_files
from spark_jobs.landing.pack import pack
if os.geteuid() == 0:
    # Root may read everything; nobody may not, and could not even import from everywhere.
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
landing = find_files(Path(sys.argv[1]))
for packed in pack(landing.files, Path(sys.argv[2])):
    print(packed.file.path, packed.lines, packed.cause, sep="|")
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=True)


def test_files_and_folders_without_permission_have_that_cause_and_the_others_are_read(open_folder: Path) -> None:
    root = open_folder / "landing" / "log_data"
    for name in ("good.json", "file.json", "unlisted/a.json", "unentered/a.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}\n")
    for name, mode in (("file.json", 0), ("unlisted", 0o311), ("unentered", 0o644)):
        os.chmod(root / name, mode)
    looked = subprocess.run(
        [sys.executable, "-c", _LOOK, str(root.parent), str(open_folder / "spool")], capture_output=True, text=True, cwd=PROJECT
    )
    assert looked.stdout.splitlines() == [
        "log_data/file.json|0|no permission to read it",
        "log_data/good.json|1|None",
        "log_data/unentered/a.json|0|it cannot be looked at (Permission denied)",
        "log_data/unlisted|0|the folder cannot be listed (Permission denied)",
    ], looked.stderr


def test_files_that_change_or_go_while_others_are_read_are_left_for_the_next_run(tmp_path: Path) -> None:
    folder = tmp_path / "landing" / "log_data"
    folder.mkdir(parents=True)
    for name in "abcdef":
        (folder / f"{name}.json").write_text("{}\n")

    def disturb(_: LandingFile) -> None:
        if (folder / "b.json").exists():
            (folder / "b.json").unlink()
            (folder / "c.json").write_text("{}\n{}\n")
            os.utime(folder / "d.json", (1, 1))
            (folder / "new").write_text("{}\n")
            (folder / "new").rename(folder / "e.json")

    found = pack(find_files(tmp_path / "landing").files, tmp_path / "spool", disturb)
    assert [packed.file.path for packed in found] == ["log_data/a.json", "log_data/f.json"]


_OPEN = """
import os, sys
from pathlib import Path
from spark_jobs.console import run_command
from spark_jobs.lake import snapshot
from spark_jobs.lake.creation import create_missing
lake = Path(sys.argv[1])
create_missing(lake)
Path(sys.argv[2]).chmod(0)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(run_command(lambda: snapshot.read_files(lake) and None))
"""


@pytest.mark.parametrize("closed", ["files", "files/_delta_log/00000000000000000000.json"])
def test_a_lake_that_may_not_be_read_is_no_damaged_one(open_folder: Path, closed: str) -> None:
    lake = open_folder / "lake"
    told = subprocess.run([sys.executable, "-c", _OPEN, lake, lake / closed], cwd=PROJECT, capture_output=True, text=True)
    assert told.returncode == 3, told.stderr
    assert "Permission denied" in told.stderr
    assert "Let this user read and write there" in told.stderr
