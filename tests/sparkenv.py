"""The environment that bin/env.sh makes, for tests that start Spark in their own process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.scratch import free_port

PROJECT = Path(__file__).resolve().parent.parent
_KEEP_COMPILED = "--conf spark.sql.codegen.cache.maxEntries=5000"
"""Each delivery has some 300 pieces of code generated that are the same in the next; of Spark's own 100 none is left by then."""


def use_endpoint() -> str:
    """Point this process, and every JVM it starts, at an endpoint where nobody answers until `endpoint` starts it."""
    if not os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://127.0.0.1:"):
        os.environ.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}", AWS_REGION="us-east-1")
        os.environ.update(AWS_ACCESS_KEY_ID="songlake-test", AWS_SECRET_ACCESS_KEY="secret")
    return os.environ["AWS_ENDPOINT_URL"]


def load() -> None:
    """Take over what bin/env.sh exports for work on an object store, one of this machine that need not run."""
    use_endpoint()
    told = subprocess.run(
        ["bash", "-c", '. "$0" && env -0', str(PROJECT / "bin" / "env.sh"), "s3a://"], capture_output=True, check=True, text=True
    )
    for entry in told.stdout.split("\0"):
        name, _, value = entry.partition("=")
        if name.startswith(("SPARK", "PYSPARK", "JAVA", "SONGLAKE_ROOT")):
            os.environ[name] = value
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{_KEEP_COMPILED} {os.environ['PYSPARK_SUBMIT_ARGS']}"
