"""Learn anew from what is live, and publish what came out of it; where nothing moved since the last run, nothing is done."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.console import Stages
from spark_jobs.contracts import SONGPLAYS, USERS
from spark_jobs.lake.history import require_history
from spark_jobs.lake.lock import lake_lock
from spark_jobs.lake.log import Position
from spark_jobs.lake.tables import Lake, told_errors
from spark_jobs.landing.spool import clear_spool
from spark_jobs.lineage import Lineage
from spark_jobs.locations import Location
from spark_jobs.model import factors, judging, listening
from spark_jobs.model.baselines import LENGTH
from spark_jobs.model.choice import FEWEST_JUDGED, Choice, choose, recommend
from spark_jobs.model.factors import GRID, Parameters
from spark_jobs.model.windows import SHARE
from spark_jobs.pipeline import warehouse_url, writing
from spark_jobs.session import start_session
from spark_jobs.settings import Settings
from spark_jobs.warehouse import batches, recommendations
from spark_jobs.warehouse.contracts import RECOMMENDATIONS
from spark_jobs.warehouse.recommendations import ModelRun
from spark_jobs.warehouse.stage import Target

METHOD = 2
"""Raise it with every change to how is learnt, judged or recommended that no setting in `version_of` shows; all is then made anew."""

_TABLES = (SONGPLAYS, USERS)

_MANY_PLAYS = 200_000
"""From about so many on fitting is long enough for Java's full compiler: at 860,000 it takes a third off the time."""


def renew(settings: Settings, stages: Stages, grid: Sequence[Parameters] = GRID) -> ModelRun | None:
    """Recommend artists to everyone, by ALS where it beats popularity; the writer's lock and the lake's are held meanwhile.

    Args:
        settings: Which lake and warehouse.
        stages: Tells of `learn` and `publish`.
        grid: Parameters to choose from.

    Returns:
        The run, or None where lake and parameters are those of what is live.

    Raises:
        InputMissing: Nothing is published, or from another lake, or this one was brought back from a backup since.
        LakeChanged: A file of the lake is missing.
        LockHeld: Another run is writing.
        ServiceUnreachable: PostgreSQL does not answer.
    """
    began, started_at, url, lake = time.monotonic(), datetime.now(UTC), warehouse_url(settings), settings.lake
    with writing(url, "recommend") as (connection, _), lake_lock(lake, "recommend"):
        learnt_from = _published(lake, batches.published(connection))
        version = version_of(learnt_from, grid)
        if recommendations.is_live(connection, version):
            return None
        plays = batches.row_counts(connection)[SONGPLAYS.name]
        with Lineage(settings, connection).stage("recommend"), told_errors(f"star tables of {lake}"), _session(lake, plays) as spark:
            with stages.stage("learn"):
                known = _learn(Lake(spark, lake), learnt_from)
                choice = choose(known.plays, grid)
            with stages.stage("publish"):
                lists = recommend(choice, known.plays, known.listeners.select("user"))
                target = Target(url, connection, settings.warehouse.connections)
                written = recommendations.stage(target, _named(lists, known, version))
                run = _run(choice, version, learnt_from[SONGPLAYS.name], written, started_at, time.monotonic() - began)
                recommendations.publish(connection, run, settings.warehouse)
    return run


def version_of(learnt_from: Mapping[str, Position], grid: Sequence[Parameters] = GRID) -> str:
    """Name what a run learns from and how: the version of songplays, and a digest of the lake's state, all settings and METHOD."""
    positions = {name: at.as_dict() for name, at in learnt_from.items()}
    fitting = [factors.SEED, factors.ITERATIONS, factors.BLOCKS, factors.CHECKPOINT_AFTER, *map(asdict, grid)]
    settings = [METHOD, SHARE, LENGTH, FEWEST_JUDGED, judging.SURE, *fitting]
    digest = hashlib.sha256(json.dumps([positions, settings], sort_keys=True).encode()).hexdigest()
    return f"{learnt_from[SONGPLAYS.name].version}-{digest[:8]}"


def _run(choice: Choice, version: str, learnt_from: Position, row_count: int, started_at: datetime, seconds: float) -> ModelRun:
    """Give the run as `ops.model_runs` records it."""
    return ModelRun(
        model_version=f"{choice.method}-{version}",
        chosen=choice.method,
        reason=choice.reason,
        learnt_from=learnt_from,
        params=choice.params,
        metrics=choice.metrics,
        judged_users=choice.judged_users,
        row_count=row_count,
        seconds=round(seconds, 2),
        started_at=started_at,
    )


@dataclass(frozen=True)
class _Known:
    """What is known of listeners: the tables of `spark_jobs.model.listening`."""

    artists: DataFrame
    listeners: DataFrame
    plays: DataFrame


def _learn(lake: Lake, learnt_from: Mapping[str, Position]) -> _Known:
    songplays, users = (lake.read(table, learnt_from[table.name]) for table in _TABLES)
    spelt = listening.spelt_plays(songplays).checkpoint()
    artists, listeners = listening.artists(spelt).checkpoint(), listening.listeners(users).checkpoint()
    return _Known(artists, listeners, listening.listening(spelt, artists, listeners).checkpoint())


def _named(lists: DataFrame, known: _Known, version: str) -> DataFrame:
    """Give lists as `recommendations` has them."""
    rows = lists.join(known.artists, "artist", "inner").join(known.listeners, "user", "inner")
    return rows.withColumn("model_version", F.concat_ws("-", "method", F.lit(version))).select(*RECOMMENDATIONS.column_names)


def _published(lake: Location, published: Mapping[str, Position]) -> dict[str, Position]:
    """Tell which state of the lake is live.

    Raises:
        InputMissing: None is, or it is no state that this lake has been in, as it now is.
    """
    return {table.name: require_history(lake, table, published.get(table.name)) for table in _TABLES}


@contextmanager
def _session(lake: Location, plays: int) -> Iterator[SparkSession]:
    """Let Spark write intermediate tables below the lake, where all workers reach it; what a killed run left goes first."""
    clear_spool(lake)
    spark, spool = start_session(full_compiler=plays >= _MANY_PLAYS), str(lake / "_spool")
    spark.sparkContext.setCheckpointDir(f"{spool}/model")
    try:
        yield spark
        # In an object store Hadoop makes objects that stand for folders; their names end in a slash, and only Hadoop can tell them.
        folder = spark._jvm.org.apache.hadoop.fs.Path(spool)  # type: ignore[union-attr]
        folder.getFileSystem(spark._jsc.hadoopConfiguration()).delete(folder, True)
    finally:
        clear_spool(lake)
