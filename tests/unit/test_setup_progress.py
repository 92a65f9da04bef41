"""The first set-up takes minutes; it says what it is at, on a terminal and in a log."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import pty
import time
from typing import Any

import pytest

from tests.sparkenv import PROJECT

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
        time.sleep(0.2)
    lines = log.getvalue().splitlines()
    assert set(lines) == {"    fetching a.jar, 1 of 3, 0 s"}
    assert "\033" not in log.getvalue()


def test_a_terminal_gets_one_line_that_is_written_over_and_cleared(progress: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal, end = pty.openpty()
    with os.fdopen(end, "w") as out, progress.Progress(out) as shown:
        shown.tell("fetching " + "x" * 100)
        time.sleep(0.7)
        shown.say("this stays")
    seen = _all_of(terminal)
    assert seen.startswith("\r\033[K    fetching " + "x" * 26 + "\r\033[K    this stays\r\n")
    assert seen.endswith("\r\033[K")


def _all_of(terminal: int) -> str:
    """Read what a terminal got until its other end is closed, which Linux tells as an error."""
    seen = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 10_000):
            seen += part
    os.close(terminal)
    return seen.decode()


def test_packages_are_counted_from_what_uv_tells(progress: Any) -> None:
    told: list[str] = []
    reader = progress.PackageProgress(told.append)
    for line in UV.splitlines():
        reader.read(line)
    assert told[-1] == "fetching 248 packages, 1 of 2 large ones here, 17 of 69 MB, building pyspark==4.2.0"
    for line in ("Prepared 248 packages in 3s", "Installed 248 packages in 1s", " + a==1"):
        reader.read(line)
    assert told[-2:] == ["installing 248 packages", "compiling 248 packages"]
