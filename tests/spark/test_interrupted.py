"""Ctrl-C while Java works is told in two sentences."""

from __future__ import annotations

import subprocess
import sys

from tests import sparkenv

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


def test_ctrl_c_while_java_works_is_told_without_a_trace() -> None:
    sparkenv.load()
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=sparkenv.PROJECT, capture_output=True, text=True, timeout=240)
    told = "Stopped: The command was interrupted.\nRun it again: it goes on where it is safe to.\n"
    assert (done.returncode, done.stderr.replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "")) == (130, told)
