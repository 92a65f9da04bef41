"""Read the lake three ways, without PostgreSQL: PySpark, Polars and DuckDB say how many plays and hours paying listeners had.

bin/spark-submit examples/read_lake.py data/lake

Polars and DuckDB need no Spark and no Java: `deltalake` reads the log, and they read the Parquet files that it names. Reading takes no
lock; what is read is one version of the table, also while a run writes the next. What is `s3a://` to Spark is `s3://` to them, with the
same keys in the environment.
"""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import polars as pl
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def by_spark(spark: SparkSession, table: str) -> tuple[Any, ...]:
    """Ask PySpark."""
    plays = spark.read.format("delta").load(table).where("level = 'paid'")
    [answer] = plays.agg(F.count("*"), F.round(F.sum("length") / 3600, 3)).collect()
    return tuple(answer)


def by_polars(table: str) -> tuple[Any, ...]:
    """Ask Polars; `scan_delta` reads only the columns that are asked for."""
    plays = pl.scan_delta(table).filter(pl.col("level") == "paid")
    answer = plays.select(pl.len(), (pl.col("length").sum() / 3600).round(3)).collect()
    return answer.row(0)


def by_duckdb(table: str) -> tuple[Any, ...]:
    """Ask DuckDB over an Arrow data set; its own delta extension would be fetched from the network."""
    connection = duckdb.connect()
    connection.register("songplays", DeltaTable(table).to_pyarrow_dataset())
    [answer] = connection.execute("SELECT count(*), round(sum(length) / 3600, 3) FROM songplays WHERE level = 'paid'").fetchall()
    return answer


def main(lake: str) -> None:
    """Print the answer of each."""
    table = f"{lake.rstrip('/')}/star/songplays"
    spark = SparkSession.builder.appName("read_lake").getOrCreate()
    for name, (plays, hours) in (("PySpark", by_spark(spark, table)), ("Polars", by_polars(table)), ("DuckDB", by_duckdb(table))):
        print(f"{name}: {plays} plays, {hours:.3f} hours")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "data/lake")
