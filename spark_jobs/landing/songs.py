"""Validate song lines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import SONG_VALUES
from spark_jobs.landing.fields import SONG_FIELDS
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.values import read_values, reasons_that_apply

_ID_LENGTH = 200
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def validate_songs(packed: DataFrame) -> DataFrame:
    """Validate packed song lines.

    Returns:
        One row a line: the columns of `packed`, the song's values (of no meaning where the line is refused), reasons (empty where it is
        accepted), and unknown_keys. Source: the design's input rules.
    """
    on_earth = "artist_latitude BETWEEN -90 AND 90 AND artist_longitude BETWEEN -180 AND 180"
    return (
        read_values(packed, SONG_FIELDS)
        .withColumn("reasons", reasons_that_apply(_reasons()))
        .withColumns(
            {
                "year": F.expr("nullif(try_cast(year AS int), 0)"),
                "artist_latitude": F.expr(f"CASE WHEN {on_earth} THEN artist_latitude END"),
                "artist_longitude": F.expr(f"CASE WHEN {on_earth} THEN artist_longitude END"),
            }
        )
        .select(*packed.columns, *SONG_VALUES, "reasons", "unknown_keys")
    )


def _reasons() -> dict[Reason, str]:
    return {
        Reason.TEXT_INVALID: "nested",
        Reason.SONG_ID_MISSING: "song_id IS NULL",
        Reason.SONG_ID_TOO_LONG: f"char_length(song_id) > {_ID_LENGTH}",
        Reason.ARTIST_ID_MISSING: "artist_id IS NULL",
        Reason.ARTIST_ID_TOO_LONG: f"char_length(artist_id) > {_ID_LENGTH}",
        Reason.ARTIST_NAME_MISSING: "artist_name IS NULL",
        Reason.DURATION_INVALID: "NOT coalesce(duration > 0 AND duration < double('Infinity'), false)",
        Reason.NUMBER_INVALID: f"year_given AND NOT coalesce(year BETWEEN {_INT_MIN} AND {_INT_MAX}, false) "
        "OR artist_latitude_given AND artist_latitude IS NULL OR artist_longitude_given AND artist_longitude IS NULL",
    }
