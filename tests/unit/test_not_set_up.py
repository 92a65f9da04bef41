"""Where set-up broke off, or the folder was moved since, commands say what to run, instead of a trace or of working elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sparkenv import PROJECT


@pytest.mark.parametrize(
    ("python", "found"),
    [(sys.executable, None), (sys.executable, ""), (sys.executable, "/elsewhere/songlake\n"), ("/no/python", "{root}\n")],
    ids=["no packages", "half of them", "another folder's", "python gone"],
)
@pytest.mark.parametrize("command", ["songlake status", "spark-submit spark_jobs/ingest.py", "spark-class Master"])
def test_a_folder_that_is_not_set_up_says_what_to_run(tmp_path: Path, command: str, python: str, found: str | None) -> None:
    root = (tmp_path / "songlake").resolve()
    shutil.copytree(PROJECT / "bin", root / "bin")
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "pyspark").mkdir(parents=True)
    (root / ".venv" / "bin").mkdir()
    (root / ".venv" / "bin" / "python").symlink_to(python)
    if found is not None:
        (packages / "songlake.pth").write_text(found.format(root=root))
    program, *arguments = command.split()
    done = subprocess.run([str(root / "bin" / program), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"Songlake is not set up in {root}. Run: make setup\n")


def test_a_folder_whose_upgrade_broke_off_is_not_set_up_until_it_came_to_its_end(tmp_path: Path) -> None:
    root = (tmp_path / "songlake").resolve()
    shutil.copytree(PROJECT / "bin", root / "bin")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    (root / ".venv" / "bin" / "uv").symlink_to(PROJECT / ".venv" / "bin" / "uv")
    packages = next((root / ".venv" / "lib").glob("python3.*/site-packages"))
    (packages / "pyspark").mkdir()
    (packages / "songlake.pth").write_text(f"{root}\n")
    (root / "requirements.txt").write_text(f"songlake-knows-no-such-package==1 --hash=sha256:{'0' * 64}\n")
    upgrade = subprocess.run(
        [sys.executable, str(root / "bin" / "setup")], env={**os.environ, "UV_OFFLINE": "1"}, capture_output=True, text=True, timeout=240
    )
    assert (upgrade.returncode, "The Python packages could not be installed." in upgrade.stderr) == (1, True), upgrade.stderr
    done = subprocess.run([str(root / "bin" / "songlake"), "status"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"Songlake is not set up in {root}. Run: make setup\n")
