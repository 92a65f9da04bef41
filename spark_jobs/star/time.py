"""The `time` dimension."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import TIME


def time(plays: DataFrame) -> DataFrame:
    """Derive the moments at which songplays began, taken apart in UTC. Grain and key: start_time (milliseconds)."""
    return (
        plays.select("start_time", "start_date")
        .distinct()
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
