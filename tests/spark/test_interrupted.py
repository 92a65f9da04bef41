"""Ctrl-C while Java starts or works ends both, and is told in two sentences."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest

from tests import sparkenv
from tests.scratch import wait_until

PROGRAM = """
import os, signal, sys, threading
from spark_jobs.console import run_command
from spark_jobs.session import start_session

def work():
    java = start_session()._jvm.java
    threading.Timer(3, os.kill, [os.getpid(), signal.SIGINT]).start()
    java.lang.Thread.sleep(120_000)

sys.exit(run_command(work))
"""


START = """
import os, signal, sys, threading, time
import psutil
from spark_jobs.console import run_command
from spark_jobs.session import start_session

def break_off():
    while not psutil.Process().children():
        time.sleep(0.05)
    time.sleep(float(sys.argv[1]))
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=break_off, daemon=True).start()
sys.exit(run_command(lambda: start_session() and None))
"""


def _processes_of(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("SONGLAKE_TEST_MARK") == mark:
                found.append(process)
    return found


@pytest.mark.parametrize("seconds", ["0.1", "0.8"], ids=["before Java", "as Java starts"])
def test_ctrl_c_while_java_starts_leaves_none_behind(seconds: str) -> None:
    sparkenv.load()
    mark = f"{os.getpid()}-{seconds}"
    done = subprocess.run(
        [sys.executable, "-c", START, seconds],
        cwd=sparkenv.PROJECT,
        env={**os.environ, "SONGLAKE_TEST_MARK": mark},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 130, done.stderr
    assert wait_until(lambda: not _processes_of(mark), 30), _processes_of(mark)


def test_ctrl_c_while_java_works_is_told_without_a_trace() -> None:
    sparkenv.load()
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=sparkenv.PROJECT, capture_output=True, text=True, timeout=240)
    told = "Stopped: The command was interrupted.\nRun it again: it goes on where it is safe to.\n"
    assert (done.returncode, done.stderr.replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "")) == (130, told)
