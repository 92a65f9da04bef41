"""Spark's side of the lake: read, read changes, append, replace, merge. Every commit carries what Songlake records in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from spark_jobs.contracts import Table, Type
from spark_jobs.errors import LakeChanged
from spark_jobs.lake.few import append_few, merge_few, record
from spark_jobs.lake.log import REBUILD, Position, Positions, dates_held, has_feed, lake_path, last_change, lost_race, must_open
from spark_jobs.locations import Location
from spark_jobs.machine import disk_fault
from spark_jobs.store_faults import store_fault

_SPARK_TYPES: dict[Type, DataType] = {
    Type.TEXT: StringType(),
    Type.TEXTS: ArrayType(StringType()),
    Type.BIGINT: LongType(),
    Type.INT: IntegerType(),
    Type.DOUBLE: DoubleType(),
    Type.TIMESTAMP: TimestampType(),
    Type.DATE: DateType(),
    Type.BOOLEAN: BooleanType(),
}
_FEW = 50_000
"""So many rows are committed without Spark, which is quicker by seconds; more are merged by Spark after they were derived once in vain."""
_FEW_BYTES = 64 << 20
_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_NO_FEED = ("DELTA_CDC_START_VERSION_AFTER_LATEST", "DELTA_UNSUPPORTED_TIME_TRAVEL", "DELTA_MISSING_CHANGE_DATA", "DELTA_VERSION_NOT_FOUND")
_FILE_LOST = (
    "FAILED_READ_FILE",
    "FileNotFoundException",
    "DELTA_FILE_NOT_FOUND",
    "DELTA_LOG_FILE_NOT_FOUND",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
)
_CONFLICT = (
    "DELTA_CONCURRENT",
    "ConcurrentAppend",
    "ConcurrentWrite",
    "ConcurrentDelete",
    "ConcurrentModification",
    "ConcurrentTransaction",
)


def spark_schema(table: Table) -> StructType:
    """Give a table's contract as a Spark schema."""
    return StructType([StructField(column.name, _SPARK_TYPES[column.type], column.nullable) for column in table.columns])


@contextmanager
def told_errors(where: str) -> Iterator[None]:
    """Turn Spark's errors about the lake into ones that name the way out.

    Raises:
        InputMissing: A disk is full or read-only, which Java may call a file that is not found.
        LakeChanged: A file of the lake is missing or damaged.
        LockHeld: Another writer committed first.
        ServiceUnreachable: The object store did not answer.
    """
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        text = str(error)
        if broken := disk_fault(text, where) or store_fault(text, where):
            raise broken from error
        if any(sign in text for sign in _FILE_LOST):
            raise LakeChanged(
                f"A file that the log of {where} names is missing or damaged.",
                REBUILD,
            ) from error
        if any(sign in text for sign in _CONFLICT):
            raise lost_race(where) from error
        raise


