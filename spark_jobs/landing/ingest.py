"""Bring the lake up to date with the landing zone: one batch, that counts once `files` is committed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.contracts import CATALOG, EVENT_IDENTITY, EVENT_VALUES, EVENTS, FILES, REJECTS, SONG_VALUES, Table
from spark_jobs.lake import log
from spark_jobs.lake.log import FileRecord, Positions
from spark_jobs.lake.tables import Lake, spark_schema
from spark_jobs.landing.events import validate_events
from spark_jobs.landing.find import Landing, LandingFile, new_files, unreadable_before
from spark_jobs.landing.pack import PackedFile, pack
from spark_jobs.landing.songs import validate_songs
from spark_jobs.pause import pause_at

_SPOOL = "_spool"
_RAW_LINE = "CASE WHEN size(reasons) > 0 THEN rtrim('\\n', if(startswith(line, '\ufeff'), substr(line, 2), line)) END"
"""The line as it stands in the file, kept only where it is refused."""


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
    landing: Landing, lake: Path, spark: Callable[[], SparkSession], progress: Callable[[LandingFile], None] | None = None
) -> Ingested:
    """Read new and changed files of the landing zone into the lake. The caller holds the lake's lock.

    Args:
        landing: What a walk of the landing zone found.
        lake: The lake's folder; its tables are created where missing.
        spark: Starts the session; called only if there is something to read.
        progress: Called after each file that was read.

    Raises:
        LakeChanged: The lake was changed behind Songlake's back; nothing is written.
        LockHeld: Another ingest wrote meanwhile; this batch does not count.
    """
    log.create_missing(lake)
    undone = tuple(log.undo_unfinished_batch(lake))
    known = log.read_files(lake)
    files = [*new_files(landing, known), *unreadable_before(landing, known)]
    nothing = Ingested(undone=undone)
    if not files:
        return nothing
    now = datetime.now(UTC)
    batch_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    with _spool(lake, batch_id) as spool:
        packed = [file for file in pack(files, spool, progress) if _tells_something_new(file, known)]
        if not packed:
            return nothing
        batch = _Batch(Lake(spark(), lake), spool, batch_id, now, packed, known, log.positions_now(lake))
        records = batch.write()
    return Ingested(batch_id, tuple(records), batch.reasons, undone)


@contextmanager
def _spool(lake: Path, batch_id: str) -> Iterator[Path]:
    """Give the batch a folder for its packed lines, and clear what a killed run left."""
    shutil.rmtree(lake / _SPOOL, ignore_errors=True)
    folder = lake / _SPOOL / batch_id
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(lake / _SPOOL, ignore_errors=True)


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
        spool: Path,
        batch_id: str,
        begun_at: datetime,
        packed: list[PackedFile],
        known: dict[str, FileRecord],
        before: Positions,
    ) -> None:
        self._lake, self._spool, self._batch_id, self._begun_at = lake, spool, batch_id, begun_at
        self._packed, self._known, self._before = packed, known, before
        self._counts: dict[int, dict[str, int]] = {}
        self.reasons: dict[str, int] = {}

    def write(self) -> list[FileRecord]:
        """Write events, catalog, rejects, and last `files`, which makes the batch count."""
        rejects = []
        for kind in _KINDS:
            accepted = None
            if any(packed.lines for packed in self._packed if packed.file.kind == kind.name):
                lines = self._validated(kind)
                self._count(kind, lines)
                accepted = self._accepted(kind, lines) if self._total(kind, "accepted") else None
                if self._total(kind, "rejected"):
                    rejects.append(self._rejected(kind, lines))
            self._replace(kind.table, accepted, "accepted", kind)
            pause_at(kind.table.name)
        self._replace(REJECTS, rejects[0].unionByName(rejects[1]) if len(rejects) == 2 else rejects[0] if rejects else None, "rejected")
        pause_at("rejects")
        records = [self._record(packed) for packed in self._packed]
        self._commit(records)
        pause_at("files")
        return records

    def _validated(self, kind: _Kind) -> DataFrame:
        """Validate the kind's lines once and keep the outcome in the spool; every later step reads it from there."""
        packed = self._lake.spark.read.parquet(str(self._spool / f"{kind.name}.parquet")).join(F.broadcast(self._sources(kind)), "file_id")
        validated = kind.validate(packed).withColumn("raw_line", F.expr(_RAW_LINE)).drop("line", "record", "refused")
        spark, folder = self._lake.spark, str(self._spool / f"{kind.name}_validated")
        # One generated method for the whole stage would be too long for the JVM to compile; trying costs as much as the validation.
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
        try:
            validated.write.parquet(folder)
        finally:
            spark.conf.unset("spark.sql.codegen.wholeStage")
        return spark.read.parquet(folder)

    def _sources(self, kind: _Kind) -> DataFrame:
        """Give file_id, source_file, source_modified_at of the readable files of a kind."""
        readable = [packed for packed in self._packed if packed.file.kind == kind.name and packed.cause is None]
        return self._lake.spark.createDataFrame(
            pa.table(
                {
                    "file_id": pa.array([packed.file_id for packed in readable], pa.int32()),
                    "source_file": pa.array([packed.file.path for packed in readable], pa.string()),
                    "source_modified_at": pa.array([packed.file.modified_at for packed in readable], pa.timestamp("us", "UTC")),
                }
            )
        )

    def _count(self, kind: _Kind, lines: DataFrame) -> None:
        """Count accepted, repeated and rejected lines of each file; one row a file comes back."""
        identity = F.when(F.size("reasons") == 0, F.struct(*kind.identity))
        each = lines.groupBy("file_id", "reasons", identity.alias("identity")).agg(F.count(F.lit(1)).alias("times"))
        for row in each.groupBy("file_id", "reasons").agg(F.sum("times").alias("lines"), F.count("identity").alias("accepted")).collect():
            counts = self._counts.setdefault(row.file_id, {"accepted": 0, "repeated": 0, "rejected": 0})
            if row.reasons:
                counts["rejected"] += row.lines
            else:
                counts.update(accepted=row.accepted, repeated=row.lines - row.accepted)
            for reason in row.reasons:
                self.reasons[reason] = self.reasons.get(reason, 0) + row.lines

    def _total(self, kind: _Kind, what: str) -> int:
        return sum(self._counts.get(packed.file_id, {}).get(what, 0) for packed in self._packed if packed.file.kind == kind.name)

    def _accepted(self, kind: _Kind, lines: DataFrame) -> DataFrame:
        """Give the valid lines, of those with one identity in one file the one with the greatest content."""
        valid = lines.where("size(reasons) = 0")
        repeating = [file_id for file_id, counts in self._counts.items() if counts.get("repeated")]
        if repeating:
            others = [name for name in valid.columns if name not in (*kind.values, "file_id", *kind.identity)]
            greatest = F.max(F.struct(*kind.values, *others)).alias("greatest")
            once = (
                valid.where(F.col("file_id").isin(repeating))
                .groupBy("file_id", *kind.identity)
                .agg(greatest)
                .select("file_id", "greatest.*")
            )
            valid = valid.where(~F.col("file_id").isin(repeating)).unionByName(once)
        return self._stamped(kind.table, valid)

    def _rejected(self, kind: _Kind, lines: DataFrame) -> DataFrame:
        return self._stamped(REJECTS, lines.where("size(reasons) > 0").withColumn("kind", F.lit(kind.name)))

    def _stamped(self, table: Table, rows: DataFrame) -> DataFrame:
        return rows.withColumn("batch_id", F.lit(self._batch_id)).select(*table.column_names)

    def _replace(self, table: Table, rows: DataFrame | None, counted: str, kind: _Kind | None = None) -> None:
        """Append the rows, in the same commit taking away what earlier versions of the files had said."""
        kinds = {kind.name} if kind else {kind.name for kind in _KINDS}
        paths = [packed.file.path for packed in self._packed if packed.file.kind in kinds and self._said_before(packed, counted)]
        recorded = {"batch_id": self._batch_id}
        if paths:
            empty = self._lake.spark.createDataFrame([], spark_schema(table))
            self._lake.replace(table, empty if rows is None else rows, recorded, where=_is_one_of("source_file", paths), vouched=True)
        elif rows is not None:
            self._lake.append(table, rows, recorded)

    def _said_before(self, packed: PackedFile, counted: str) -> bool:
        """Whether an earlier version of the file has rows of that sort in the lake."""
        record = self._known.get(packed.file.path)
        return record is not None and getattr(record, counted) > 0

    def _record(self, packed: PackedFile) -> FileRecord:
        counts = self._counts.get(packed.file_id, {})
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
        )

    def _commit(self, records: list[FileRecord]) -> None:
        now = log.refuse_interference(self._lake.path, self._before, self._batch_id)
        recorded: dict[str, Any] = {"batch_id": self._batch_id, "tables": {name: position.as_dict() for name, position in now.items()}}
        columns = {name: [getattr(record, name) for record in records] for name in FILES.column_names}
        rows = self._lake.spark.createDataFrame(pa.table(columns, schema=_arrow_schema()), spark_schema(FILES))
        if any(record.path in self._known for record in records):
            self._lake.merge(FILES, rows.withColumn("deleted", F.lit(False)), recorded)
        else:
            self._lake.append(FILES, rows, recorded)


def _arrow_schema() -> pa.Schema:
    types = {"size": pa.int64(), "lines": pa.int64(), "accepted": pa.int64(), "repeated": pa.int64(), "rejected": pa.int64()}
    times = {"modified_at": pa.timestamp("us", "UTC"), "ingested_at": pa.timestamp("us", "UTC")}
    return pa.schema([pa.field(name, {**types, **times}.get(name, pa.string())) for name in FILES.column_names])


def _is_one_of(column: str, texts: Iterable[str]) -> str:
    """Give a condition of literals; texts are file names, so they are escaped."""
    literals = ", ".join("'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in texts)
    return f"{column} IN ({literals})"
