"""The checks that compare a batch with what is live: volume, match rate, freshness."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from spark_jobs.warehouse.connection import Connection
from tests.postgres.staging import MIDNIGHT, Row, batch, failing, file, gate, load, play, stage


def plays_on(days_back: int, count: int, *, first: int = 0, **values: Any) -> list[Row]:
    """Many plays on one day, one a second."""
    day = MIDNIGHT - timedelta(days=days_back)
    return [play(day=day + timedelta(seconds=first + number), item_in_session=number, **values) for number in range(count)]


@pytest.mark.parametrize(("plays", "passes"), [(74, False), (75, True), (400, True), (401, False)])
@pytest.mark.parametrize("live", [True, False], ids=["history is live", "history is staged"])
def test_volume_is_compared_with_the_day_and_the_week_before(warehouse: Connection, plays: int, passes: bool, live: bool) -> None:
    history, today = plays_on(7, 150) + plays_on(1, 200), plays_on(0, plays)
    if live:
        load(warehouse, "b1", batch(*history))
        stage(warehouse, "b2", batch(*today))
    else:
        stage(warehouse, "b2", batch(*history, *today))
    detail = f"play date 2018-11-15, plays {plays}, day before 200, week before 150"
    assert failing(gate(warehouse, "b2")) == ({} if passes else {"volume": detail})


def test_volume_of_a_day_that_is_live_is_its_live_volume(warehouse: Connection) -> None:
    load(warehouse, "b1", batch(*plays_on(7, 150), *plays_on(1, 150), *plays_on(0, 150)))
    stage(warehouse, "b2", batch(*plays_on(0, 1, level="paid")))
    assert failing(gate(warehouse, "b2")) == {}


def test_volume_is_silent_without_both_days(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(*plays_on(2, 150), *plays_on(1, 500), *plays_on(0, 1)))
    assert failing(gate(warehouse, "b1")) == {}


def test_match_rate_warns_when_it_falls_below_half_of_the_live_rate(warehouse: Connection) -> None:
    matched = {"song_id": "S1", "artist_id": "A1"}
    # 3 in 100 match, so 1,000 plays make thirty expected matches.
    load(warehouse, "b1", batch(*plays_on(30, 97), *plays_on(29, 3, **matched)))
    stage(warehouse, "b2", batch(*plays_on(0, 986), *plays_on(0, 14, first=2000, **matched)))
    assert failing(gate(warehouse, "b2")) == {"match_rate": "plays 1000, matched 14, share 0.014, live share 0.03"}
    stage(warehouse, "b3", batch(*plays_on(0, 985), *plays_on(0, 15, first=2000, **matched)))
    assert failing(gate(warehouse, "b3")) == {}
    stage(warehouse, "b4", batch(*plays_on(0, 999)))
    assert failing(gate(warehouse, "b4")) == {}


def test_freshness_warns_when_new_event_files_bring_nothing_newer(warehouse: Connection) -> None:
    load(warehouse, "b1", batch(play(5), files=[file("a")]))
    stage(warehouse, "b2", batch(play(4), files=[file("b")]))
    assert failing(gate(warehouse, "b2")) == {
        "freshness": "new files 1, newest staged play 2018-11-15T00:04:00+00:00, newest live play 2018-11-15T00:05:00+00:00"
    }
    for late in (batch(play(5), files=[file("b")]), {"files": [file("b")]}):
        stage(warehouse, "b3", late)
        assert list(failing(gate(warehouse, "b3"))) == ["freshness"]
    stage(warehouse, "b4", batch(play(6), files=[file("b")]))
    assert failing(gate(warehouse, "b4")) == {}


def test_freshness_is_silent_on_corrections_and_song_files(warehouse: Connection) -> None:
    load(warehouse, "b1", batch(play(5), files=[file("a")]))
    stage(warehouse, "b2", batch(play(4), files=[file("a", size=11), file("s", kind="songs"), file("e", lines=0, accepted=0)]))
    assert failing(gate(warehouse, "b2")) == {}
