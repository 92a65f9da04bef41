"""Across files: which file says what an event or a song holds."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.contracts import EVENT_IDENTITY


def winning_events(events: DataFrame) -> DataFrame:
    """Keep, of the events with one identity, the one of the file with the greatest (source_modified_at, source_file)."""
    return _of_latest_file(events, EVENT_IDENTITY)


def winning_songs(catalog: DataFrame) -> DataFrame:
    """Keep, of the records of one song, the one of the file with the greatest (source_modified_at, source_file)."""
    return _of_latest_file(catalog, ("song_id",))


def _of_latest_file(rows: DataFrame, identity: Sequence[str]) -> DataFrame:
    latest_first = Window.partitionBy(*identity).orderBy(F.desc("source_modified_at"), F.desc("source_file"))
    return rows.withColumn("place", F.row_number().over(latest_first)).where("place = 1").drop("place")
