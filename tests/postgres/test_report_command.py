"""`bin/songlake report`: the page is written, shown by the browser there is, and named where there is none."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from spark_jobs.warehouse.connection import Connection
from tests.postgres.staging import batch, load, play
from tests.sparkenv import PROJECT
from tests.terminal import opened_terminal


def report(url: str, folder: Path, stderr: int = subprocess.PIPE, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SONGLAKE") and name not in {"BROWSER", "DISPLAY"}}
    given = {"WAREHOUSE_URL": url, "SONGLAKE_REPORTS": str(folder / "reports"), "SONGLAKE_LAKE": str(folder / "lake")}
    return subprocess.run(
        [str(PROJECT / "bin" / "songlake"), "report", "--open"],
        env={**kept, **given, **more},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=240,
    )


def test_report_opens_in_the_browser_there_is(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    browser, shown = tmp_path / "browser", tmp_path / "shown"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {shown}\n')
    browser.chmod(0o755)
    done = report(url, tmp_path, BROWSER=f"{browser} %s")
    page = tmp_path / "reports" / "latest.html"
    assert (done.returncode, done.stdout) == (0, f"The report is in {page}.\n"), done.stderr
    assert shown.read_text() == page.as_uri()
    assert "Load b1 is live." in page.read_text()


def test_report_says_where_it_is_where_there_is_no_browser(warehouse: Connection, url: str, tmp_path: Path) -> None:
    done = report(url, tmp_path, BROWSER="/nowhere/browser")
    page = tmp_path / "reports" / "latest.html"
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"There is no browser here that could open it.\nThe report is in {page}.\n"
    assert "Nothing has been loaded yet." in page.read_text()


def test_report_tells_in_a_log_when_it_begins_and_how_long_it_took(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    begins, done = report(url, tmp_path, BROWSER="/nowhere/browser").stderr.splitlines()
    assert "stage begins stage=report" in begins
    assert "stage done" in done
    assert re.search(r"seconds=\d+\.\d+ stage=report", done)


def test_report_shows_on_a_terminal_what_it_asks_for(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    with opened_terminal() as terminal:
        done = report(url, tmp_path, terminal.end, BROWSER="/nowhere/browser", TERM="xterm")
    assert done.returncode == 0, terminal.seen
    assert "report: recommendations (5 of 5)" in terminal.seen
