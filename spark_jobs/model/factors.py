"""Spark's ALS on implicit feedback: fit it so that it comes out the same each time, and ask it for artists that are new to a user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.ml.recommendation import ALS, ALSModel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.model.baselines import LENGTH, first_ten

SEED = 20181101
ITERATIONS = 6
BLOCKS = 2
"""Spark adds up what the blocks found in the order in which they are done: of two, either order gives the same sum to the last bit."""
_NARROWEST = 64
_WIDER = 8
_DIGITS = 6
CHECKPOINT_AFTER = 3
"""Iterations. What is not written down is computed from all iterations before, in calls within calls: ten are too deep for Java's stack."""


@dataclass(frozen=True)
class Parameters:
    """What the search may choose.

    Attributes:
        rank: Numbers that describe a user or an artist.
        alpha: How much taste counts: an artist that was played weighs 1 + alpha * taste, one that was not 1.
        reg: How strongly these numbers are kept small.
    """

    rank: int
    alpha: float
    reg: float


GRID = (
    Parameters(rank=8, alpha=1.0, reg=0.1),
    Parameters(rank=8, alpha=10.0, reg=0.1),
    Parameters(rank=32, alpha=1.0, reg=0.1),
    Parameters(rank=32, alpha=10.0, reg=0.1),
)


def tastes(plays: DataFrame) -> DataFrame:
    """Sum up plays (user, artist, plays; any grain): user, artist, taste. Grain: user, artist.

    Rows are in one partition and in order, because sums of floating numbers depend on it; they are written down, because they are read
    many times. The session needs a folder for checkpoints.
    """
    summed = plays.groupBy("user", "artist").agg(F.log1p(F.sum("plays")).cast("float").alias("taste"))
    return summed.repartition(1).sortWithinPartitions("user", "artist").checkpoint()


def fit(tastes: DataFrame, parameters: Parameters) -> ALSModel:
    """Fit the model to tastes, as the function of that name gives them."""
    als = ALS(
        userCol="user",
        itemCol="artist",
        ratingCol="taste",
        implicitPrefs=True,
        rank=parameters.rank,
        alpha=parameters.alpha,
        regParam=parameters.reg,
        maxIter=ITERATIONS,
        numUserBlocks=BLOCKS,
        numItemBlocks=BLOCKS,
        seed=SEED,
        checkpointInterval=CHECKPOINT_AFTER,
    )
    return als.fit(tastes)


def by_width(users: DataFrame, known: DataFrame) -> dict[int, DataFrame]:
    """Group users (user) by how many artists to ask for, so that ten are left of each which are not among the known (user, artist).

    Spark gives a user's best artists, known ones included. One who knows thousands should not make all lists long.
    """
    counts = users.join(known.groupBy("user").agg(F.count(F.lit(1)).alias("known")), "user", "inner")
    groups = counts.withColumn("width", _width(F.col("known") + LENGTH)).checkpoint()
    widths = sorted(row.width for row in groups.select("width").distinct().collect())
    return {width: groups.where(F.col("width") == width).select("user") for width in widths}


def best_new(model: ALSModel, users: Mapping[int, DataFrame], known: DataFrame) -> DataFrame:
    """Recommend to each user, by width, the ten artists that the model prefers and that are not among the known ones (user, artist)."""
    asked = [best(model, group, width) for width, group in users.items()]
    return first_ten(reduce(DataFrame.unionByName, asked).join(known, ["user", "artist"], "left_anti"))


def best(model: ALSModel, users: DataFrame, count: int) -> DataFrame:
    """Recommend to each user so many artists, known or not: user, artist, order, score. A user that the model has not seen gets none."""
    lists = model.recommendForUserSubset(users, count).select("user", F.explode("recommendations").alias("of"))
    rounded = F.round(F.col("of.rating").cast("double"), _DIGITS)
    return lists.select("user", F.col("of.artist").alias("artist"), F.col("of.rating").alias("order"), rounded.alias("score"))


def _width(needed: Column) -> Column:
    """The next of 64, 512, 4096, ..."""
    steps = F.ceil(F.log(float(_WIDER), needed / _NARROWEST))
    return (F.lit(_NARROWEST) * F.pow(F.lit(_WIDER), F.greatest(steps, F.lit(0)))).cast("int")