@dataclass(frozen=True)
class Lake:
    """The lake's tables, through Spark.

    Attributes:
        spark: The session.
        path: The lake's folder.
    """

    spark: SparkSession
    path: Location

    def read(self, table: Table, at: Position | None = None) -> DataFrame:
        """Read a table as it was at a position, or as it is now.

        Where nothing but maintenance came after the position the present is read: the files of then may be vacuumed.
        """
        reader = self.spark.read.format("delta")
        if at is not None and at.version < last_change(must_open(self.path, table)).version:
            reader = reader.option("versionAsOf", at.version)
        return reader.load(self._location(table))

    def changes(self, table: Table, after: Position | None, upto: Position) -> DataFrame | None:
        """Read a table's change data feed between two positions.

        Returns:
            The rows with `_change_type` and `_commit_version` (updates give their image before and after), or None where the feed cannot be
            had: no position to begin from, another table, or history that is gone. The caller compares whole tables then.
        """
        if after is None or after.table_id != upto.table_id or after.version > upto.version:
            return None
        # A vacuumed file would show only in the middle of a job; the log tells beforehand.
        if not has_feed(self.path, table, after, upto):
            return None
        if after.version == upto.version:
            return self.read(table).where("false").withColumns({"_change_type": F.lit(""), "_commit_version": F.lit(0).cast("bigint")})
        feed = self.spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", after.version + 1)
        try:
            return feed.option("endingVersion", upto.version).load(self._location(table)).drop("_commit_timestamp")
        except (PySparkException, Py4JJavaError) as error:
            if any(sign in str(error) for sign in _NO_FEED):
                return None
            raise

    def append(self, table: Table, rows: DataFrame, recorded: dict[str, Any], *, count: int | None = None) -> None:
        """Append rows in one commit; where it is known that they are few, without Spark's own commit.

        Args:
            table: The table.
            rows: What comes in.
            recorded: What the commit records.
            count: How many rows these are, where known.
        """
        if count is not None and count <= _FEW:
            chosen = rows.select(*table.column_names)
            with told_errors(f"lake table {table.name}"):
                given = few_rows(chosen, _FEW)
            if given is not None:
                append_few(self.path, table, given, recorded)
                return
        self._write(table, rows, recorded, mode="append")

    def replace(self, table: Table, rows: DataFrame, recorded: dict[str, Any], *, where: str | None = None, vouched: bool = False) -> None:
        """Replace the rows that fulfil a condition (all without one) by others, in one commit.

        Args:
            table: The table.
            rows: What comes in.
            recorded: What the commit records.
            where: The condition, of literals.
            vouched: Rows that do not fulfil the condition may come in too.
        """
        options = {"replaceWhere": where or "true"}
        check = "spark.databricks.delta.replaceWhere.constraintCheck.enabled"
        # The write obeys the session that the rows were made in, which need not be this one.
        conf = rows.sparkSession.conf
        if vouched or where is None:
            conf.set(check, "false")
        try:
            self._write(table, rows, recorded, mode="overwrite", **options)
        finally:
            conf.unset(check)

    def replace_dates(self, table: Table, rows: DataFrame, dates: Sequence[date], recorded: dict[str, Any]) -> None:
        """Replace all rows of these dates, by which the table is partitioned, in one commit.

        Where it has none of them, as on a new day, there is nothing to take away, and the rows are appended.
        """
        (column,) = table.partitioned_by
        if dates_held(must_open(self.path, table), column).isdisjoint(dates):
            self.append(table, rows, recorded)
        else:
            self.replace(table, rows, recorded, where=is_one_of(column, dates))

    def merge(self, table: Table, rows: DataFrame, recorded: dict[str, Any], *, within: str | None = None) -> None:
        """Merge rows with a boolean `deleted` by the table's key, in one commit that touches only rows that differ.

        Args:
            table: The table.
            rows: What it is to hold, and which keys it is not to hold.
            recorded: What the commit records.
            within: A condition of literals on `held`, by which Delta prunes: where in the table these keys can be.
        """
        where = f"lake table {table.name}"
        with told_errors(where):
            given = few_rows(rows, _FEW)
        if given is not None:
            merge_few(self.path, table, given, recorded, within)
            return
        same = " AND ".join([*([within] if within else []), *(f"held.{name} = given.{name}" for name in table.key)])
        differs = " OR ".join(f"NOT (held.{name} <=> given.{name})" for name in table.column_names)
        with self._recording(recorded), told_errors(where):
            (
                DeltaTable.forPath(self.spark, self._location(table))
                .alias("held")
                .merge(rows.alias("given"), same)
                .whenMatchedDelete("given.deleted")
                .whenMatchedUpdate(f"NOT given.deleted AND ({differs})", {name: f"given.{name}" for name in table.column_names})
                .whenNotMatchedInsert("NOT given.deleted", {name: f"given.{name}" for name in table.column_names})
                .execute()
            )

    def record(self, table: Table, recorded: dict[str, Any]) -> None:
        """Commit nothing but what is recorded, to move a bookmark on."""
        record(self.path, table, recorded)

    def _write(self, table: Table, rows: DataFrame, recorded: dict[str, Any], *, mode: str, **options: str) -> None:
        writer = rows.select(*table.column_names).write.format("delta").mode(mode).options(**options)
        with told_errors(f"lake table {table.name}"):
            writer.option("userMetadata", json.dumps(recorded)).save(self._location(table))

    @contextmanager
    def _recording(self, recorded: dict[str, Any]) -> Iterator[None]:
        """Set the commit's metadata by session setting, for operations without a writer option."""
        self.spark.conf.set(_METADATA, json.dumps(recorded))
        try:
            yield
        finally:
            self.spark.conf.unset(_METADATA)

    def _location(self, table: Table) -> str:
        return str(lake_path(self.path, table))


def few_rows(rows: DataFrame, limit: int) -> pa.Table | None:
    """Bring rows to the driver if they are at most so many, and their texts at most 64 MiB; else None."""
    texts = [F.coalesce(F.octet_length(field.name), F.lit(0)) for field in rows.schema.fields if field.dataType == StringType()]
    brought = rows.limit(limit + 1)
    if texts:
        # A line may have 262,144 characters. What is too large is cut off behind the first row too many, before it leaves the executor.
        before = Window.orderBy(F.lit(0)).rowsBetween(Window.unboundedPreceding, -1)
        size = reduce(Column.__add__, texts)
        brought = brought.withColumn("_size", size).withColumn("_before", F.sum("_size").over(before))
        brought = brought.where(F.coalesce(F.col("_before"), F.lit(0)) <= _FEW_BYTES)
    table: pa.Table = brought.toArrow()
    if len(table) > limit:
        return None
    if texts:
        if (pc.sum(table["_size"]).as_py() or 0) > _FEW_BYTES:
            return None
        table = table.drop_columns(["_size", "_before"])
    return table


def recorded_sources(sources: Sequence[str], counted: Positions) -> dict[str, Any]:
    """Give the bookmark that a star table's commit records."""
    return {"sources": {name: counted[name].as_dict() for name in sources}}


def is_one_of(column: str, values: Iterable[str | date]) -> str:
    """Give a condition of literals, by which Delta prunes; without values none fulfils it. Texts may be file names, so they are escaped."""
    # Spark puts the value of a setting in the place of its name in ${...}, in literals too.
    escaped = str.maketrans({"\\": r"\\", "'": r"\'", "$": r"\u0024"})
    literals = [f"DATE'{value.isoformat()}'" if isinstance(value, date) else f"'{value.translate(escaped)}'" for value in values]
    return f"{column} IN ({', '.join(literals)})" if literals else "false"
