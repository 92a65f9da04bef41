"""Thousands of hostile lines in hundreds of hostile landing trees, delivered twice and compared with the oracle.

A difference names the seed; `SONGLAKE_TEST_SEED=7 SONGLAKE_TEST_ROUNDS=20` repeats it and goes on with the seeds after it.
"""

from __future__ import annotations

import os

import pytest

from spark_jobs.contracts import STAR
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.session import start_session
from spark_jobs.star_refresh import refresh_star
from tests.hostile import Hostile
from tests.hostile_trees import disturb, plant
from tests.world import World, compare_accepted, compare_files, delta_rows

_FIRST = int(os.environ.get("SONGLAKE_TEST_SEED", "1"))
_ROUNDS = int(os.environ.get("SONGLAKE_TEST_ROUNDS", "1"))
_TREES = 250


def _deliver(world: World) -> None:
    """Bring lake and star up to date, and compare all of it."""
    world.deliveries.observe(world.landing)
    ingest(find_files(world.landing), world.lake, start_session)
    wanted = world.deliveries.warehouse()
    compare_files(world.lake, wanted)
    compare_accepted(world.lake, wanted)
    refresh_star(world.lake, start_session)
    for table in STAR:
        assert delta_rows(world.lake, table) == wanted.tables[table.name], table.name


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + _ROUNDS))
def test_hostile_landing_zones_become_what_the_oracle_says(world: World, seed: int) -> None:
    hostile = Hostile(seed)
    plant(world.landing, hostile, _TREES)
    _deliver(world)
    disturb(world.landing, hostile)
    _deliver(world)
