"""The Spark session, built in one place; its settings are in `conf/spark-defaults.conf`."""

from __future__ import annotations

import ctypes
import os
import signal
from functools import cache

from pyspark.sql import SparkSession

from spark_jobs.errors import BadUsage

_PR_SET_PDEATHSIG = 1
_LARGE_BYTES = 32 << 20


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends, so that a killed spark-submit leaves no driver behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@cache
def start_session(input_bytes: int = 0) -> SparkSession:
    """Start the session of this process, or give the one it has.

    Args:
        input_bytes: Size of the files to read. From 32 MiB on the JVM gets its full compiler, which earns more there than it costs.

    Raises:
        BadUsage: Spark cannot be started as the environment stands.
    """
    if not os.environ.keys() & {"PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT"}:
        raise BadUsage("Spark would run without conf/spark-defaults.conf.", "Start it by bin/songlake or bin/spark-submit.")
    builder = SparkSession.builder.appName("songlake")
    if input_bytes >= _LARGE_BYTES:
        builder = builder.config("spark.driver.extraJavaOptions", "-XX:+UseSerialGC")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark
