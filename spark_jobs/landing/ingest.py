"""Bring the lake up to date with the landing zone: one batch, that counts once `files` is committed."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial, reduce
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.contracts import CATALOG, EVENT_IDENTITY, EVENT_VALUES, EVENTS, FILES, REJECTS, SONG_VALUES, Table
from spark_jobs.lake import snapshot
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.few import append_few, merge_few
from spark_jobs.lake.log import Positions
from spark_jobs.lake.snapshot import FileRecord
from spark_jobs.lake.tables import Lake, is_one_of, spark_schema
from spark_jobs.landing.events import validate_events
from spark_jobs.landing.find import Landing, LandingFile, new_files, unreadable_before
from spark_jobs.landing.outcome import Outcome, counted
from spark_jobs.landing.pack import PackedFile, pack
from spark_jobs.landing.songs import validate_songs
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.object_store import remove_below, write
from spark_jobs.pause import pause_at
from spark_jobs.session import side_by_side

_SPOOL = "_spool"
_RAW_LINE = "rtrim('\\n', ltrim('\ufeff', line))"
"""The line as it stands in the file, without byte order marks before and line ends behind it."""

_FEW = 500_000
"""Rows that each Spark task can hold a table of."""


@dataclass(frozen=True)
class _Kind:
    """How files of one kind become rows."""

    name: str
    table: Table
    validate: Callable[[DataFrame], DataFrame]
    identity: tuple[str, ...]
    values: tuple[str, ...]


_KINDS = (
    _Kind("events", EVENTS, validate_events, EVENT_IDENTITY, EVENT_VALUES),
    _Kind("songs", CATALOG, validate_songs, ("song_id",), SONG_VALUES),
)


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
    known = snapshot.read_files(lake)
    fresh = new_files(landing, known)
    files = list({file.path: file for file in [*fresh, *unreadable_before(landing, known), *again]}.values())
    nothing = Ingested(undone=undone)
    if not files:
        return nothing
    now = datetime.now(UTC)
    batch_id = snapshot.new_batch_id(now)
    with _spool(lake, batch_id) as spool, ThreadPoolExecutor(1) as beside:
        packing = beside.submit(_pack_into, spool, files, progress)
        if fresh:
            spark()  # Java takes seconds to start, and packing needs none
        asked = {file.path for file in again}
        packed = [one for one in packing.result() if one.file.path in asked or _tells_something_new(one, known)]
        if not packed:
            return nothing
        batch = _Batch(Lake(spark(), lake), spool, batch_id, now, packed, known, snapshot.positions_now(lake))
        records = batch.write()
    return Ingested(batch_id, tuple(records), dict(batch.reasons), undone)


def clear_spool(lake: Location) -> None:
    """Remove packed lines that a killed run left."""
    spool = lake / _SPOOL
    if isinstance(spool, ObjectPath):
        remove_below(spool)
    else:
        shutil.rmtree(spool, ignore_errors=True)


@contextmanager
def _spool(lake: Location, batch_id: str) -> Iterator[Location]:
    """Give the batch a folder for its packed lines, and clear what a killed run left."""
    clear_spool(lake)
    folder = lake / _SPOOL / batch_id
    try:
        yield folder
    finally:
        clear_spool(lake)


def _pack_into(spool: Location, files: list[LandingFile], progress: Callable[[LandingFile], None] | None) -> list[PackedFile]:
    """Pack files to where Spark's executors read: a lake in an object store gets the lines once they are packed on this disk."""
    if not isinstance(spool, ObjectPath):
        return pack(files, spool, progress)
    with TemporaryDirectory(prefix="songlake-") as here:
        packed = pack(files, Path(here), progress)
        for lines in Path(here).iterdir():
            write(spool / lines.name, lines)
    return packed


def _tells_something_new(packed: PackedFile, known: dict[str, FileRecord]) -> bool:
    """Whether a file is other than recorded: one that is unreadable for the same cause as before is not."""
    record = known.get(packed.file.path)
    same = record is not None and (record.size, record.modified_at) == (packed.file.size, packed.file.modified_at)
    return not (same and record is not None and record.cause == packed.cause)


class _Batch:
    """One batch of files on its way into the lake."""

    def __init__(
        self,
        lake: Lake,
        spool: Location,
        batch_id: str,
        begun_at: datetime,
        packed: list[PackedFile],
        known: dict[str, FileRecord],
        before: Positions,
    ) -> None:
        self._lake, self._spool, self._batch_id, self._begun_at = lake, spool, batch_id, begun_at
        self._packed, self._known, self._before = packed, known, before
        self.reasons: Counter[str] = Counter()

    def write(self) -> list[FileRecord]:
        """Write events and catalog, then rejects, and last `files`, which makes the batch count."""
        outcomes = side_by_side(self._lake.spark, [partial(self._write_kind, kind) for kind in _KINDS])
        rejects = [outcome.rejected for outcome in outcomes if outcome.rejected is not None]
        refused = sum(outcome.total("rejected") for outcome in outcomes)
        self._replace(self._lake, REJECTS, reduce(DataFrame.unionByName, rejects) if rejects else None, "rejected", refused)
        pause_at("rejects")
        counts = {file_id: counts for outcome in outcomes for file_id, counts in outcome.counts.items()}
        records = [self._record(packed, counts.get(packed.file_id, {})) for packed in self._packed]
        self._commit(records)
        pause_at("files")
        for outcome in outcomes:
            self.reasons.update(outcome.reasons)
        return records

    def _write_kind(self, kind: _Kind, spark: SparkSession) -> Outcome:
        """Write the valid lines of a kind."""
        outcome, accepted = Outcome(), None
        if any(packed.lines for packed in self._packed if packed.file.kind == kind.name):
            lines = self._validated(kind, spark)
            outcome = counted(lines, kind.identity)
            accepted = self._accepted(kind, lines, outcome) if outcome.total("accepted") else None
            outcome.rejected = self._rejected(kind, lines) if outcome.total("rejected") else None
        self._replace(replace(self._lake, spark=spark), kind.table, accepted, "accepted", outcome.total("accepted"), kind)
        pause_at(kind.table.name)
        return outcome

    def _validated(self, kind: _Kind, spark: SparkSession) -> DataFrame:
        """Validate the kind's packed rows; that is done anew by each later step, which costs less than keeping the outcome."""
        packed = spark.read.parquet(str(self._spool / f"{kind.name}.parquet")).join(F.broadcast(self._sources(kind, spark)), "file_id")
        return kind.validate(packed)

    def _sources(self, kind: _Kind, spark: SparkSession) -> DataFrame:
        """Give file_id, source_file, source_modified_at of the readable files of a kind."""
        readable = [packed for packed in self._packed if packed.file.kind == kind.name and packed.cause is None]
        return spark.createDataFrame(
            pa.table(
                {
                    "file_id": pa.array([packed.file_id for packed in readable], pa.int32()),
                    "source_file": pa.array([packed.file.path for packed in readable], pa.string()),
                    "source_modified_at": pa.array([packed.file.modified_at for packed in readable], pa.timestamp("us", "UTC")),
                }
            )
        )

    def _accepted(self, kind: _Kind, lines: DataFrame, outcome: Outcome) -> DataFrame:
        """Give the valid lines, of those with one identity in one file the one with the greatest content."""
        kept = [name for name in kind.table.column_names if name != "batch_id"]
        valid = lines.where("size(reasons) = 0").select("file_id", *kept)
        if repeated := outcome.total("repeated"):
            valid = _once(valid, ("file_id", *kind.identity), kind.values, few=repeated <= _FEW)
        return self._stamped(kind.table, valid)

    def _rejected(self, kind: _Kind, lines: DataFrame) -> DataFrame:
        refused = lines.where("size(reasons) > 0").withColumns({"kind": F.lit(kind.name), "raw_line": F.expr(_RAW_LINE)})
        return self._stamped(REJECTS, refused)

    def _stamped(self, table: Table, rows: DataFrame) -> DataFrame:
        return rows.withColumn("batch_id", F.lit(self._batch_id)).select(*table.column_names)

    def _replace(self, lake: Lake, table: Table, rows: DataFrame | None, counted: str, count: int, kind: _Kind | None = None) -> None:
        """Append that many rows, in the same commit taking away what earlier versions of the files had said."""
        kinds = {kind.name} if kind else {kind.name for kind in _KINDS}
        paths = [packed.file.path for packed in self._packed if packed.file.kind in kinds and self._said_before(packed, counted)]
        recorded = {"batch_id": self._batch_id}
        if paths:
            empty = lake.spark.createDataFrame([], spark_schema(table))
            lake.replace(table, empty if rows is None else rows, recorded, where=is_one_of("source_file", paths), vouched=True)
        elif rows is not None:
            lake.append(table, rows, recorded, count=count)

    def _said_before(self, packed: PackedFile, counted: str) -> bool:
        """Whether an earlier version of the file has rows of that sort in the lake."""
        record = self._known.get(packed.file.path)
        return record is not None and getattr(record, counted) > 0

    def _record(self, packed: PackedFile, counts: dict[str, int]) -> FileRecord:
        accepted, repeated, rejected = (counts.get(what, 0) if packed.cause is None else 0 for what in ("accepted", "repeated", "rejected"))
        if packed.lines != accepted + repeated + rejected:
            raise AssertionError(f"{packed.file.path}: {packed.lines} lines read, but {accepted} + {repeated} + {rejected} accounted for")
        return FileRecord(
            path=packed.file.path,
            kind=packed.file.kind,
            status="loaded" if packed.cause is None else "unreadable",
            cause=packed.cause,
            size=packed.file.size,
            modified_at=packed.file.modified_at,
            lines=packed.lines,
            accepted=accepted,
            repeated=repeated,
            rejected=rejected,
            batch_id=self._batch_id,
            ingested_at=self._begun_at,
            unknown_keys=list(packed.unknown_keys) or None,
        )

    def _commit(self, records: list[FileRecord]) -> None:
        now = snapshot.refuse_interference(self._lake.path, self._before, self._batch_id)
        recorded = snapshot.commit_of(self._batch_id, now)
        columns = {name: [getattr(record, name) for record in records] for name in FILES.column_names}
        rows = pa.table(columns, schema=_arrow_schema())
        if any(record.path in self._known for record in records):
            merge_few(self._lake.path, FILES, rows.append_column("deleted", pa.repeat(False, len(rows))), recorded, within=None)
        else:
            append_few(self._lake.path, FILES, rows, recorded)


def _once(rows: DataFrame, identity: Sequence[str], values: Sequence[str], *, few: bool) -> DataFrame:
    """Keep, of the rows with one identity, the one with the greatest values; with few such, all others cost only a look-up."""
    repeated = rows.groupBy(*identity).count().where("count > 1").select(*(F.col(name).alias(f"repeated_{name}") for name in identity))
    repeated = F.broadcast(repeated) if few else repeated
    same = reduce(Column.__and__, (F.col(name).eqNullSafe(F.col(f"repeated_{name}")) for name in identity))
    others = [name for name in rows.columns if name not in (*identity, *values)]
    greatest = F.max(F.struct(*values, *others)).alias("greatest")
    once = rows.join(repeated, same, "left_semi").groupBy(*identity).agg(greatest).select("file_id", "greatest.*")
    return rows.join(repeated, same, "left_anti").unionByName(once)


def _arrow_schema() -> pa.Schema:
    types = {"size": pa.int64(), "lines": pa.int64(), "accepted": pa.int64(), "repeated": pa.int64(), "rejected": pa.int64()}
    texts = {"unknown_keys": pa.list_(pa.string())}
    times = {"modified_at": pa.timestamp("us", "UTC"), "ingested_at": pa.timestamp("us", "UTC")}
    return pa.schema([pa.field(name, {**types, **times, **texts}.get(name, pa.string())) for name in FILES.column_names])
