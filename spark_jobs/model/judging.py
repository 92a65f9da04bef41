"""How good lists are, told by what users played afterwards: recall, NDCG, coverage. docs/model.md says what they mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.model.baselines import LENGTH

_DIGITS = 6
SURE = 2.0
"""Standard errors by which a mean difference has to be above zero to be more than chance."""
_IDEAL = [sum(1 / math.log2(place + 1) for place in range(1, count + 1)) for count in range(1, LENGTH + 1)]


@dataclass(frozen=True)
class Verdict:
    """What the lists of several methods were worth.

    Attributes:
        metrics: By method: recall_at_10, ndcg_at_10 (means over the judged users), coverage (share of the artists in any list).
        users: How many users were judged.
        lead: By how much the first method's NDCG@10 is above the second's, user by user on the mean.
        error: Standard error of that.
    """

    metrics: dict[str, dict[str, float]]
    users: int
    lead: float
    error: float

    @property
    def is_clear(self) -> bool:
        """Whether the first method is better than the second by more than chance explains."""
        return self.lead > SURE * self.error


def worth(lists: DataFrame, played: DataFrame) -> DataFrame:
    """Judge each user's list (method, user, artist, rank) by what they played (user, artist). Grain: method, user; recall, ndcg.

    A list of which nothing was played is left out: it has 0 of both.
    """
    wanted = played.groupBy("user").agg(F.count(F.lit(1)).cast("int").alias("wanted"))
    found = lists.join(played, ["user", "artist"], "left_semi").groupBy("method", "user")
    gains = found.agg(F.count(F.lit(1)).alias("found"), F.sum(1 / F.log2(F.col("rank") + 1)).alias("gain"))
    ideal = F.element_at(F.array(*map(F.lit, _IDEAL)), F.least("wanted", F.lit(LENGTH)))
    judged = gains.join(wanted, "user", "inner")
    return judged.select("method", "user", (F.col("found") / F.col("wanted")).alias("recall"), (F.col("gain") / ideal).alias("ndcg"))


def total_ndcg(lists: DataFrame, played: DataFrame) -> float:
    """Judge the lists of one method (user, artist, rank) by what users played: the sum of NDCG@10 over them all.

    Of the same users it tells as much as the mean, and costs one query instead of three.
    """
    total = worth(lists.withColumn("method", F.lit("")), played).agg(F.sum("ndcg")).collect()[0][0]
    return round(total or 0.0, _DIGITS)


def verdict(lists: Mapping[str, DataFrame], played: DataFrame, artists: int) -> Verdict:
    """Judge the lists of several methods (user, artist, rank), the first two also against each other.

    Args:
        lists: By method, two or more.
        played: What users played afterwards (user, artist); they are the judged ones.
        artists: How many artists could have been recommended.
    """
    judged = played.select("user").distinct()
    given = reduce(
        DataFrame.unionByName, (each.select(F.lit(name).alias("method"), "user", "artist", "rank") for name, each in lists.items())
    )
    given = given.join(judged, "user", "left_semi").checkpoint()
    covered = {row.method: row.artists for row in given.groupBy("method").agg(F.countDistinct("artist").alias("artists")).collect()}
    names: list[Any] = list(lists)
    wide = judged.join(worth(given, played).groupBy("user").pivot("method", names).agg(F.first("recall"), F.first("ndcg")), "user", "left")
    ndcg = [_or_zero(F.col(f"{name}_first(ndcg)")) for name in names]
    recall = [_or_zero(F.col(f"{name}_first(recall)")) for name in names]
    lead = ndcg[0] - ndcg[1]
    users, mean, deviation, *means = wide.agg(F.count(F.lit(1)), F.avg(lead), F.stddev_samp(lead), *map(F.avg, recall + ndcg)).collect()[0]
    columns = zip(names, means[: len(names)], means[len(names) :], (covered.get(name, 0) / max(artists, 1) for name in names), strict=True)
    metrics = {name: _rounded(recall_at_10=found, ndcg_at_10=gain, coverage=share) for name, found, gain, share in columns}
    return Verdict(metrics, users, mean or 0.0, (deviation or 0.0) / math.sqrt(max(users, 1)))


def _rounded(**values: float | None) -> dict[str, float]:
    return {name: round(value or 0.0, _DIGITS) for name, value in values.items()}


def _or_zero(value: Column) -> Column:
    return F.coalesce(value, F.lit(0.0))
