"""Keep the lake small without ever taking away what a later stage has yet to read. No Spark."""

from __future__ import annotations

import math
import time
from pathlib import Path

from deltalake import DeltaTable

from spark_jobs.contracts import LAKE, STAR, Table
from spark_jobs.lake import log, snapshot
from spark_jobs.lake.log import Positions
from spark_jobs.locations import Location

_MARGIN_HOURS = 24


def maintain_lake(lake: Location, published: Positions, keep_days: int) -> dict[str, tuple[int, int]]:
    """Compact and vacuum every table; the caller holds the lake's lock.

    Files that replaced rows stood in are removed once they are older than `keep_days` and than everything that a bookmark, of a star
    table or of the warehouse, has yet to read on from.

    Returns:
        Table to files compacted away and files removed.

    Raises:
        LakeChanged: The lake was changed behind Songlake's back.
    """
    if not snapshot.counted_positions(lake):
        return {}
    done = {}
    for table in (*LAKE, *STAR):
        opened = log.must_open(lake, table)
        compacted = int(opened.optimize.compact()["numFilesRemoved"])
        opened = log.must_open(lake, table)
        hours = max(24 * keep_days, _unread_hours(opened, _read_up_to(lake, table, published)) + _MARGIN_HOURS)
        removed = opened.vacuum(retention_hours=hours, enforce_retention_duration=False, dry_run=False)
        opened.create_checkpoint()
        opened.cleanup_metadata()
        done[table.name] = (compacted, len(removed))
    return done


def _read_up_to(lake: Location, table: Table, published: Positions) -> int:
    """Give the oldest version of a table that some reader stands at."""
    readers = [log.bookmark(lake, star).get(table.name) for star in STAR if table.name in star.sources]
    readers += [published.get(table.name)] if table in STAR or table.name in published else []
    # Positions of another table, or none at all, are compared whole; no history is needed for them.
    opened = log.must_open(lake, table)
    now = log.position(opened)
    versions = [reader.version for reader in readers if reader is not None and reader.table_id == now.table_id]
    return min([*versions, now.version])


def _unread_hours(opened: DeltaTable, version: int) -> int:
    """Tell how long ago the first commit after a version was made, in hours, rounded up; 0 if no rows changed since."""
    if version >= log.last_change(opened).version:
        return 0
    oldest = min(float(entry["timestamp"]) for entry in opened.history(opened.version() - version)) / 1000
    return math.ceil((time.time() - oldest) / 3600)


def remove_old(folder: Path, names: str, keep_days: int) -> int:
    """Remove the files of a folder whose names fit a pattern and that are older than so many days; tells how many."""
    limit = time.time() - keep_days * 86_400
    old = [path for path in folder.glob(names) if path.stat().st_mtime < limit]
    for path in old:
        path.unlink()
    return len(old)
