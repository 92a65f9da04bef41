"""Validate event lines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import EVENT_VALUES
from spark_jobs.landing.fields import EVENT_FIELDS
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.values import read_values, reasons_that_apply

_FROM_MS, _BEFORE_MS = 946_684_800_000, 4_102_444_800_000
"""2000-01-01 and 2100-01-01, milliseconds since 1970 UTC."""
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def validate_events(packed: DataFrame) -> DataFrame:
    """Validate packed event lines.

    Returns:
        One row a line: the columns of `packed`, the event's values and event_date (of no meaning where the line is refused), and reasons
        (empty where it is accepted), and unknown_keys. Source: the design's input rules.
    """
    return (
        read_values(packed, EVENT_FIELDS)
        .withColumn("reasons", reasons_that_apply(_reasons()))
        .withColumns(
            {
                "length": F.expr("CASE WHEN length > 0 AND length < double('Infinity') THEN length END"),
                "registration": F.expr(f"CASE WHEN registration >= 0 AND registration < {_BEFORE_MS} THEN registration END"),
                "item_in_session": F.expr("try_cast(item_in_session AS int)"),
                "status": F.expr("try_cast(status AS int)"),
                "user_agent": F.expr(_unquoted("user_agent")),
                "event_date": F.expr(f"CASE WHEN ts BETWEEN {_FROM_MS} AND {_BEFORE_MS - 1} THEN to_date(timestamp_millis(ts)) END"),
            }
        )
        .select(*packed.columns, *EVENT_VALUES, "event_date", "reasons", "unknown_keys")
    )


def _reasons() -> dict[Reason, str]:
    return {
        Reason.TEXT_INVALID: "nested",
        Reason.TS_INVALID: f"NOT coalesce(ts BETWEEN {_FROM_MS} AND {_BEFORE_MS - 1}, false)",
        Reason.SESSION_ID_INVALID: "NOT coalesce(session_id >= 0, false)",
        Reason.ITEM_IN_SESSION_INVALID: f"NOT coalesce(item_in_session BETWEEN 0 AND {_INT_MAX}, false)",
        Reason.USER_ID_INVALID: "user_id_given AND NOT coalesce(user_id >= 0, false)",
        Reason.NUMBER_INVALID: "length_given AND length IS NULL OR registration_given AND registration IS NULL "
        f"OR status_given AND NOT coalesce(status BETWEEN {_INT_MIN} AND {_INT_MAX}, false)",
        Reason.LEVEL_INVALID: "level NOT IN ('free', 'paid')",
        Reason.PAGE_MISSING: "page IS NULL",
        Reason.PLAY_WITHOUT_USER: "page = 'NextSong' AND NOT user_id_given",
        Reason.PLAY_WITHOUT_LEVEL: "page = 'NextSong' AND level IS NULL",
        Reason.PLAY_WITHOUT_SONG: "page = 'NextSong' AND song IS NULL",
        Reason.PLAY_WITHOUT_ARTIST: "page = 'NextSong' AND artist IS NULL",
    }


def _unquoted(user_agent: str) -> str:
    """Take away literal double quotes wrapped round the whole text of a plain line; records have been through that."""
    wrapped = f"record IS NULL AND char_length({user_agent}) >= 2 AND {user_agent} LIKE '\"%\"'"
    return f"CASE WHEN {wrapped} THEN nullif(trim(substr({user_agent}, 2, char_length({user_agent}) - 2)), '') ELSE {user_agent} END"
