"""The model in the pipeline: from generated files to dwh.recommendations, once, of a few plays, and where something breaks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from pyspark.sql import SparkSession

from spark_jobs.console import Stages
from spark_jobs.errors import LakeChanged, LockHeld
from spark_jobs.generator import generate
from spark_jobs.model.factors import Parameters
from spark_jobs.model.renewal import renew
from spark_jobs.warehouse import connection as connection_module
from spark_jobs.warehouse import stage as stage_module
from tests.lineage import endings, names, parse, tell_to, told
from tests.scratch import scratch_database
from tests.world import World, event

ONE = (Parameters(rank=8, alpha=1.0, reg=0.1),)
_LISTS = "SELECT user_id, rank, artist_name, score, model_version FROM dwh.recommendations ORDER BY user_id, rank"


def ask(world: World, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(world.url) as connection:
        return connection.execute(query).fetchall()


def test_taste_is_found_and_published_once(world: World) -> None:
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

    assert list(world.lake.glob("_spool/*")) == []


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A few plays are live; tests work on copies of the lake."""
    with scratch_database(postgres_server) as url:
        world = World(tmp_path_factory.mktemp("few"), url)
        plays = [event(user=user, item=item, artist=artist) for item, (user, artist) in enumerate([(1, "A"), (2, "A"), (2, "B")])]
        world.write("log_data/a.json", plays)
        world.run()
        yield world


@pytest.fixture
def few(loaded: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """That, with a lake of its own; the model never ran, and lineage is told to `events`."""
    shutil.copytree(loaded.lake, tmp_path / "lake")
    with psycopg.connect(loaded.url) as connection:
        connection.execute("DELETE FROM ops.model_runs")
        connection.execute("DELETE FROM dwh.recommendations")
    tell_to(tmp_path / "events", monkeypatch)
    return World(tmp_path, loaded.url)


def test_of_a_few_plays_popularity_is_published_and_marked_and_lineage_names_the_tables(few: World) -> None:
    run = renew(few.settings(), Stages())
    assert run is not None
    assert (run.chosen, run.metrics) == ("popularity", {})
    assert "too few days" in run.reason
    assert ask(few, _LISTS) == [(1, 1, "B", 1.0, run.model_version)]
    assert run.model_version.startswith("popularity-")
    events = told(few.root / "events")
    assert endings(events) == [("recommend", "START"), ("recommend", "COMPLETE")]
    assert names(events[-1]["inputs"]) == [str(few.lake / "star" / name) for name in ("songplays", "users")]
    database = urlsplit(few.url).path[1:]
    assert names(events[-1]["outputs"]) == [f"{database}.dwh.recommendations", f"{database}.ops.model_runs"]
    parse(events[-1])


def test_a_lost_file_is_told_in_a_sentence_to_people_and_to_lineage(few: World) -> None:
    for file in few.lake.glob("star/songplays/**/*.parquet"):
        file.unlink()
    with pytest.raises(LakeChanged, match="is missing or damaged") as raised:
        renew(few.settings(), Stages())
    events = told(few.root / "events")
    assert endings(events) == [("recommend", "START"), ("recommend", "FAIL")]
    assert events[-1]["run"]["facets"]["errorMessage"]["message"] == raised.value.what
    assert ask(few, _LISTS) == []


def test_who_locks_staging_while_spark_writes_is_named(few: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "LOCK_TIMEOUT_SECONDS", 1)
    options = stage_module.jdbc_options
    with psycopg.connect(few.url, application_name="idle reader") as reader:

        def locked_then(url: str, *, application_name: str) -> dict[str, str]:
            reader.execute("LOCK TABLE staging.recommendations IN SHARE MODE")
            return options(url, application_name=application_name)

        monkeypatch.setattr(stage_module, "jdbc_options", locked_then)
        with pytest.raises(LockHeld, match="is locked by idle reader"):
            renew(few.settings(), Stages())
    assert ask(few, _LISTS) == []
