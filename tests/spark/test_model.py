"""The model's parts on literal rows: lists, what they are worth, and that they come out the same from rows in any order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.contracts import SONGPLAYS
from spark_jobs.lake.log import Position
from spark_jobs.model import baselines, factors, judging, listening, renewal
from spark_jobs.model.choice import POPULARITY, choose
from spark_jobs.model.factors import Parameters

ONE = (Parameters(rank=8, alpha=1.0, reg=0.1),)


@pytest.fixture
def spark(spark: SparkSession, tmp_path: Path) -> SparkSession:
    """The session, with a place for intermediate tables."""
    spark.sparkContext.setCheckpointDir(str(tmp_path))
    return spark


def frame(spark: SparkSession, names: str, rows: Iterable[tuple[Any, ...]]) -> DataFrame:
    columns = list(zip(*rows, strict=True))
    whole = {"user": pa.int32(), "artist": pa.int32(), "rank": pa.int32(), "user_id": pa.int64()}
    arrays = {name: pa.array(values, whole.get(name)) for name, values in zip(names.split(), columns, strict=True)}
    return spark.createDataFrame(pa.table(arrays))


def rows(found: DataFrame) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in found.collect())


def test_spellings_of_a_name_are_one_artist_named_as_most_plays_spell_it(spark: SparkSession) -> None:
    day, next_day = date(2018, 11, 1), date(2018, 11, 2)
    plays = [(7, "Björk", day), (7, "BJÖRK", day), (9, "Björk", next_day), (9, "Elena", day), (9, "elena  ", day), (9, "Elena ", day)]
    spelt = listening.spelt_plays(frame(spark, "user_id artist_name start_date", plays))
    artists, listeners = listening.artists(spelt), listening.listeners(frame(spark, "user_id", [(9,), (7,), (3,)]))
    assert rows(artists) == [(1, "björk", "Björk"), (2, "elena", "Elena"), (3, "elena ", "Elena ")]
    assert rows(listeners) == [(1, 3), (2, 7), (3, 9)]
    assert rows(listening.listening(spelt, artists, listeners)) == [
        (2, 1, day, 2), (3, 1, next_day, 1), (3, 2, day, 1), (3, 3, day, 2),
    ]  # fmt: skip


def test_baselines_rank_by_listeners_and_by_plays_and_leave_known_artists_out(spark: SparkSession) -> None:
    day = date(2018, 11, 1)
    plays = frame(spark, "user artist start_date plays", [(1, 5, day, 9), (2, 5, day, 1), (2, 6, day, 1), (3, 7, day, 4), (3, 6, day, 1)])
    ranking = baselines.popularity(plays)
    assert rows(ranking) == [(5, 2, 1), (6, 2, 2), (7, 1, 3)]
    users, known = frame(spark, "user", [(1,), (2,), (4,)]), plays.select("user", "artist")
    assert rows(baselines.most_popular(ranking, users, known)) == [
        (1, 6, 1, 2.0), (1, 7, 2, 1.0), (2, 7, 1, 1.0), (4, 5, 1, 2.0), (4, 6, 2, 2.0), (4, 7, 3, 1.0),
    ]  # fmt: skip
    assert rows(baselines.most_played(plays)) == [(1, 5, 1, 9.0), (2, 5, 1, 1.0), (2, 6, 2, 1.0), (3, 6, 2, 1.0), (3, 7, 1, 4.0)]


def test_recall_ndcg_and_coverage_are_what_plain_arithmetic_says(spark: SparkSession) -> None:
    played = frame(spark, "user artist", [(1, 1), (1, 2), (1, 3), (2, 4), (3, 1)])
    good = frame(spark, "user artist rank", [(1, 2, 1), (1, 9, 2), (1, 3, 3), (2, 5, 1), (2, 4, 2), (8, 7, 1)])
    bad = frame(spark, "user artist rank", [(1, 9, 1), (2, 9, 1), (3, 1, 10)])
    found = judging.verdict({"good": good, "bad": bad}, played, artists=10)
    first = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    second, last = 1 / math.log2(3), 1 / math.log2(11)
    assert found.users == 3
    assert found.metrics["good"] == pytest.approx(
        {"recall_at_10": (2 / 3 + 1) / 3, "ndcg_at_10": (first + second) / 3, "coverage": 0.5}, abs=1e-6
    )
    assert judging.total_ndcg(good, played) == pytest.approx(first + second, abs=1e-6)
    assert found.metrics["bad"] == pytest.approx({"recall_at_10": 1 / 3, "ndcg_at_10": last / 3, "coverage": 0.2}, abs=1e-6)
    differences = [first, second, -last]
    assert found.lead == pytest.approx(np.mean(differences))
    assert found.error == pytest.approx(np.std(differences, ddof=1) / math.sqrt(3))
    assert not found.is_clear


def made_up(tastes: int, *, users: int = 120, artists: int = 160, days: int = 8, daily: int = 3) -> pa.Table:
    """Plays of users who choose among the artists of their taste, the first of them most often."""
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(1, users + 1), days * daily)
    day = np.tile(np.repeat(np.arange(days), daily), users)
    place = (rng.random(user.size) ** 2 * (artists // tastes)).astype(int)
    first = date(2018, 11, 1)
    return pa.table(
        {
            "user": pa.array(user, pa.int32()),
            "artist": pa.array(place * tastes + user % tastes + 1, pa.int32()),
            "start_date": pa.array([first + timedelta(int(number)) for number in day], pa.date32()),
            "plays": pa.array(np.ones(user.size, dtype=np.int64)),
        }
    )


def test_popularity_is_chosen_where_there_is_no_taste(spark: SparkSession) -> None:
    without = choose(spark.createDataFrame(made_up(1)).checkpoint(), ONE)
    assert without.method == POPULARITY
    assert without.reason.startswith("ALS is not clearly better than popularity: 0.")
    assert set(without.metrics["all"]) == {"als", "popularity", "most_played"}
    assert without.params["test_from"] == "2018-11-08"


def test_too_little_data_is_said_and_popularity_chosen(spark: SparkSession) -> None:
    two_days = choose(spark.createDataFrame(made_up(2, users=3, days=2)))
    assert (two_days.method, two_days.metrics) == (POPULARITY, {})
    assert "too few days" in two_days.reason
    few_users = choose(spark.createDataFrame(made_up(2, users=5)))
    assert "fewer than 20 tell nothing" in few_users.reason


def test_rows_in_another_order_and_in_other_partitions_give_the_same_factors_to_the_last_bit(spark: SparkSession) -> None:
    plays = made_up(4, users=40)
    shuffled = plays.take(np.random.default_rng(2).permutation(plays.num_rows))
    orders = spark.createDataFrame(plays), spark.createDataFrame(shuffled).repartition(3)
    models = [factors.fit(factors.tastes(given), ONE[0]) for given in orders]
    first, second = ([rows(model.userFactors), rows(model.itemFactors)] for model in models)
    assert first == second
    assert [len(side) for side in first] == [40, len(set(plays["artist"].to_pylist()))]


def test_a_change_of_whatever_the_outcome_depends_on_gives_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    at = Position("table", 4, 1_600_000_000_000)
    states = [at, replace(at, table_id="other"), replace(at, version=5), replace(at, written_at=at.written_at + 1)]
    versions = [renewal.version_of({SONGPLAYS.name: state}) for state in states] + [renewal.version_of({SONGPLAYS.name: at}, ONE)]
    settings = [
        *((renewal, name) for name in ("METHOD", "SHARE", "LENGTH", "FEWEST_JUDGED")),
        *((factors, name) for name in ("SEED", "ITERATIONS", "BLOCKS", "CHECKPOINT_AFTER")),
        (judging, "SURE"),
    ]
    for module, name in settings:
        with monkeypatch.context() as changed:
            changed.setattr(module, name, getattr(module, name) + 1)
            versions.append(renewal.version_of({SONGPLAYS.name: at}))
    assert len(set(versions)) == len(states) + 1 + len(settings)
    assert renewal.version_of({SONGPLAYS.name: at}) == versions[0]
