"""Validate song lines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import SONG_VALUES
from spark_jobs.landing.fields import SONG_FIELDS
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.validation import is_absent, is_misread, is_outside, reasons_that_apply

_ID_LENGTH = 200
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def validate_songs(packed: DataFrame) -> DataFrame:
    """Validate packed song lines.

    Returns:
        One row a line: the columns of `packed`, the song's values (of no meaning where the line is refused), reasons (empty where it is
        accepted). Source: the design's input rules.
    """
    on_earth = "artist_latitude BETWEEN -90 AND 90 AND artist_longitude BETWEEN -180 AND 180"
    return (
        packed.withColumn("reasons", reasons_that_apply(_reasons()))
        .withColumns(
            {
                "year": F.expr("nullif(try_cast(year AS int), 0)"),
                "artist_latitude": F.expr(f"CASE WHEN {on_earth} THEN artist_latitude END"),
                "artist_longitude": F.expr(f"CASE WHEN {on_earth} THEN artist_longitude END"),
            }
        )
        .select(*(name for name in packed.columns if name not in SONG_VALUES), *SONG_VALUES, "reasons")
    )


def _reasons() -> dict[Reason, str]:
    return {
        Reason.TEXT_INVALID: is_misread(*SONG_FIELDS.texts),
        Reason.SONG_ID_MISSING: is_absent("song_id"),
        Reason.SONG_ID_TOO_LONG: f"char_length(song_id) > {_ID_LENGTH}",
        Reason.ARTIST_ID_MISSING: is_absent("artist_id"),
        Reason.ARTIST_ID_TOO_LONG: f"char_length(artist_id) > {_ID_LENGTH}",
        Reason.ARTIST_NAME_MISSING: is_absent("artist_name"),
        Reason.DURATION_INVALID: "NOT coalesce(duration > 0 AND duration < double('Infinity'), false)",
        Reason.NUMBER_INVALID: f"{is_outside('year', _INT_MIN, _INT_MAX)} OR {is_misread('artist_latitude', 'artist_longitude')}",
    }
