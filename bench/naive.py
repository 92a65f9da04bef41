"""The pipeline that courses teach, on Spark's own default settings: the naive end of the scale.

    spark-submit bench/naive.py LANDING      (WAREHOUSE_URL in the environment; the tables exist, empty, with their keys)

Schemas are inferred, timestamps come from a Python UDF, duplicates go by dropDuplicates, rows by JDBC with default options. It makes as
many rows as the others, with the same keys, and the whole of `time`; what else a row holds it leaves to chance where files
contradict each other, and texts stay as they are.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

IDENTITY = ["ts", "userId", "sessionId", "itemInSession"]
moment = F.udf(lambda milliseconds: datetime.fromtimestamp(int(milliseconds) / 1000, UTC), TimestampType())


def read_events(spark: SparkSession, landing: str) -> DataFrame:
    events = spark.read.json([f"{landing}/log_data/*/*/*.json", f"{landing}/log_data/late"])
    files = [path for path in os.listdir(f"{landing}/log_data/late") if path.endswith(".csv")]
    events = events.where(F.col("ts").isNotNull())
    if files:
        late = spark.read.csv([f"{landing}/log_data/late/{path}" for path in files], header=True, inferSchema=True, escape='"')
        events = events.unionByName(late.select(*(F.col(name).cast(kind) for name, kind in events.dtypes if name in late.columns)), True)
    return events.dropDuplicates(IDENTITY)


def write(rows: DataFrame, table: str) -> None:
    url = urlsplit(os.environ["WAREHOUSE_URL"])
    login = {"user": url.username or "", "password": url.password or "", "driver": "org.postgresql.Driver"}
    rows.write.jdbc(f"jdbc:postgresql://{url.hostname}:{url.port}{url.path}", f"dwh.{table}", mode="append", properties=login)


def load_songs(songs: DataFrame) -> None:
    columns = ["song_id", "title", "artist_id", "year", "duration"]
    write(songs.select(*columns).withColumn("year", F.col("year").cast("int")).dropDuplicates(["song_id"]), "songs")
    names = {"name": "artist_name", "location": "artist_location", "latitude": "artist_latitude", "longitude": "artist_longitude"}
    write(songs.select("artist_id", *(F.col(old).alias(new) for new, old in names.items())).dropDuplicates(["artist_id"]), "artists")


def load_events(events: DataFrame, songs: DataFrame) -> None:
    events = events.withColumn("start_time", moment("ts"))
    users = events.where("userId != ''").dropDuplicates(["userId"])
    write(
        users.select(
            F.col("userId").cast("bigint").alias("user_id"),
            F.col("firstName").alias("first_name"),
            F.col("lastName").alias("last_name"),
            "gender",
            "level",
            moment("registration").alias("registered_at"),
            F.col("start_time").alias("last_seen_at"),
        ),
        "users",
    )
    plays = events.where("page = 'NextSong'")
    at = F.col("start_time")
    parts = {"hour": F.hour(at), "day": F.dayofmonth(at), "week": F.weekofyear(at), "month": F.month(at), "year": F.year(at)}
    moments = plays.select("start_time").dropDuplicates()
    write(moments.select("start_time", *(part.alias(name) for name, part in parts.items()), (F.weekday(at) + 1).alias("weekday")), "time")
    matches = (plays.song == songs.title) & (plays.artist == songs.artist_name) & (plays.length == songs.duration)
    songplays = plays.join(songs, matches, "left").select(
        F.concat_ws("-", "ts", "sessionId", "itemInSession", "userId").alias("songplay_id"),
        "start_time",
        F.col("userId").cast("bigint").alias("user_id"),
        "level",
        "song_id",
        "artist_id",
        F.col("sessionId").cast("bigint").alias("session_id"),
        "location",
        F.col("userAgent").alias("user_agent"),
        F.col("itemInSession").cast("int").alias("item_in_session"),
        F.col("song").alias("song_title"),
        F.col("artist").alias("artist_name"),
        F.col("length").cast("double").alias("length"),
    )
    write(songplays.dropDuplicates(["songplay_id"]), "songplays")


def main(landing: str) -> None:
    spark = SparkSession.builder.appName("naive").getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    songs = spark.read.json(f"{landing}/song_data/*/*/*/*.json")
    load_songs(songs)
    load_events(read_events(spark, landing), songs)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
