"""Bring the lake up to date with the landing zone, in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from spark_jobs.lake import snapshot
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.snapshot import FileRecord
from spark_jobs.lake.tables import Lake
from spark_jobs.landing.batch import Batch
from spark_jobs.landing.find import Landing, LandingFile, new_files, unreadable_before
from spark_jobs.landing.pack import PackedFile
from spark_jobs.landing.spool import open_spool, pack_into
from spark_jobs.locations import Location


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    Attributes:
        batch_id: The batch, or None where nothing was new.
        files: The files it read, as recorded.
        reasons: Number of refused lines by reason; a line with two reasons counts under both.
        undone: Lake tables from which a batch that never finished was taken back.
    """

    batch_id: str | None = None
    files: tuple[FileRecord, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    undone: tuple[str, ...] = ()


def ingest(
    landing: Landing,
    lake: Location,
    spark: Callable[[], SparkSession],
    progress: Callable[[LandingFile], None] | None = None,
    *,
    again: Sequence[LandingFile] = (),
) -> Ingested:
    """Read new and changed files of the landing zone into the lake. The caller holds the lake's lock.

    Args:
        landing: What a walk of the landing zone found.
        lake: The lake's folder; its tables are created where missing.
        spark: Starts the session, or gives the one that it started; called only if there is something to read.
        progress: Called after each file that was read.
        again: Files of the landing zone to read again although they look as they did.

    Raises:
        LakeChanged: The lake was changed behind Songlake's back; nothing is written.
        LockHeld: Another ingest wrote meanwhile; this batch does not count.
    """
    create_missing(lake)
    undone = tuple(snapshot.undo_unfinished_batch(lake))
    before = snapshot.positions_now(lake)
    known = snapshot.read_files(lake)
    fresh = new_files(landing, known)
    files = list({file.path: file for file in [*fresh, *unreadable_before(landing, known), *again]}.values())
    nothing = Ingested(undone=undone)
    if not files:
        return nothing
    now = datetime.now(UTC)
    batch_id = snapshot.new_batch_id(now)
    with open_spool(lake, batch_id) as spool, ThreadPoolExecutor(1) as beside:
        packing = beside.submit(pack_into, spool, files, progress)
        if fresh:
            spark()  # Java takes seconds to start, and packing needs none
        asked = {file.path for file in again}
        packed = [one for one in packing.result() if _tells_something_new(one, known.get(one.file.path), asked)]
        if not packed:
            return nothing
        batch = Batch(Lake(spark(), lake), spool, batch_id, now, packed, known, before)
        records = batch.write()
    return Ingested(batch_id, tuple(records), dict(batch.reasons), undone)


def _tells_something_new(packed: PackedFile, record: FileRecord | None, asked: set[str]) -> bool:
    """Whether a file is other than recorded, or is asked for again.

    One that looks as it did and cannot be read any more, as when it lost its permission, keeps what it gave.
    """
    if record is None or (record.size, record.modified_at) != (packed.file.size, packed.file.modified_at):
        return True
    return packed.cause is None if packed.file.path in asked else packed.cause != record.cause
