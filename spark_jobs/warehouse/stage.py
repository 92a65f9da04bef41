"""Carry everything that is not yet published from the lake to `staging`, by Spark's JDBC writer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from psycopg import sql
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.contracts import STAGED, Table
from spark_jobs.errors import ServiceUnreachable
from spark_jobs.lake import snapshot
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.log import Position
from spark_jobs.lake.tables import Lake, told_errors
from spark_jobs.locations import Location
from spark_jobs.pause import pause_at
from spark_jobs.session import side_by_side
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.connection import Connection, describe, jdbc_options, session_name
from spark_jobs.warehouse.failures import explained, locked
from spark_jobs.warehouse.statements import live, staged

_ROWS_A_BATCH = 1_000
"""Rows in memory for each connection; a row may be a quarter of a million characters."""


@dataclass(frozen=True)
class Target:
    """The warehouse to load.

    Attributes:
        url: Its address, with the password.
        connection: An open connection that holds the writer's lock.
        connections: How many JDBC connections may write side by side.
    """

    url: str
    connection: Connection
    connections: int


def stage(lake: Location, target: Target, spark: Callable[[], SparkSession]) -> str | None:
    """Stage a batch; the caller holds the writer's lock of the warehouse.

    Args:
        lake: The lake's folder.
        target: The warehouse.
        spark: Starts the session; called only if there is something to stage.

    Returns:
        The batch's id, or None if everything is published.

    Raises:
        InputMissing: There is no lake, or a star table is behind it.
        LakeChanged: The lake was changed behind Songlake's back, or a file of it is missing.
        ServiceUnreachable: PostgreSQL went away meanwhile.
    """
    create_missing(lake)
    wanted, published = snapshot.positions_to_publish(lake), batches.published(target.connection)
    pending = [table for table in STAGED if published.get(table.name) != wanted[table.name]]
    if not pending:
        return None
    batch_id = snapshot.new_batch_id(datetime.now(UTC))
    batches.begin_batch(target.connection, batch_id)

    def stage_table(table: Table, session: SparkSession) -> int:
        return _stage_table(Lake(session, lake), target, table, published.get(table.name), wanted[table.name])

    counts = side_by_side(spark(), [partial(stage_table, table) for table in pending])
    expected = dict(zip((table.name for table in pending), counts, strict=True))
    pause_at("staging")
    batches.finish_staging(target.connection, batch_id, published, wanted, expected)
    return batch_id


def _stage_table(source: Lake, target: Target, table: Table, after: Position | None, upto: Position) -> int:
    """Stage one table's rows; returns how many."""
    name, columns = table.name, [*(column.name for column in table.warehouse_columns), "deleted"]
    changes = source.changes(table, after, upto)
    if changes is not None:
        return write(target, name, latest_images(changes, table).select(*columns), f"table {name}")
    count = write(target, name, source.read(table, upto).withColumn("deleted", F.lit(False)).select(*columns), f"table {name}")
    return count if batches.is_empty(target.connection, table) else count + _stage_deletions(target.connection, table)


def latest_images(changes: DataFrame, table: Table) -> DataFrame:
    """Reduce a change feed to one row a key: as it is now, or `deleted` with the key alone.

    Within one commit a row that came in counts after one that went out, since replacing a date does both.
    """
    newest_first = Window.partitionBy(*table.key).orderBy(F.desc("_commit_version"), F.col("_change_type") == "delete")
    deleted = F.col("_change_type") == "delete"
    others = [name for name in table.column_names if name not in table.key]
    return (
        changes.where("_change_type != 'update_preimage'")
        .withColumn("place", F.row_number().over(newest_first))
        .where("place = 1")
        .select(*table.key, *(F.when(~deleted, F.col(name)).alias(name) for name in others), deleted.alias("deleted"))
    )


def write(target: Target, name: str, rows: DataFrame, source: str) -> int:
    """Append rows to a table of staging by JDBC.

    Args:
        target: The warehouse.
        name: The table; it has the columns of the rows.
        rows: What to write.
        source: What the rows come from, for errors.

    Returns:
        How many rows were written: Spark's own count, so that it can be compared with what arrived.

    Raises:
        LakeChanged: A file that the rows come from is missing.
        LockHeld: Somebody holds the table too long; the sentence says who.
        ServiceUnreachable: PostgreSQL went away meanwhile.
    """
    written = Observation()
    observed = rows.coalesce(target.connections).observe(written, F.count(F.lit(1)).alias("rows"))
    writer = observed.write.format("jdbc").mode("append").options(**jdbc_options(target.url, application_name=session_name("jdbc")))
    try:
        with told_errors(source):
            writer.option("dbtable", f"staging.{name}").option("batchsize", _ROWS_A_BATCH).save()
    except (PySparkException, Py4JJavaError) as error:
        if not any(sign in str(error) for sign in ("org.postgresql", "FAILED_JDBC")):
            raise
        if "canceling statement due to lock timeout" in str(error):
            raise locked(target.connection) from error
        raise ServiceUnreachable(
            f"PostgreSQL at {describe(target.url)} failed while {name} was being staged.",
            "See that it is up and has disk space, then run this again.",
        ) from error
    return int(written.get["rows"])


@explained
def _stage_deletions(connection: Connection, table: Table) -> int:
    """Stage the deletion of every live row whose key the whole staged table does not have."""
    keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
    statement = sql.SQL(
        "INSERT INTO {staged} ({keys}, deleted) SELECT {keys}, true FROM {live} AS live "
        "WHERE NOT EXISTS (SELECT FROM {staged} AS staged WHERE {same})"
    ).format(
        staged=staged(table),
        keys=keys,
        live=live(table),
        same=sql.SQL(" AND ").join(sql.SQL("staged.{0} = live.{0}").format(sql.Identifier(name)) for name in table.key),
    )
    return connection.execute(statement).rowcount
