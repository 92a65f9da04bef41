"""What is known of listeners: how often each played which artist on which day. Users and artists are numbered, since ALS wants integers."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.star.songplays import folded


def spelt_plays(songplays: DataFrame) -> DataFrame:
    """Count plays. Grain: user_id, artist_name as it was played, start_date; `artist_key` is the name as matching compares it."""
    counted = songplays.groupBy("user_id", "artist_name", "start_date").agg(F.count(F.lit(1)).alias("plays"))
    return counted.withColumn("artist_key", folded(F.col("artist_name")))


def artists(spelt: DataFrame) -> DataFrame:
    """Number the artists: artist (from 1, in order of the key), artist_key, artist_name. Grain: artist.

    The name is the spelling with most plays, of several the first in order of bytes.
    """
    spellings = spelt.groupBy("artist_key", "artist_name").agg((-F.sum("plays")).alias("rarity"))
    names = spellings.groupBy("artist_key").agg(F.min(F.struct("rarity", "artist_name")).alias("spelling"))
    return names.select(_number("artist_key").alias("artist"), "artist_key", F.col("spelling.artist_name").alias("artist_name"))


def listeners(users: DataFrame) -> DataFrame:
    """Number the star's users: user (from 1, in order of the id), user_id. Grain: user."""
    return users.select(_number("user_id").alias("user"), "user_id")


def listening(spelt: DataFrame, artists: DataFrame, listeners: DataFrame) -> DataFrame:
    """Count plays by number: user, artist, start_date, plays. Grain: the first three."""
    counted = spelt.groupBy("user_id", "artist_key", "start_date").agg(F.sum("plays").alias("plays"))
    numbered = counted.join(artists, "artist_key", "inner").join(listeners, "user_id", "inner")
    return numbered.select("user", "artist", "start_date", "plays")


def _number(key: str) -> Column:
    return F.row_number().over(Window.orderBy(key))
