"""Stage and publish one lake again and again, and do the same rows the plain way."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from bench.warehouses import fresh_database, settle
from spark_jobs import settings
from spark_jobs.contracts import STAGED
from spark_jobs.lake.tables import Lake
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.star_refresh import refresh_star
from spark_jobs.warehouse import stage as staging
from spark_jobs.warehouse.check import check
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.publish import publish
from spark_jobs.warehouse.statements import live, staged


class Loading:
    """A lake to load from, and one warehouse at a time to load it into."""

    def __init__(self, server: str, landing: Path, lake: Path, spark: SparkSession) -> None:
        self._server, self._lake, self._spark, self._settings = server, lake, spark, settings.load()
        self._url, self._batch_id = server, ""
        ingest(find_files(landing), lake, lambda: spark)
        refresh_star(lake, lambda: spark)

    def begin(self) -> None:
        """Make an empty warehouse."""
        self._url = fresh_database(self._server, "loading")
        settle(self._url)

    def begin_staged(self) -> None:
        """Make a warehouse where everything is staged and checked."""
        self.begin()
        self.stage()
        with connect(self._url, application_name="bench") as connection:
            check(connection, self._batch_id, self._settings.gate)
        settle(self._url)

    def stage(self) -> int:
        """Stage everything by Songlake's load."""
        with connect(self._url, application_name="bench") as connection:
            target = staging.Target(self._url, connection, self._settings.warehouse.connections)
            self._batch_id = str(staging.stage(self._lake, target, lambda: self._spark))
        return self._staged_rows()

    def write_by_default(self) -> int:
        """Write the same rows to the same staging tables, as Spark's JDBC writer does unless told otherwise."""
        parts = urlsplit(self._url)
        address = f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}"
        login = {"user": parts.username or "", "password": parts.password or "", "driver": "org.postgresql.Driver"}
        for table in STAGED:
            columns = [column.name for column in table.warehouse_columns]
            rows = Lake(self._spark, self._lake).read(table).select(*columns, F.lit(False).alias("deleted"))
            rows.write.jdbc(address, f"staging.{table.name}", mode="append", properties=login)
        return self._staged_rows()

    def publish(self) -> int:
        """Publish what is staged."""
        with connect(self._url, application_name="bench") as connection:
            changes = publish(connection, self._batch_id, self._settings.warehouse)
        return sum(change.inserted for change in changes.values())

    def insert_plainly(self) -> int:
        """Insert the same staged rows into the same empty tables with their keys, in one transaction."""
        count = 0
        with psycopg.connect(self._url) as connection:
            for table in STAGED:
                columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.warehouse_columns)
                statement = sql.SQL("INSERT INTO {live} ({columns}) SELECT {columns} FROM {staged}")
                count += connection.execute(statement.format(live=live(table), staged=staged(table), columns=columns)).rowcount
        return count

    def _staged_rows(self) -> int:
        counts = sql.SQL(" + ").join(sql.SQL("(SELECT count(*) FROM {})").format(staged(table)) for table in STAGED)
        with psycopg.connect(self._url) as connection:
            (count,) = connection.execute(sql.SQL("SELECT ") + counts).fetchone() or (0,)
        return int(count)
