"""Make the lake forget its history: what its tables held once, in data files, change feeds and the statistics of Delta's logs."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from spark_jobs.contracts import CATALOG, EVENTS, FILES, LAKE, REJECTS, STAR
from spark_jobs.lake import log, snapshot
from spark_jobs.lake.tables import Lake, recorded_sources
from spark_jobs.locations import on_disk

_VERSION = re.compile(r"\.?(\d{20})\.")
"""How files of a log begin that are of one version, Hadoop's checksums of them too."""


def begin_anew(lake: Lake, now: datetime) -> None:
    """Commit an empty batch to every table, so that what the last commits record stands in ones that hold no values.

    The caller holds the lake's lock and has refreshed the star. Broken off, it leaves an unfinished batch or star tables that are behind,
    as any run may.

    Raises:
        LockHeld: An ingest wrote meanwhile.
    """
    batch_id, before = snapshot.new_batch_id(now), snapshot.positions_now(lake.path)
    for table in (EVENTS, CATALOG, REJECTS):
        lake.record(table, {"batch_id": batch_id})
    lake.record(FILES, snapshot.commit_of(batch_id, snapshot.refuse_interference(lake.path, before, batch_id)))
    counted = snapshot.counted_positions(lake.path)
    for table in STAR:
        lake.record(table, recorded_sources(table.sources, counted))


def forget_history(lake: Path) -> int:
    """Remove every data file that no table needs as it is now, and the logs before each table's last commit that counts.

    That commit and what maintenance did after it stay, so bookmarks and positions that name it stay true. The caller holds the lake's
    lock, has seen to it that every reader stands at the last commits (`begin_anew`, then refresh and publish), and calls this last.

    Returns:
        How many data files were removed.
    """
    removed = 0
    for table in (*LAKE, *STAR):
        removed += len(log.must_open(lake, table).vacuum(0, dry_run=False, enforce_retention_duration=False, full=True))
        opened = log.must_open(lake, table)
        last = log.last_change(opened).version
        # The checkpoint is one of that very commit: the feed of the next is read from the snapshot after it.
        opened.load_as_version(last)
        opened.create_checkpoint()
        _cut_log(on_disk(log.lake_path(lake, table), "Erasing") / "_delta_log", last)
    return removed


def _cut_log(folder: Path, first: int) -> None:
    """Remove what a log says of versions before one that has a checkpoint, the oldest first."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name.lstrip(".")):
        found = _VERSION.match(entry.name)
        if found and int(found[1]) < first:
            entry.unlink()
