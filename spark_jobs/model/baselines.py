"""The simpler ways that the model has to beat. Lists are user, artist, rank, score; rank counts from 1 to at most ten."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

LENGTH = 10
"""How many artists are recommended to a user."""


def popularity(plays: DataFrame) -> DataFrame:
    """Rank the artists: artist, listeners, place (from 1). Most listeners first, then most plays, then the smaller number."""
    counted = plays.groupBy("artist").agg(F.countDistinct("user").alias("listeners"), F.sum("plays").alias("plays"))
    best_first = Window.orderBy(F.desc("listeners"), F.desc("plays"), "artist")
    return counted.select("artist", "listeners", F.row_number().over(best_first).alias("place"))


def most_popular(ranking: DataFrame, users: DataFrame, known: DataFrame) -> DataFrame:
    """Recommend to each user the most popular artists that are not among the known ones (user, artist)."""
    counts = users.join(known.groupBy("user").agg(F.count(F.lit(1)).alias("known")), "user", "left")
    places = counts.select("user", F.explode(F.sequence(F.lit(1), (F.coalesce("known", F.lit(0)) + LENGTH).cast("int"))).alias("place"))
    candidates = places.join(ranking, "place", "inner").join(known, ["user", "artist"], "left_anti")
    return first_ten(
        candidates.select("user", "artist", F.col("listeners").cast("double").alias("score"), (-F.col("place")).alias("order"))
    )


def most_played(plays: DataFrame) -> DataFrame:
    """Recommend to each user what they played most already."""
    counted = plays.groupBy("user", "artist").agg(F.sum("plays").cast("double").alias("score"))
    return first_ten(counted.withColumn("order", F.col("score")))


def first_ten(candidates: DataFrame) -> DataFrame:
    """Keep each user's ten candidates with the greatest `order`, of several equal ones those with the smaller number."""
    best_first = Window.partitionBy("user").orderBy(F.desc("order"), "artist")
    ranked = candidates.withColumn("rank", F.row_number().over(best_first)).where(F.col("rank") <= LENGTH)
    return ranked.select("user", "artist", "rank", "score")
