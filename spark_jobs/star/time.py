"""The `time` dimension."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import TIME


def time(winning_events: DataFrame) -> DataFrame:
    """Derive the moments at which plays began, taken apart in UTC. Grain and key: start_time (milliseconds)."""
    moments = winning_events.where("page = 'NextSong'").select("ts", F.col("event_date").alias("start_date")).distinct()
    return (
        moments.withColumn("start_time", F.timestamp_millis("ts"))
        .withColumns(
            {
                "hour": F.hour("start_time"),
                "day": F.dayofmonth("start_time"),
                "week": F.weekofyear("start_time"),
                "month": F.month("start_time"),
                "year": F.year("start_time"),
                "weekday": F.weekday("start_time") + 1,
            }
        )
        .select(*TIME.column_names)
    )
