"""Which days the model learns from, which choose its parameters, and which judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

SHARE = 1 / 8
"""Of all plays, at least so many are in the test window, and as many in the validation window."""


@dataclass(frozen=True)
class Windows:
    """Three windows of whole UTC days, one after the other.

    Attributes:
        validation: First day of the window that chooses the parameters; what is earlier is learnt from.
        test: First day of the window that judges; it ends with the last play.
    """

    validation: date
    test: date


def windows(plays_by_day: Mapping[date, int]) -> Windows | None:
    """Cut time from its end: the fewest last days that hold an eighth of all plays test, as many of the rest before them validate.

    Returns:
        The windows, or None where no day would be left to learn from.
    """
    wanted = sum(plays_by_day.values()) * SHARE
    begins: list[date] = []
    held = 0
    for day in sorted(plays_by_day, reverse=True):
        if len(begins) == 2:
            return Windows(validation=begins[1], test=begins[0])
        held += plays_by_day[day]
        if held >= wanted:
            begins.append(day)
            held = 0
    return None
