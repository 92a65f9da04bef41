"""The `songplays` fact, and how plays find their songs."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import EVENT_IDENTITY, SONGPLAYS

MATCH_KEY = ("title_key", "artist_key", "duration_ms")


def songplays(winning_events: DataFrame, winning_songs: DataFrame) -> DataFrame:
    """Derive songplays from winning events, matched with winning song records. Grain and key: songplay_id.

    A play that matches no song keeps null ids and its own title and artist name.
    """
    plays = winning_events.where("page = 'NextSong'").select(
        _songplay_id(),
        F.timestamp_millis("ts").alias("start_time"),
        "user_id",
        "level",
        "session_id",
        "location",
        "user_agent",
        "item_in_session",
        F.col("song").alias("song_title"),
        F.col("artist").alias("artist_name"),
        "length",
        F.col("event_date").alias("start_date"),
    )
    return matched(plays, winning_songs)


def matched(plays: DataFrame, winning_songs: DataFrame) -> DataFrame:
    """Match plays with winning song records. Grain and key: songplay_id.

    Args:
        plays: Songplays; what they matched before, if anything, is forgotten.
        winning_songs: One record a song.
    """
    keyed = plays.drop("song_id", "artist_id").withColumns(_match_key("song_title", "artist_name", "length"))
    return keyed.join(songs_by_match_key(winning_songs), list(MATCH_KEY), "left").select(*SONGPLAYS.column_names)


def plays_of(events: DataFrame) -> DataFrame:
    """Give the songplay_id that each event with a user has or would have as a play. Grain and key: songplay_id."""
    return events.where("user_id IS NOT NULL").select(_songplay_id()).distinct()


def _songplay_id() -> Column:
    return F.concat_ws("-", "ts", "session_id", "item_in_session", "user_id").alias("songplay_id")


def songs_by_match_key(songs: DataFrame) -> DataFrame:
    """Give song_id and artist_id by (title_key, artist_key, duration_ms); of several songs with one key the smallest song_id.

    A song without a title matches nothing and is left out.
    """
    keyed = songs.where("title IS NOT NULL").withColumns(_match_key("title", "artist_name", "duration"))
    smallest = keyed.groupBy(*MATCH_KEY).agg(F.min(F.struct("song_id", "artist_id")).alias("song"))
    return smallest.select(*MATCH_KEY, "song.song_id", "song.artist_id")


def match_keys_of_songs(records: DataFrame) -> DataFrame:
    """Give the distinct match keys of song records (columns title, artist_name, duration)."""
    return records.where("title IS NOT NULL").withColumns(_match_key("title", "artist_name", "duration")).select(*MATCH_KEY).distinct()


def plays_like(plays: DataFrame, keys: DataFrame) -> DataFrame:
    """Give the songplays that have one of these match keys, matched or not."""
    keyed = plays.withColumns(_match_key("song_title", "artist_name", "length"))
    return keyed.join(F.broadcast(keys), list(MATCH_KEY), "left_semi").select(*SONGPLAYS.column_names)


def events_of(plays: DataFrame) -> DataFrame:
    """Give the identity and event_date of the events that songplays come from."""
    return plays.select(F.unix_millis("start_time").alias("ts"), *EVENT_IDENTITY[1:], F.col("start_date").alias("event_date"))


def _match_key(title: str, artist: str, seconds: str) -> dict[str, Column]:
    """Names are compared without case and runs of white space, durations to the millisecond."""
    return {
        "title_key": folded(F.col(title)),
        "artist_key": folded(F.col(artist)),
        "duration_ms": _rounded(F.col(seconds) * 1000),
    }


def _rounded(value: Column) -> Column:
    """Round half up, as a double: as a bigint all that is too large would be the same. From 2^53 on a double is whole."""
    return F.when(value < 2.0**53, F.floor(value + 0.5).cast("double")).otherwise(value)


def folded(name: Column) -> Column:
    """Give a name as names are compared: without case and runs of white space."""
    return F.lower(F.regexp_replace(name, "[ \\t\\n\\x0b\\f\\r\\u00a0]+", " "))
