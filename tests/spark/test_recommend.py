"""The model in the pipeline: from generated files to dwh.recommendations, again, and where there is nothing to learn."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from spark_jobs.console import Stages
from spark_jobs.errors import InputMissing
from spark_jobs.generator import generate
from spark_jobs.model.factors import Parameters
from spark_jobs.model.renewal import renew
from tests.world import World, event

ONE = (Parameters(rank=8, alpha=1.0, reg=0.1),)
_LISTS = "SELECT user_id, rank, artist_name, score, model_version FROM dwh.recommendations ORDER BY user_id, rank"


def ask(world: World, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(world.url) as connection:
        return connection.execute(query).fetchall()


def test_taste_is_found_and_published_once_and_the_same_from_the_same_lake(world: World) -> None:
    generate(world.landing, events=6_000, users=120, songs=20, tastes=6)
    silent = [event(page="Home", user="9999", artist=None, song=None, length=None)]
    world.write("log_data/silent.json", silent)
    world.run()
    run = renew(world.settings(), Stages(), ONE)
    assert run is not None
    assert run.chosen == "als", run.reason
    new = run.metrics["new"]
    assert new["als"]["ndcg_at_10"] > 1.5 * new["popularity"]["ndcg_at_10"]
    lists = ask(world, _LISTS)
    users = [user for (user,) in ask(world, "SELECT user_id FROM dwh.users ORDER BY 1")]
    assert [(user, rank) for user, rank, *_ in lists] == [(user, rank) for user in users for rank in range(1, 11)]
    version = run.model_version.partition("-")[2]
    assert {row[4] for row in lists if row[0] != 9999} == {f"als-{version}"}
    assert {row[4] for row in lists if row[0] == 9999} == {f"popularity-{version}"}
    assert ask(world, "SELECT count(*) FROM dwh.recommendations JOIN dwh.songplays USING (user_id, artist_name)") == [(0,)]
    recorded = "SELECT model_version, chosen, row_count, judged_users, delta_version FROM ops.model_runs"
    assert ask(world, recorded) == [(run.model_version, "als", len(lists), run.judged_users, run.learnt_from.version)]

    written = ask(world, "SELECT DISTINCT xmin::text FROM dwh.recommendations")
    assert renew(world.settings(), Stages(), ONE) is None
    assert ask(world, "SELECT DISTINCT xmin::text FROM dwh.recommendations") == written

    with psycopg.connect(world.url) as connection:
        connection.execute("DELETE FROM ops.model_runs")
    again = renew(world.settings(), Stages(), ONE)
    assert again is not None
    assert (ask(world, _LISTS), again.metrics) == (lists, run.metrics)
    assert list(world.lake.glob("_spool/*")) == []


def test_of_a_few_plays_popularity_is_published_and_marked(world: World) -> None:
    with pytest.raises(InputMissing, match="Run `bin/songlake run` first"):
        renew(world.settings(), Stages())
    plays = [event(user=user, item=item, artist=artist) for item, (user, artist) in enumerate([(1, "A"), (2, "A"), (2, "B")])]
    world.write("log_data/a.json", plays)
    world.run()
    run = renew(world.settings(), Stages())
    assert run is not None
    assert (run.chosen, run.metrics) == ("popularity", {})
    assert "too few days" in run.reason
    assert ask(world, _LISTS) == [(1, 1, "B", 1.0, run.model_version)]
    assert run.model_version.startswith("popularity-")
