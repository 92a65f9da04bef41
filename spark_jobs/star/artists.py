"""The `artists` dimension."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.contracts import ARTISTS


def artists(winning: DataFrame) -> DataFrame:
    """Derive artists from the winning song records, each taken whole from one. Grain and key: artist_id.

    One with coordinates comes before one without, then one with a location, then the latest year (unknown last), then the smallest song_id.
    """
    best_first = Window.partitionBy("artist_id").orderBy(
        F.col("artist_latitude").isNull(),
        F.col("artist_location").isNull(),
        F.desc_nulls_last("year"),
        F.asc("song_id"),
    )
    return (
        winning.withColumn("place", F.row_number().over(best_first))
        .where("place = 1")
        .select(
            "artist_id",
            F.col("artist_name").alias("name"),
            F.col("artist_location").alias("location"),
            F.col("artist_latitude").alias("latitude"),
            F.col("artist_longitude").alias("longitude"),
        )
        .select(*ARTISTS.column_names)
    )
