"""The report's sections on how people listen, from the views for analysts: sessions, listeners, months, who comes back, who pays."""

from __future__ import annotations

from typing import Any

from spark_jobs import charts
from spark_jobs.report_figures import Figure, Rows, ask, figure
from spark_jobs.warehouse.connection import Connection

_DAYS = 90
_WEEKS = 12
_TOP = 10


def listening(connection: Connection) -> dict[str, Any] | None:
    """Tell of the latest days' sessions and listeners, and the latest month's artists and songs by level; None where nothing was played."""
    by_day = ask(connection, "activity_by_day", days=_DAYS)
    if not by_day:
        return None
    figures = [
        figure("Listeners a day", by_day, charts.lines, ["paid_listeners", "free_listeners"]),
        figure("Hours listened a day", by_day, charts.lines, ["paid_hours", "free_hours"]),
        figure("Sessions a day", ask(connection, "sessions_by_day", days=_DAYS), charts.days, "sessions"),
    ]
    for what, names in (("artist", ["artist"]), ("song", ["song", "artist"])):
        for level, whose in (("paid", "paying"), ("free", "free")):
            ranked = ask(connection, f"{what}s_of_month", level=level, top=_TOP)
            figures.append(figure(f"{what.title()}s of the latest month, {whose} listeners", ranked, charts.ranking, names, "plays"))
    return {"month": f"{by_day[-1]['day']:%B %Y}", "figures": figures}


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
