"""Choose the parameters on one window of time, judge on a later one, and recommend by what came out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.model import factors, judging
from spark_jobs.model.baselines import LENGTH, first_ten, most_played, most_popular, popularity
from spark_jobs.model.factors import GRID, Parameters
from spark_jobs.model.windows import Windows, windows

ALS, POPULARITY, MOST_PLAYED = "als", "popularity", "most_played"
FEWEST_JUDGED = 20
"""Of fewer users' lists nobody could tell which way is better."""


@dataclass(frozen=True)
class Choice:
    """Which way of recommending was found to be best, and on what grounds.

    Attributes:
        method: `als`, or `popularity`.
        reason: Why, in a sentence.
        parameters: What the search found best; None where there was too little data to search.
        params: What is to be known to repeat it: seed, windows, parameters.
        metrics: On the test window, `{new|all: {method: {recall_at_10, ndcg_at_10, coverage}}}`.
        judged_users: Over how many users `new` are means.
    """

    method: str
    reason: str
    parameters: Parameters | None = None
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    judged_users: int = 0


@dataclass(frozen=True)
class _Trial:
    """What was known before a window of time, and what was played in it by users who were known.

    Attributes:
        before: Plays before the window.
        known: Who had played what before, and what it tells of their taste (user, artist, taste).
        played: Who played what in the window (user, artist).
        new: The same, without what they had played before.
        judged: The users in `new`, by how many artists to ask for.
        artists: How many artists were known before.
    """

    before: DataFrame
    known: DataFrame
    played: DataFrame
    new: DataFrame
    judged: dict[int, DataFrame]
    artists: int


def choose(plays: DataFrame, grid: Sequence[Parameters] = GRID) -> Choice:
    """Find out whether ALS recommends better than popularity.

    What decides is NDCG@10 on artists that are new to the user: to name what somebody plays anyway is no recommendation.

    Args:
        plays: user, artist, start_date, plays, as `listening` gives them; they are read many times.
        grid: What may be chosen from.
    """
    cut = windows(_plays_by_day(plays))
    if cut is None:
        return Choice(POPULARITY, "The plays are of too few days to learn from some, choose by others and judge by the last.")
    validation, test = _trial(plays, cut.validation, cut.test), _trial(plays, cut.test, None)
    for window, trial in (("validation", validation), ("test", test)):
        judged = trial.new.select("user").distinct().count()
        if judged < FEWEST_JUDGED:
            return Choice(
                POPULARITY,
                f"In the {window} window {judged} known listeners played artists new to them, and fewer than {FEWEST_JUDGED} tell nothing.",
            )
    parameters = max(grid, key=lambda each: _ndcg(each, validation))
    return _judge(parameters, test, cut)


def recommend(choice: Choice, plays: DataFrame, everyone: DataFrame) -> DataFrame:
    """Recommend to everyone (user) by the way that was chosen: user, artist, rank, score, method.

    Who has played nothing is unknown to ALS and gets popularity, marked so.
    """
    known = factors.tastes(plays)
    if choice.method == ALS and choice.parameters:
        listeners = factors.by_width(known.select("user").distinct(), known)
        lists = factors.best_new(factors.fit(known, choice.parameters), listeners, known)
        others = everyone.join(known, "user", "left_anti")
        return lists.withColumn("method", F.lit(ALS)).unionByName(_popular(plays, others, known))
    return _popular(plays, everyone, known)


def _popular(plays: DataFrame, users: DataFrame, known: DataFrame) -> DataFrame:
    return most_popular(popularity(plays), users, known).withColumn("method", F.lit(POPULARITY))


def _plays_by_day(plays: DataFrame) -> dict[Any, int]:
    """Give the plays of each day; ingest takes days of one century alone, so there are never many."""
    return {row.start_date: row.plays for row in plays.groupBy("start_date").agg(F.sum("plays").alias("plays")).collect()}


def _trial(plays: DataFrame, begin: Any, end: Any) -> _Trial:
    before = plays.where(F.col("start_date") < F.lit(begin))
    within = plays.where(F.col("start_date") >= F.lit(begin))
    within = within if end is None else within.where(F.col("start_date") < F.lit(end))
    known = factors.tastes(before)
    played = within.select("user", "artist").distinct().join(known, "user", "left_semi").checkpoint()
    new = played.join(known, ["user", "artist"], "left_anti").checkpoint()
    judged = factors.by_width(new.select("user").distinct(), known)
    return _Trial(before, known, played, new, judged, known.select("artist").distinct().count())


def _ndcg(parameters: Parameters, trial: _Trial) -> float:
    lists = factors.best_new(factors.fit(trial.known, parameters), trial.judged, trial.known)
    return judging.total_ndcg(lists, trial.new)


def _judge(parameters: Parameters, trial: _Trial, cut: Windows) -> Choice:
    model, ranking = factors.fit(trial.known, parameters), popularity(trial.before)
    users, nothing = trial.played.select("user").distinct(), trial.known.where("false")
    new = {
        ALS: factors.best_new(model, trial.judged, trial.known),
        POPULARITY: most_popular(ranking, trial.new.select("user").distinct(), trial.known),
    }
    all_ = {
        ALS: first_ten(factors.best(model, users, LENGTH)),
        POPULARITY: most_popular(ranking, users, nothing),
        MOST_PLAYED: most_played(trial.before),
    }
    found, of_all = judging.verdict(new, trial.new, trial.artists), judging.verdict(all_, trial.played, trial.artists)
    ours, theirs = (found.metrics[method]["ndcg_at_10"] for method in (ALS, POPULARITY))
    said = f"{ours:.4f} against {theirs:.4f} NDCG@10 on artists new to {found.users:,} users"
    return Choice(
        ALS if found.is_clear else POPULARITY,
        f"ALS beats popularity: {said}." if found.is_clear else f"ALS is not clearly better than popularity: {said}.",
        parameters,
        {
            "seed": factors.SEED,
            "iterations": factors.ITERATIONS,
            **asdict(parameters),
            "validation_from": f"{cut.validation}",
            "test_from": f"{cut.test}",
        },
        {"new": found.metrics, "all": of_all.metrics},
        found.users,
    )
