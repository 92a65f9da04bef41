"""`bin/songlake erase` asks before it changes anything, and says why it does not begin. What it then does: tests/spark/test_erasure.py."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from spark_jobs.console import Stages
from spark_jobs.erasure import erase
from spark_jobs.errors import InputMissing
from spark_jobs.landing.person import Person
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.lock import writer_lock
from tests.e2e.conftest import Cli
from tests.scratch import fill, small_disk
from tests.sparkenv import PROJECT
from tests.world import event

THEIRS = event(user="26", firstName="Zanzibarina")


@pytest.fixture
def delivered(cli: Cli) -> Path:
    """A file with two lines of the person, and one of somebody else."""
    return cli.world.write("log_data/1.json", "\n".join(json.dumps(line) for line in (THEIRS, event(user="27"), {**THEIRS, "ts": None})))


def test_a_dry_run_shows_how_many_lines_are_in_which_files_and_changes_nothing(cli: Cli, delivered: Path) -> None:
    before = delivered.read_bytes()
    done = cli("erase", "26", "--dry-run", COLUMNS="200")
    assert done.code == 0, done.err
    assert [cell.strip() for line in done.out.splitlines() if "1.json" in line for cell in line.strip("│").split("│")] == [
        "log_data/1.json",
        "2",
        "0",
    ]
    assert "Zanzibarina" not in done.out + done.err
    assert (delivered.read_bytes(), list(cli.world.lake.glob("*"))) == (before, [])


def test_without_a_terminal_or_without_a_yes_nothing_is_erased(cli: Cli, delivered: Path) -> None:
    before = delivered.read_bytes()
    refused = cli("erase", "26")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    end_of_input = b"\x04"
    for answer in (b"n\n", end_of_input):
        terminal, end = os.openpty()
        os.write(terminal, answer)
        asked = subprocess.run([PROJECT / "bin/songlake", "erase", "26"], stdin=end, capture_output=True, text=True, env=cli.environment())
        assert "Erase 2 lines of 1 files" in asked.stdout
        assert (asked.returncode, "Nothing was erased" in asked.stderr) == (2, True), asked.stderr
        assert delivered.read_bytes() == before


def test_nothing_is_begun_while_another_run_writes_or_where_a_file_cannot_be_searched(cli: Cli, delivered: Path) -> None:
    before = delivered.read_bytes()
    with connect(cli.world.url, application_name="somebody") as connection, writer_lock(connection, "somebody"):
        held = cli("erase", "26", "--yes")
    assert (held.code, "somebody" in held.err) == (6, True), held.err
    cli.world.write("log_data/cut.json.gz", b"\x1f\x8bnot gzip")
    for given in ("--yes", "--dry-run"):
        refused = cli("erase", "26", given)
        assert (refused.code, "log_data/cut.json.gz (not a gzip file" in refused.err) == (3, True), refused.err
    assert delivered.read_bytes() == before


def test_where_there_is_no_lake_yet_the_landing_files_are_rewritten_and_that_is_told(cli: Cli, delivered: Path) -> None:
    done = cli("erase", "26", "--yes")
    assert done.code == 0, done.err
    assert json.loads(delivered.read_bytes())["userId"] == "27"
    assert done.out.splitlines()[-1] == "There is no lake yet; nothing but the landing files was searched."
    assert "nothing was written" not in done.out


def test_full_disk_of_the_landing_zone_is_told_with_the_file_and_where_room_is_needed(cli: Cli, delivered: Path) -> None:
    before = delivered.read_bytes()
    with small_disk(delivered.parent, 1) as folder:
        delivered.write_bytes(before)
        filler = fill(folder)
        with pytest.raises(InputMissing, match=r"log_data/1\.json could not be rewritten: No space left on device\. .*room for a copy"):
            erase(cli.world.settings(), Person(26), Stages())
        filler.unlink()
        assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("1.json", before)]
