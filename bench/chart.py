"""The chart of docs/performance.md."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

import altair as alt

from bench.results import Result

_DRAWN = ("load-1e5", "load-1e6", "load-1e7", "day-1", "day-10", "day-100", "rebuild-100", "late", "song", "nothing")
_COLOURS = {"songlake": "#1f77b4", "duckdb": "#e0a000", "polars": "#2ca02c", "naive": "#888888"}


def draw(results: Mapping[str, Result], picture: Path) -> None:
    """Draw the seconds of whole cold processes, medians with least and most, on a logarithmic scale."""
    rows = []
    for work in (name for name in _DRAWN if name in results):
        for contender, costs in results[work]["costs"].items():
            walls = [cost["wall_seconds"] for cost in costs]
            median = statistics.median(walls)
            rows.append({"work": work, "contender": contender, "seconds": median, "least": min(walls), "most": max(walls)})
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=alt.Y("contender:N", title=None, sort=list(_COLOURS)))
    seconds = alt.X("seconds:Q", title="seconds (logarithmic)", scale=alt.Scale(type="log", domainMin=0.1))
    colours = alt.Color("contender:N", scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())), legend=None)
    dots = base.mark_point(filled=True, size=60).encode(x=seconds, color=colours)
    ranges = base.mark_rule().encode(x="least:Q", x2="most:Q", color=colours)
    rows_of_works = (ranges + dots).properties(width=520, height=alt.Step(14)).facet(row=alt.Row("work:N", title=None, sort=list(_DRAWN)))
    rows_of_works.configure_header(labelAngle=0, labelAlign="left").resolve_scale(y="independent").save(picture)
