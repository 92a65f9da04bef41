"""The doctor tells what this machine's Java is, and finds one that does not work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from spark_jobs import doctor
from spark_jobs.settings import load
from tests.sparkenv import PROJECT


def java(tmp_path: Path) -> doctor.Finding:
    return next(finding for finding in doctor.examine(load(landing=tmp_path, lake=tmp_path)) if finding.what == "Java 17")


def test_version_of_java_is_told_and_not_what_the_environment_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = subprocess.run(["bash", "-c", '. "$0" && printf %s "$JAVA_HOME"', PROJECT / "bin" / "env.sh"], capture_output=True, text=True)
    monkeypatch.setenv("JAVA_HOME", home.stdout)
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Djavax.net.ssl.trustStorePassword=word")
    found = java(tmp_path)
    assert ' version "17.' in found.found
    assert (found.found.endswith(f" in {home.stdout}"), found.fix) == (True, None)


def test_a_java_that_does_not_work_is_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho error while loading shared libraries >&2\nexit 127\n")
    os.chmod(program, 0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = java(tmp_path)
    assert found.found == f"{program} does not work"
    assert found.fix is not None
