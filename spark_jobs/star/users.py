"""The `users` dimension."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import USERS


def users(events: DataFrame) -> DataFrame:
    """Derive users from all files' events: attributes of the latest event. Grain and key: user_id.

    Order is event time, then session, then position in it, so files arriving late cannot move a user back in time; of several files that
    hold that event, the one with the greatest (source_modified_at, source_file) says what it holds.
    """
    known = events.where("user_id IS NOT NULL")
    said = F.struct("ts", "first_name", "last_name", "gender", "level", "registration")
    order = F.struct("ts", "session_id", "item_in_session", "source_modified_at", "source_file")
    latest = known.groupBy("user_id").agg(F.max_by(said, order).alias("latest")).select("user_id", "latest.*")
    return latest.select(
        "user_id",
        "first_name",
        "last_name",
        "gender",
        "level",
        F.timestamp_micros(F.floor(F.col("registration") * 1000 + 0.5)).alias("registered_at"),
        F.timestamp_millis("ts").alias("last_seen_at"),
    ).select(*USERS.column_names)
