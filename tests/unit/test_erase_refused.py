"""An erasure that cannot be begun is refused before anything is asked of PostgreSQL or an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_jobs.console import Stages
from spark_jobs.erasure import erase
from spark_jobs.errors import BadUsage
from spark_jobs.landing.person import Person
from spark_jobs.locations import ObjectPath
from tests.world import World


@pytest.mark.parametrize("where", ["landing", "lake"])
def test_a_landing_zone_or_lake_in_an_object_store_is_refused_before_anything_is_locked_or_written(tmp_path: Path, where: str) -> None:
    nowhere = World(tmp_path, "postgresql://nobody:nothing@127.0.0.1:1/nowhere").settings()
    with pytest.raises(BadUsage, match="not on s3a://bucket/place"):
        erase(nowhere.model_copy(update={where: ObjectPath("bucket", "place")}), Person(26), Stages())
