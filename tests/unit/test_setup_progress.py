"""The first set-up takes minutes; it says what it is at, on a terminal and in a log."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import time
from typing import Any

import pytest

from tests.sparkenv import PROJECT
from tests.terminal import opened_terminal

UV = """Resolved 248 packages in 4.83s
Downloading deltalake (49.6MiB)
Downloading numpy (16.1MiB)
 Downloaded numpy
   Building pyspark==4.2.0
"""


@pytest.fixture(scope="module")
def progress() -> Any:
    spec = importlib.util.spec_from_file_location("setup_progress", PROJECT / "bin" / "progress.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_log_gets_a_plain_line_now_and_then(progress: Any) -> None:
    log = io.StringIO()
    with progress.Progress(log, plain_seconds=0.05) as shown:
        shown.tell("fetching a.jar, 1 of 3")
        while log.getvalue().count("\n") < 2:
            time.sleep(0.05)
    assert re.fullmatch(r"(    fetching a\.jar, 1 of 3, \d+ s\n)+", log.getvalue())


def test_a_terminal_gets_one_line_that_is_written_over_and_cleared(progress: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with opened_terminal() as terminal, os.fdopen(terminal.end, "w") as out, progress.Progress(out) as shown:
        shown.tell("fetching " + "x" * 100)
        while "fetching" not in terminal.seen:
            time.sleep(0.05)
        shown.say("this stays")
    over = re.escape("\r\033[K")
    assert re.fullmatch(f"({over}    fetching x{{26}})+{over}    this stays\r\n({over}    fetching x{{26}})*{over}", terminal.seen)


def test_packages_are_counted_from_what_uv_tells(progress: Any) -> None:
    told: list[str] = []
    reader = progress.PackageProgress(told.append)
    for line in UV.splitlines():
        reader.read(line)
    assert told[-1] == "fetching 248 packages, 1 of 2 large ones here, 17 of 69 MB, building pyspark==4.2.0"
    for line in ("Prepared 248 packages in 3s", "Installed 248 packages in 1s", " + a==1"):
        reader.read(line)
    assert told[-2:] == ["installing 248 packages", "compiling 248 packages"]
