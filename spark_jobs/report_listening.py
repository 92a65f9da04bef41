"""The report's sections on how people listen, from the views for analysts: sessions, listeners, months, who comes back, who pays."""

from __future__ import annotations

from typing import Any

from spark_jobs import charts
from spark_jobs.report_figures import Figure, Rows, ask, figure
from spark_jobs.warehouse.connection import Connection

_WEEKS = 12
_TOP = 10


def listening(connection: Connection, window: dict[str, Any]) -> dict[str, Any] | None:
    """Tell of a window's sessions and listeners by day, and its latest month's artists and songs by level; None where nothing was played.

    Args:
        connection: To the warehouse.
        window: since, first_day and latest_day of the days to tell of; null where nothing was played.
    """
    if window["since"] is None:
        return None
    by_day = ask(connection, "activity_by_day", **window)
    figures = [
        figure("Listeners a day", by_day, charts.lines, ["paid_listeners", "free_listeners"]),
        figure("Hours listened a day", by_day, charts.lines, ["paid_hours", "free_hours"]),
        figure("Sessions a day", ask(connection, "sessions_by_day", **window), charts.days, "sessions"),
    ]
    month = window["latest_day"].replace(day=1)
    for what, names in (("artist", ["artist"]), ("song", ["song", "artist"])):
        # The month is a value and not asked for within, so that only its plays are counted.
        ranked = ask(connection, f"{what}s_of_month", month=month, top=_TOP)
        for level, whose in (("paid", "paying"), ("free", "free")):
            own = [{name: value for name, value in row.items() if name != "level"} for row in ranked if row["level"] == level]
            figures.append(figure(f"{what.title()}s of the latest month, {whose} listeners", own, charts.ranking, names, "plays"))
    return {"month": f"{month:%B %Y}", "figures": figures}


def changes(connection: Connection) -> list[Figure | None]:
    """Tell who comes back, by the week of their first play, and who went from free to paid or back, by week; None where nobody did."""
    shares = ask(connection, "retention", weeks=_WEEKS)
    levels = ask(connection, "level_changes_by_week", weeks=_WEEKS * 4)
    return [
        figure("Who came back, by the week of their first play", shares, charts.cohorts, told=_by_cohort(shares)),
        figure("Changes of level a week", levels, charts.lines, ["to_paid", "to_free"], told=[_week_first(row) for row in levels]),
    ]


def unmatched(connection: Connection, top: int) -> Rows:
    """Name what is played most of what the catalogue lacks, and the song that is nearest: same title and artist, other duration."""
    return ask(connection, "unmatched_plays", top=top)


def _week_first(row: dict[str, Any]) -> dict[str, Any]:
    """Name the day, which is a Monday, for what it stands for."""
    return {"week": row["day"], **{name: value for name, value in row.items() if name != "day"}}


def _by_cohort(shares: Rows) -> Rows:
    """Write one row a cohort, one column a week after."""
    weeks = sorted({row["weeks_after"] for row in shares})
    told: dict[Any, dict[str, Any]] = {}
    for row in shares:
        cohort = told.setdefault(
            row["cohort_week"],
            {"first_week": row["cohort_week"], "listeners": row["cohort_size"], **{f"week_{week}": None for week in weeks}},
        )
        cohort[f"week_{row['weeks_after']}"] = f"{row['share']:.0%}"
    return list(told.values())
