"""The example that reads the lake directly: three ways, one answer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from examples import read_lake


def test_three_ways_to_read_the_lake_give_the_same_answer(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("free", 1000.0), ("paid", 3600.0), ("paid", None), ("paid", 90.5)]
    start = datetime(2018, 11, 1, tzinfo=UTC)
    plays = pa.table(
        {
            "start_time": pa.array([start] * len(rows), pa.timestamp("us", "UTC")),
            "level": [level for level, _ in rows],
            "length": pa.array([length for _, length in rows], pa.float64()),
            "start_date": pa.array([date(2018, 11, day) for day in (1, 1, 2, 2)], pa.date32()),
        }
    )
    write_deltalake(tmp_path / "star" / "songplays", plays, partition_by=["start_date"])
    read_lake.main(str(tmp_path))
    assert capsys.readouterr().out.splitlines() == [f"{name}: 3 plays, 1.025 hours" for name in ("PySpark", "Polars", "DuckDB")]
