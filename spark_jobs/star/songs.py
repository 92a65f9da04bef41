"""The `songs` dimension."""

from __future__ import annotations

from pyspark.sql import DataFrame

from spark_jobs.contracts import SONGS


def songs(winning: DataFrame) -> DataFrame:
    """Derive songs from the winning song records. Grain and key: song_id."""
    return winning.select(*SONGS.column_names)
