"""The driver takes few rows of usual width, and no more, whatever a line may hold."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from spark_jobs.lake import tables


@pytest.fixture(autouse=True)
def small_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_FEW_BYTES", 1_000)


@pytest.mark.parametrize(
    ("rows", "width", "limit", "are_brought"),
    [(5, 200, 5, True), (6, 200, 5, False), (6, 200, 10, False), (1, 1_001, 10, False), (0, 0, 10, True)],
    ids=["as many and as wide as may be", "one row too many", "too wide together", "one too wide alone", "none"],
)
def test_rows_are_brought_if_they_are_few_and_their_texts_small(
    spark: SparkSession, rows: int, width: int, limit: int, are_brought: bool
) -> None:
    texts = spark.range(rows).selectExpr("id", f"repeat('x', {width}) AS one", "CAST(NULL AS STRING) AS other")
    found = tables.few_rows(texts, limit)
    if not are_brought:
        assert found is None
        return
    assert found is not None
    assert found.column_names == ["id", "one", "other"]
    assert sorted(found["id"].to_pylist()) == list(range(rows))


def test_numbers_are_counted_alone(spark: SparkSession) -> None:
    found = tables.few_rows(spark.range(2_000), 2_000)
    assert found is not None
    assert len(found) == 2_000
    assert tables.few_rows(spark.range(2_001), 2_000) is None
