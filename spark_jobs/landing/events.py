"""Validate event lines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import EVENT_VALUES
from spark_jobs.landing.fields import EVENT_FIELDS
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.validation import is_absent, is_misread, is_outside, reasons_that_apply

_FROM_MS, _BEFORE_MS = 946_684_800_000, 4_102_444_800_000
"""2000-01-01 and 2100-01-01, milliseconds since 1970 UTC."""
_INT_MIN, _INT_MAX, _BIGINT_MAX = -(2**31), 2**31 - 1, 2**63 - 1


def validate_events(packed: DataFrame) -> DataFrame:
    """Validate packed event lines.

    Returns:
        One row a line: the columns of `packed`, the event's values and event_date (of no meaning where the line is refused), and reasons
        (empty where it is accepted). Source: the design's input rules.
    """
    return (
        packed.withColumn("reasons", reasons_that_apply(_reasons()))
        .withColumns(
            {
                "length": F.expr("CASE WHEN length > 0 AND length < double('Infinity') THEN length END"),
                "registration": F.expr(f"CASE WHEN registration >= 0 AND registration < {_BEFORE_MS} THEN registration END"),
                "item_in_session": F.expr("try_cast(item_in_session AS int)"),
                "status": F.expr("try_cast(status AS int)"),
                "event_date": F.expr(f"CASE WHEN ts BETWEEN {_FROM_MS} AND {_BEFORE_MS - 1} THEN to_date(timestamp_millis(ts)) END"),
            }
        )
        .select(*(name for name in packed.columns if name not in EVENT_VALUES), *EVENT_VALUES, "event_date", "reasons")
    )


def _reasons() -> dict[Reason, str]:
    return {
        Reason.TEXT_INVALID: is_misread(*EVENT_FIELDS.texts),
        Reason.TS_INVALID: f"NOT coalesce(ts BETWEEN {_FROM_MS} AND {_BEFORE_MS - 1}, false)",
        Reason.SESSION_ID_INVALID: "NOT coalesce(session_id >= 0, false)",
        Reason.ITEM_IN_SESSION_INVALID: f"NOT coalesce(item_in_session BETWEEN 0 AND {_INT_MAX}, false)",
        Reason.USER_ID_INVALID: is_outside("user_id", 0, _BIGINT_MAX),
        Reason.NUMBER_INVALID: f"{is_misread('length', 'registration')} OR {is_outside('status', _INT_MIN, _INT_MAX)}",
        Reason.LEVEL_INVALID: f"level NOT IN ('free', 'paid') OR {is_misread('level')}",
        Reason.PAGE_MISSING: is_absent("page"),
        Reason.PLAY_WITHOUT_USER: f"page = 'NextSong' AND {is_absent('user_id')}",
        Reason.PLAY_WITHOUT_LEVEL: f"page = 'NextSong' AND {is_absent('level')}",
        Reason.PLAY_WITHOUT_SONG: f"page = 'NextSong' AND {is_absent('song')}",
        Reason.PLAY_WITHOUT_ARTIST: f"page = 'NextSong' AND {is_absent('artist')}",
    }
