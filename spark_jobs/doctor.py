"""What is wrong with this machine, and how to mend it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from spark_jobs.errors import SonglakeError
from spark_jobs.lake import snapshot
from spark_jobs.landing.find import find_files
from spark_jobs.locations import ObjectPath
from spark_jobs.settings import PROJECT, Settings

_JAVA_17 = "Debian and Ubuntu: apt install openjdk-17-jre-headless; or point JAVA_HOME at a Java 17."
_FREE_GB = 2
_MEMORY_GB = 4


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What it is.
        found: What was found.
        fix: What to do; None if all is well.
    """

    what: str
    found: str
    fix: str | None = None


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that Songlake needs; nothing is changed or started."""
    return [_python(), _java(), _packages(), _jars(), _memory(), _disk(settings), _landing(settings), _lake(settings), _warehouse(settings)]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", version, None if sys.version_info >= (3, 11) else "Install Python 3.11 or newer, then 'make setup'.")


def _java() -> Finding:
    home = os.environ.get("JAVA_HOME")
    if home is None:
        return Finding("Java 17", "not found", _JAVA_17)
    said = subprocess.run([f"{home}/bin/java", "-version"], capture_output=True, text=True, check=False).stderr.splitlines()
    # Options from the environment, which may hold a password, are told first.
    version = next((line for line in said if " version " in line), None)
    return Finding("Java 17", f"{version} in {home}") if version else Finding("Java 17", f"{home}/bin/java does not work", _JAVA_17)


def _packages() -> Finding:
    spark, client = metadata.version("pyspark"), metadata.version("pyspark-client")
    same = spark == client
    return Finding(
        "pyspark and pyspark-client", f"{spark} and {client}", None if same else "They own the same files and must be equal: 'make setup'."
    )


def _jars() -> Finding:
    names = [
        line.split()[0].split(":") for line in (PROJECT / "conf" / "jars.txt").read_text().splitlines() if line and not line.startswith("#")
    ]
    folder = Path(os.environ.get("SPARK_HOME", "")) / "jars"
    missing = [f"{name}-{version}.jar" for _, name, version in names if not (folder / f"{name}-{version}.jar").exists()]
    return Finding(
        "jars", f"missing: {', '.join(missing)}" if missing else f"{len(names)} of {len(names)}", "Run 'make setup'." if missing else None
    )


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Finding("memory", f"{total:.1f} GiB", None if total >= _MEMORY_GB else "Lower spark.driver.memory in conf/spark-defaults.conf.")


def _disk(settings: Settings) -> Finding:
    if isinstance(settings.lake, ObjectPath):
        jars = list((PROJECT / ".cache" / "jars-s3").glob("*.jar"))
        return Finding("jars for s3a://", f"{len(jars)}", None if jars else "Run 'make setup-s3'.")
    folder = next(path for path in (settings.lake, *settings.lake.parents) if path.exists())
    free = shutil.disk_usage(folder).free / 2**30
    return Finding(
        f"disk of {settings.lake}", f"{free:.1f} GiB free", None if free >= _FREE_GB else "Free some space, or put the lake elsewhere."
    )


def _landing(settings: Settings) -> Finding:
    try:
        files = find_files(settings.landing, settings.links_into).files
    except SonglakeError as error:
        return Finding(f"landing {settings.landing}", error.what, f"{error.fix} Sample data: 'bin/songlake generate'.")
    return Finding(f"landing {settings.landing}", f"readable, {len(files):,} files")


def _lake(settings: Settings) -> Finding:
    try:
        counted = snapshot.counted_positions(settings.lake)
    except SonglakeError as error:
        return Finding(f"lake {settings.lake}", error.what, error.fix)
    return Finding(f"lake {settings.lake}", "sound" if counted else "none yet; the first run makes it")


def _warehouse(settings: Settings) -> Finding:
    from spark_jobs.warehouse import embedded
    from spark_jobs.warehouse.connection import connect, describe, session_name

    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else embedded.url(settings.postgres_home)
    if url is None:
        return Finding("warehouse", "the embedded PostgreSQL does not run", "'bin/songlake db start', or set WAREHOUSE_URL.")
    try:
        with connect(url, application_name=session_name("doctor")):
            return Finding("warehouse", f"{describe(url)} answers")
    except SonglakeError as error:
        return Finding("warehouse", error.what, error.fix)
