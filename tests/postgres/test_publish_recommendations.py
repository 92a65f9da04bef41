"""Recommendations go live whole, beside readers, once for each state of the lake."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from spark_jobs.errors import InputMissing, LockHeld
from spark_jobs.lake.log import Position
from spark_jobs.recommend import print_run
from spark_jobs.report_figures import ask
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.recommendations import ModelRun, is_live, publish
from tests.postgres.staging import WAREHOUSE

RUN = ModelRun(
    model_version="als-4-aaaaaaaa",
    chosen="als",
    reason="ALS beats popularity.",
    learnt_from=Position("table-of-songplays", 4),
    params={"rank": 8},
    metrics={"new": {"als": {"recall_at_10": 0.25, "ndcg_at_10": 0.5, "coverage": 0.125}}},
    judged_users=30,
    row_count=2,
    seconds=1.5,
    started_at=datetime(2018, 12, 1, tzinfo=UTC),
)
LATER = replace(RUN, model_version="popularity-5-bbbbbbbb", chosen="popularity", learnt_from=Position("table-of-songplays", 5), row_count=1)


def fill(connection: Connection, *artists: str) -> None:
    for rank, artist in enumerate(artists, start=1):
        connection.execute("INSERT INTO staging.recommendations VALUES (7, %s, %s, 0.5, 'als-4-aaaaaaaa')", [rank, artist])


def live(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT rank, artist_name FROM dwh.recommendations ORDER BY rank").fetchall()


def test_what_is_staged_takes_the_place_of_what_was_live_and_the_run_is_recorded(warehouse: Connection) -> None:
    fill(warehouse, "Elena", "Björk")
    publish(warehouse, RUN, WAREHOUSE)
    assert live(warehouse) == [(1, "Elena"), (2, "Björk")]
    fill(warehouse, "Thom")
    publish(warehouse, LATER, WAREHOUSE)
    assert live(warehouse) == [(1, "Thom")]
    assert warehouse.execute("SELECT count(*) FROM staging.recommendations").fetchone() == (0,)
    recorded = warehouse.execute("SELECT model_version, metrics, delta_version FROM ops.model_runs ORDER BY published_at").fetchall()
    assert recorded == [(RUN.model_version, RUN.metrics, 4), (LATER.model_version, RUN.metrics, 5)]


def test_only_the_latest_run_is_live_and_an_earlier_state_of_the_lake_may_come_again(warehouse: Connection) -> None:
    assert not is_live(warehouse, "4-aaaaaaaa")
    for run in (RUN, LATER):
        fill(warehouse, *["Elena"] * run.row_count)
        publish(warehouse, run, WAREHOUSE)
    assert (is_live(warehouse, "4-aaaaaaaa"), is_live(warehouse, "5-bbbbbbbb")) == (False, True)
    fill(warehouse, "Elena", "Björk")
    publish(warehouse, RUN, WAREHOUSE)
    assert (is_live(warehouse, "4-aaaaaaaa"), is_live(warehouse, "5-bbbbbbbb")) == (True, False)
    assert warehouse.execute("SELECT count(*) FROM ops.model_runs").fetchone() == (2,)


def test_the_latest_run_is_live_also_where_the_clock_was_set_back(warehouse: Connection) -> None:
    fill(warehouse, "Elena", "Björk")
    publish(warehouse, RUN, WAREHOUSE)
    warehouse.execute("UPDATE ops.model_runs SET published_at = published_at + interval '1 day'")
    for run, before in ((LATER, RUN), (RUN, LATER)):
        fill(warehouse, *["Elena"] * run.row_count)
        publish(warehouse, run, WAREHOUSE)
        latest = warehouse.execute("SELECT model_version FROM ops.model_runs ORDER BY published_at DESC").fetchall()
        assert latest == [(run.model_version,), (before.model_version,)]
    assert (is_live(warehouse, "4-aaaaaaaa"), is_live(warehouse, "5-bbbbbbbb")) == (True, False)
    assert len({row["run"] for row in ask(warehouse, "model_measures", runs=2)}) == 2, "the report draws them as two runs"


def test_rows_that_a_crash_took_out_of_staging_keep_the_rest_from_going_live(warehouse: Connection) -> None:
    fill(warehouse, "Elena", "Björk")
    publish(warehouse, RUN, WAREHOUSE)
    fill(warehouse, "Thom")
    with pytest.raises(InputMissing, match="no longer holds all 2 recommendations"):
        publish(warehouse, RUN, WAREHOUSE)
    assert live(warehouse) == [(1, "Elena"), (2, "Björk")]


def test_readers_hold_nothing_up_and_who_locks_the_table_is_named(warehouse: Connection, url: str) -> None:
    with connect(url, application_name="somebody's report") as other:
        with other.transaction():
            other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert live(other) == []
            fill(warehouse, "Elena", "Björk")
            publish(warehouse, RUN, WAREHOUSE)
            assert live(other) == []
        with other.transaction():
            other.execute("LOCK TABLE dwh.recommendations IN ACCESS EXCLUSIVE MODE")
            fill(warehouse, "Thom")
            with pytest.raises(LockHeld, match=r"somebody's report .* on dwh.recommendations"):
                publish(warehouse, LATER, WAREHOUSE)
    assert live(warehouse) == [(1, "Elena"), (2, "Björk")]


def test_a_run_is_printed_as_a_table_for_people_and_as_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    print_run(RUN, as_json=False)
    said = capsys.readouterr().out
    live = "2 recommendations of als-4-aaaaaaaa are live, after 1.5 s."
    for text in ("recall@10", "0.2500", "0.5000", "0.1250", f"ALS beats popularity.\n{live}"):
        assert text in said
    print_run(replace(RUN, metrics={}, reason="Too few days."), as_json=False)
    assert capsys.readouterr().out == f"Too few days.\n{live}\n", "no table of nothing"
    print_run(RUN, as_json=True)
    run = json.loads(capsys.readouterr().out)["run"]
    assert (run["model_version"], run["metrics"], run["row_count"]) == (RUN.model_version, RUN.metrics, 2)
    print_run(None, as_json=True)
    assert capsys.readouterr().out == '{"run": null}\n'
