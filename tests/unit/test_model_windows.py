"""Which days teach, choose and judge."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from spark_jobs.model.windows import Windows, windows

FIRST = date(2018, 11, 1)


def days(*plays: int) -> dict[date, int]:
    return {FIRST + timedelta(number): count for number, count in enumerate(plays)}


def test_the_last_day_judges_and_the_one_before_chooses_where_days_are_alike() -> None:
    assert windows(days(*[10] * 7)) == Windows(validation=FIRST + timedelta(5), test=FIRST + timedelta(6))


def test_a_window_has_as_many_days_as_hold_an_eighth_of_the_plays() -> None:
    assert windows(days(60, 10, 10, 4, 8, 8)) == Windows(validation=FIRST + timedelta(2), test=FIRST + timedelta(4))


def test_days_without_plays_and_the_order_of_days_change_nothing() -> None:
    shuffled = dict(reversed(days(60, 10, 10, 4, 0, 8, 8).items()))
    assert windows(shuffled) == Windows(validation=FIRST + timedelta(2), test=FIRST + timedelta(5))


@pytest.mark.parametrize("plays", [(), (5,), (5, 5), (1, 1, 1, 1, 1000)])
def test_no_windows_where_no_day_is_left_to_learn_from(plays: tuple[int, ...]) -> None:
    assert windows(days(*plays)) is None
