"""The Spark session, built in one place; its settings are in `conf/spark-defaults.conf`."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import TypeVar

import psutil
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from spark_jobs.errors import BadUsage
from spark_jobs.jvm import FULL_COMPILER

_PR_SET_PDEATHSIG = 1
LARGE_BYTES = 1 << 30
"""Files from which on the full compiler earns more than it costs."""

Result = TypeVar("Result")


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends, so that a killed spark-submit leaves no driver behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@cache
def start_session(*, full_compiler: bool = False) -> SparkSession:
    """Start the session of this process, or give the one it has.

    Args:
        full_compiler: Whether the JVM gets its full compiler, which takes seconds and earns them back in long work alone. A JVM that
            spark-submit started has the one it was given.

    Raises:
        BadUsage: Spark cannot be started as the environment stands.
    """
    if not os.environ.keys() & {"PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT"}:
        raise BadUsage("Spark would run without conf/spark-defaults.conf.", "Start it by bin/songlake or bin/spark-submit.")
    # Where spark-submit started this process Java runs already; else Spark would take any Java that is on PATH, or find none.
    if not os.environ.keys() & {"JAVA_HOME", "PYSPARK_GATEWAY_PORT"}:
        raise BadUsage(
            "Java 17 was not found.",
            "Install it (Debian and Ubuntu: apt install openjdk-17-jre-headless) or point JAVA_HOME at it.",
        )
    conf = SparkConf().setAppName("songlake")
    if full_compiler:
        conf.set("spark.driver.extraJavaOptions", FULL_COMPILER)
    # What Java is given after its start does not stand among its arguments.
    _start_java(conf)
    if secret := os.environ.get("_SPARK_AUTH_SECRET"):
        # The driver of a standalone cluster wants as a setting what master and workers take from here.
        conf.set("spark.authenticate.secret", secret)
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _start_java(conf: SparkConf) -> None:
    """Start Java, and end it if that is broken off: one that cannot say its port any more, where pyspark asked for it, waits for ever."""
    others = set(psutil.Process().children())
    try:
        SparkContext._ensure_initialized(conf=conf)
    except BaseException:
        for started in set(psutil.Process().children()) - others:
            _kill(started)
        raise


def _kill(process: psutil.Process) -> None:
    """Kill a process and all that it started; some end meanwhile by themselves."""
    with suppress(psutil.NoSuchProcess):
        for child in process.children():
            _kill(child)
        process.kill()


def side_by_side(spark: SparkSession, works: Sequence[Callable[[SparkSession], Result]]) -> list[Result]:
    """Run works at the same time, as many as there are cores, and give what they return, in their order.

    Planning a query keeps one core busy and leaves the others idle, and small work is mostly planning. Each work has a session of its
    own in the same Spark, so that no work sees the settings of another; a single one keeps the session given.

    Raises:
        Exception: What the first work that failed raised, once all have ended.
    """
    if len(works) < 2:
        return [work(spark) for work in works]
    with ThreadPoolExecutor(min(len(works), spark.sparkContext.defaultParallelism)) as pool:
        return list(pool.map(lambda work: work(spark.newSession()), works))
