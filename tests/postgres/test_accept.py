"""Overruling the gate: by name, for a reason, on record, and only for the batch that stands rejected in staging."""

from __future__ import annotations

from typing import Any

import pytest

from spark_jobs.errors import BadUsage, GateFailed, InputMissing, LockHeld
from spark_jobs.pipeline import Summary, refuse_if_failed
from spark_jobs.warehouse.accept import accept
from spark_jobs.warehouse.check import check, recorded
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.publish import publish
from tests.postgres.staging import GATE, WAREHOUSE, batch, contents, file, load, play, stage

BAD: dict[str, Any] = {"files": [file(lines=10, accepted=9, rejected=1)]}


def overrule(connection: Connection, batch_id: str, *checks: str, reason: str = "a known outage") -> Any:
    return accept(connection, batch_id, reason=reason, checks=checks, by="ann", warehouse=WAREHOUSE)


def acceptances(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT batch_id, check_name, reason, accepted_by FROM ops.acceptances ORDER BY 1, 2").fetchall()


def rejected(connection: Connection, *plays: Any, **others: Any) -> None:
    """Stage and reject a batch b1: too many refused lines, and an unknown level."""
    stage(connection, "b1", batch(*(plays or [play(level="gold")]), **(BAD | others)))
    check(connection, "b1", GATE)


def test_all_failed_checks_are_overruled_and_the_batch_goes_live(warehouse: Connection) -> None:
    rejected(warehouse)
    assert overrule(warehouse, "b1", reason="  a known outage ")["songplays"].inserted == 1
    assert acceptances(warehouse) == [("b1", "levels_known", "a known outage", "ann"), ("b1", "rejected_share", "a known outage", "ann")]
    assert warehouse.execute("SELECT status FROM ops.batches").fetchone() == ("published",)
    # What was found stays on record as found.
    assert warehouse.execute("SELECT count(*) FROM ops.check_results WHERE NOT passed").fetchone() == (2,)


def test_named_check_is_recorded_and_the_rest_still_rejects(warehouse: Connection) -> None:
    rejected(warehouse)
    with pytest.raises(GateFailed, match="still stands rejected by levels_known; what was overruled is on record") as caught:
        overrule(warehouse, "b1", "rejected_share")
    assert caught.value.fix.endswith("bin/songlake accept b1 --reason TEXT levels_known")
    assert acceptances(warehouse) == [("b1", "rejected_share", "a known outage", "ann")]
    assert contents(warehouse)["songplays"] == []
    overrule(warehouse, "b1", "levels_known", reason="gold is new")
    assert len(acceptances(warehouse)) == 2
    assert len(contents(warehouse)["songplays"]) == 1


def test_check_that_did_not_fail_cannot_be_overruled(warehouse: Connection) -> None:
    unreadable = file("x", status="unreadable", cause="cut gzip", lines=0, accepted=0)
    rejected(warehouse, files=[*BAD["files"], unreadable])
    for name in ("staged_keys", "unreadable_files", "no_such_check"):
        with pytest.raises(BadUsage, match=rf"b1 was not rejected by {name}. It was rejected by levels_known, rejected_share."):
            overrule(warehouse, "b1", "levels_known", name)
    assert acceptances(warehouse) == []


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_reason_is_needed(warehouse: Connection, reason: str) -> None:
    rejected(warehouse)
    with pytest.raises(BadUsage, match="needs a reason"):
        overrule(warehouse, "b1", reason=reason)
    assert acceptances(warehouse) == []


def test_batch_that_gave_way_to_another_is_refused(warehouse: Connection) -> None:
    rejected(warehouse)
    stage(warehouse, "b2", batch(play()))
    with pytest.raises(InputMissing, match=r"b1 no longer stands in staging; another has taken its place. Run the load again") as caught:
        overrule(warehouse, "b1")
    assert caught.value.exit_code == 3
    assert acceptances(warehouse) == []


def test_batch_that_was_not_rejected_is_refused(warehouse: Connection) -> None:
    with pytest.raises(BadUsage, match="no batch b0"):
        overrule(warehouse, "b0")
    stage(warehouse, "b1", batch(play()))
    with pytest.raises(BadUsage, match="b1 was not rejected, it is staged"):
        overrule(warehouse, "b1")
    load(warehouse, "b2", batch(play()))
    with pytest.raises(BadUsage, match="b2 is published already"):
        overrule(warehouse, "b2")


def test_overruled_batch_still_needs_its_base(warehouse: Connection) -> None:
    rejected(warehouse)
    warehouse.execute("INSERT INTO ops.published VALUES ('songs', 'table-of-songs', 0, 'other', 0)")
    with pytest.raises(LockHeld, match="published first"):
        overrule(warehouse, "b1")
    assert contents(warehouse)["songplays"] == []


def test_rows_lost_after_the_check_are_noticed_although_another_check_is_overruled(warehouse: Connection) -> None:
    rejected(warehouse)
    warehouse.execute("TRUNCATE staging.time")
    with pytest.raises(InputMissing, match="no longer holds all rows"):
        overrule(warehouse, "b1")


@pytest.mark.parametrize("named", [(), ("staged_counts",), ("rejected_share",)])
def test_rows_lost_before_the_check_cannot_be_overruled(warehouse: Connection, named: tuple[str, ...]) -> None:
    stage(warehouse, "b1", batch(play(), **BAD))
    # As a crash of PostgreSQL leaves unlogged tables.
    warehouse.execute("TRUNCATE staging.songplays")
    check(warehouse, "b1", GATE)
    with pytest.raises(GateFailed, match=r"rows of batch b1: staged_counts cannot be overruled.* Run the load again"):
        overrule(warehouse, "b1", *named)
    assert acceptances(warehouse) == []
    assert warehouse.execute("SELECT count(*) FROM ops.published").fetchone() == (0,)


def test_rows_lost_are_not_published_by_an_acceptance_of_an_older_version(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play()))
    warehouse.execute("TRUNCATE staging.songplays")
    check(warehouse, "b1", GATE)
    warehouse.execute("INSERT INTO ops.acceptances VALUES ('b1', 'staged_counts', 'a known outage', 'ann', now())")
    with pytest.raises(InputMissing, match="no longer holds all rows"):
        publish(warehouse, "b1", WAREHOUSE)


def test_refusal_sends_to_the_load_where_rows_are_lost_and_to_accept_otherwise(warehouse: Connection) -> None:
    rejected(warehouse)
    with pytest.raises(GateFailed, match="overrule it on record: bin/songlake accept b1") as told:
        refuse_if_failed(Summary(load_batch="b1", checks=recorded(warehouse, "b1")))
    assert "Run the load again" not in str(told.value)
    warehouse.execute("TRUNCATE staging.songplays")
    check(warehouse, "b1", GATE)
    for refusing in (
        lambda: refuse_if_failed(Summary(load_batch="b1", checks=recorded(warehouse, "b1"))),
        lambda: publish(warehouse, "b1", WAREHOUSE),
    ):
        with pytest.raises(GateFailed, match="staged_counts") as caught:
            refusing()
        assert caught.value.fix == "Run the load again: it stages everything that is not yet published."


def test_constraints_of_the_warehouse_cannot_be_overruled(warehouse: Connection) -> None:
    rejected(warehouse, play(), play(), files=[file()])
    with pytest.raises(GateFailed, match=r"refuses the batch: .* cannot be overruled"):
        overrule(warehouse, "b1")
    assert contents(warehouse)["songplays"] == []
