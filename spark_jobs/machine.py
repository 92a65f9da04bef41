"""What breaks under a run, told as errors a person can act on: a full or read-only disk, an object store that is away, Java that ended."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from spark_jobs.errors import InputMissing, ServiceUnreachable, SonglakeError
from spark_jobs.store_faults import store_fault

_EXIT_SECONDS = 2
_AGAIN = "run again: it goes on from what was committed."
_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large")
_READ_ONLY = re.compile(r"Read-only file system|Operation not permitted|Permission denied")
_PATH = re.compile(r"(?<!\w)(/[^\s/:'\"()]+/[^\s:'\"()]+)")


def explain(error: BaseException) -> SonglakeError | None:
    """Tell what of the machine broke, judging by an error that nobody expected; None if it was something else."""
    if _java_has_ended():
        return ServiceUnreachable(
            "Spark's Java process ended in the middle of the work.",
            f"See whether the machine ran out of memory (dmesg), then {_AGAIN}",
        )
    return next((fault for text in _told(error) if (fault := disk_fault(text) or store_fault(text))), None)


def disk_fault(text: str, where: str = "") -> InputMissing | None:
    """Tell from an error's text that a disk of ours is full or read-only; None if it speaks of neither.

    Args:
        text: What was said, by Python or Java.
        where: What was written, to be named if the text names no path.
    """
    if "org.postgresql" in text:
        return None
    if _FULL.search(text):
        return InputMissing(
            f"A disk is full{_where(text, where)}.",
            f"Make room for the lake and for Spark's temporary files (SPARK_LOCAL_DIRS, else /tmp), then {_AGAIN}",
        )
    if read_only := _READ_ONLY.search(text):
        return InputMissing(
            f"A file cannot be read or written{_where(text, where)}: {read_only[0]}.",
            f"Let this user read and write there, then {_AGAIN}",
        )
    return None


def _told(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _where(text: str, otherwise: str) -> str:
    """Name the first path of the line that tells of the fault, or of all the text."""
    told = next(line for line in text.splitlines() if _FULL.search(line) or _READ_ONLY.search(line))
    found = _PATH.search(told) or _PATH.search(text)
    if found:
        return f" ({found[1].rstrip('.')})"
    return f" ({otherwise} could not be written)" if otherwise else ""


def _java_has_ended() -> bool:
    """Whether the Java that this process started for Spark is gone; one that is being killed is given a moment to go."""
    spark = sys.modules.get("pyspark")
    java: subprocess.Popen[bytes] | None = getattr(spark and spark.SparkContext._gateway, "proc", None)
    if java is None:
        return False
    try:
        java.wait(_EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
