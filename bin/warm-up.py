"""Touch the parts of Spark and Delta Lake that Songlake uses, so that the JVM loads their classes.

bin/setup runs it once, with a JVM that keeps the classes it loaded as an archive when it ends:

    .venv/bin/python bin/warm-up.py FOLDER

What it computes does not matter; what a first run of the pipeline would have to load does.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

SCHEMA = "ts BIGINT, user_id STRING, page STRING, length DOUBLE"


def warm_up(spark: SparkSession, folder: Path) -> None:
    """Read text, JSON and CSV; write, replace, merge and read a Delta table and its change feed; try JDBC."""
    lines, table = folder / "lines.json", str(folder / "table")
    lines.write_text(
        "\n".join(f'{{"ts": {1541105830796 + n}, "user_id": "{n % 5}", "page": "NextSong", "length": {n}.5}}' for n in range(100))
    )
    texts = spark.read.text(str(lines)).select(F.col("value"), F.col("_metadata.file_path"))
    events = (
        texts.select(F.from_json("value", SCHEMA).alias("event"))
        .select("event.*")
        .withColumn("event_time", F.timestamp_millis("ts"))
        .withColumn("event_date", F.to_date("event_time"))
        .withColumn("user_id", F.expr("try_cast(user_id AS BIGINT)"))
        .withColumn("page", F.regexp_replace(F.trim("page"), r"\s+", " "))
    )
    (
        DeltaTable.createIfNotExists(spark)
        .location(table)
        .addColumns(events.schema)
        .partitionedBy("event_date")
        .property("delta.enableChangeDataFeed", "true")
        .execute()
    )
    events.write.format("delta").mode("append").option("userMetadata", "warm-up").save(table)
    dates = [row.event_date for row in events.select("event_date").distinct().collect()]
    events.write.format("delta").mode("overwrite").option("replaceWhere", f"event_date = DATE'{dates[0]}'").save(table)
    latest = Window.partitionBy("user_id").orderBy(F.desc("ts"))
    users = events.withColumn("recency", F.row_number().over(latest)).where("recency = 1").drop("recency")
    (
        DeltaTable.forPath(spark, table)
        .alias("t")
        .merge(users.alias("s"), "t.ts = s.ts")
        .whenMatchedUpdate("t.length <> s.length", {"length": "s.length"})
        .whenNotMatchedInsertAll()
        .execute()
    )
    DeltaTable.forPath(spark, table).delete("ts % 7 = 0")
    DeltaTable.forPath(spark, table).history(1).collect()
    changes = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 1).load(table)
    changes.groupBy("_change_type").agg(F.count("*"), F.max("length")).collect()
    stored = spark.read.format("delta").load(table)
    stored.join(users, "user_id", "left_anti").unionByName(stored).dropDuplicates(["ts"]).write.mode("overwrite").csv(
        str(folder / "csv"), header=True
    )
    spark.read.schema("ts STRING, user_id STRING").csv(str(folder / "csv"), header=True, multiLine=True, enforceSchema=True).count()
    spark.read.schema(SCHEMA).json(str(lines)).join(stored.select("ts", "event_date"), "ts", "left").write.mode("overwrite").parquet(
        str(folder / "parquet")
    )
    spark.createDataFrame(stored.limit(10).toArrow()).withColumn("page", F.lower("page")).collect()
    with contextlib.suppress(PySparkException, Py4JJavaError):
        # Nobody listens there; the driver's classes are loaded on the way.
        stored.write.jdbc(
            "jdbc:postgresql://127.0.0.1:1/none?reWriteBatchedInserts=true", "none", properties={"driver": "org.postgresql.Driver"}
        )


def main() -> int:
    """Run the job and wait for the JVM, which writes the archive as its last act."""
    spark = SparkSession.builder.appName("warm-up").getOrCreate()
    jvm = spark.sparkContext._gateway.proc
    warm_up(spark, Path(sys.argv[1]))
    spark.stop()
    jvm.stdin.close()
    jvm.wait(timeout=300)
    return 0


if __name__ == "__main__":
    sys.exit(main())
