"""The environment that bin/env.sh makes, for tests that start Spark in their own process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def load() -> None:
    """Take over what bin/env.sh exports."""
    told = subprocess.run(["bash", "-c", '. "$0" && env -0', str(PROJECT / "bin" / "env.sh")], capture_output=True, check=True, text=True)
    for entry in told.stdout.split("\0"):
        name, _, value = entry.partition("=")
        if name.startswith(("SPARK", "PYSPARK", "JAVA", "SONGLAKE_ROOT")):
            os.environ[name] = value
