"""Make recommendations live: staged by Spark's JDBC writer, then put in the place of the old ones in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb
from pyspark.sql import DataFrame

from spark_jobs.errors import InputMissing
from spark_jobs.lake.log import Position
from spark_jobs.pause import pause_at
from spark_jobs.settings import Warehouse
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.contracts import RECOMMENDATIONS
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.stage import Target, write
from spark_jobs.warehouse.statements import SQL, read, staged
from spark_jobs.warehouse.transaction import limit_lock_wait


@dataclass(frozen=True)
class ModelRun:
    """A row of ops.model_runs; the contract says what its columns mean.

    Attributes:
        learnt_from: Position of the lake's songplays.
    """

    model_version: str
    chosen: str
    reason: str
    learnt_from: Position
    params: dict[str, Any]
    metrics: dict[str, Any]
    judged_users: int
    row_count: int
    seconds: float
    started_at: datetime


@explained
def is_live(connection: Connection, version: str) -> bool:
    """Whether the latest run learnt from this state of the lake, with these parameters."""
    latest = connection.execute("SELECT model_version FROM ops.model_runs ORDER BY published_at DESC LIMIT 1").fetchone()
    return latest is not None and str(latest[0]).partition("-")[2] == version


def stage(target: Target, rows: DataFrame) -> int:
    """Write recommendations, in the columns of their contract, to staging; tells how many.

    Raises:
        LakeChanged: A file that the rows come from is missing.
        LockHeld: Somebody holds the table too long; the sentence says who.
        ServiceUnreachable: PostgreSQL went away meanwhile.
    """
    _empty_staging(target.connection)
    return write(target, RECOMMENDATIONS.name, rows, "the star tables")


@explained
def publish(connection: Connection, run: ModelRun, warehouse: Warehouse) -> None:
    """Put what stands in staging in the place of what is live, and record the run, in one transaction; the writer's lock is held.

    Raises:
        InputMissing: Staging does not hold the rows that were written.
        LockHeld: Somebody holds the table too long; the sentence says who.
    """
    recorded = {
        **{name: value for name, value in vars(run).items() if name != "learnt_from"},
        "delta_table_id": run.learnt_from.table_id,
        "delta_version": run.learnt_from.version,
        "params": Jsonb(run.params),
        "metrics": Jsonb(run.metrics),
    }
    with connection.transaction():
        limit_lock_wait(connection, warehouse.lock_timeout_seconds)
        found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(staged(RECOMMENDATIONS))).fetchone()
        if found != (run.row_count,):
            raise InputMissing(
                f"Staging no longer holds all {run.row_count:,} recommendations; PostgreSQL empties it when it crashes.",
                "Run this again: it begins anew.",
            )
        connection.execute(read(SQL / "publish" / "recommendations.sql"))
        connection.execute(read(SQL / "publish" / "model_run.sql"), recorded)
        connection.execute(sql.SQL("TRUNCATE {}").format(staged(RECOMMENDATIONS)))
        pause_at("publish")


@explained
def _empty_staging(connection: Connection) -> None:
    connection.execute(sql.SQL("TRUNCATE {}").format(staged(RECOMMENDATIONS)))
