"""Charts as SVG that stands inside a page: no script, no address, and the page's own colours in light and dark.

Every colour is a CSS variable or `currentColor`, which the page gives a value; a heat map varies how opaque its colour is. Vega writes
the values it is given as text, escaped; nothing of a value becomes an attribute, a link or an element.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

Rows = Sequence[dict[str, Any]]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# As wide as a phone shows at full size: the page scales a chart up, hardly ever down, so its text can be read everywhere.
_WIDTH, _HEIGHT, _BAR_HEIGHT = 400, 220, 24
_TEXT_WIDTH = 310

_INK, _FIRST, _SECOND = "currentColor", "var(--first)", "var(--second)"
_TEXT = {"labelColor": _INK, "labelFontSize": 12, "titleColor": _INK, "titleFontSize": 12, "titleFontWeight": "normal"}
_RULES = {"domainColor": _INK, "domainOpacity": 0.4, "gridColor": _INK, "gridOpacity": 0.12, "tickColor": _INK, "tickOpacity": 0.4}
_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": "transparent",
    "axis": {**_TEXT, **_RULES},
    "legend": {"orient": "top", **_TEXT},
    "view": {"stroke": None},
}
_OPENING = re.compile(r"<svg [^>]*(viewBox=\"[^\"]*\")[^>]*>")


def days(rows: Rows, value: str, label: str) -> Markup:
    """Draw one column a day; `rows` have `day` and `value`."""
    chart = alt.Chart(_data(rows)).mark_bar(color=_FIRST).encode(x=_day_axis(), y=_count_axis(value))
    return _svg(chart, label)


def lines(rows: Rows, names: Sequence[str], label: str) -> Markup:
    """Draw one line over the days for each of two columns; the second is dashed, so that they differ without colour too."""
    colours = alt.Scale(domain=list(names), range=[_FIRST, _SECOND])
    dashes = alt.Scale(domain=list(names), range=[[1, 0], [5, 3]])
    chart = (
        alt.Chart(_data(rows))
        .transform_fold(list(names), as_=["name", "value"])
        .mark_line(strokeWidth=2)
        .encode(
            x=_day_axis(),
            y=_count_axis("value"),
            color=alt.Color("name:N", scale=colours, title=None),
            strokeDash=alt.StrokeDash("name:N", scale=dashes, title=None),
        )
    )
    return _svg(chart, label)


def heat_map(rows: Rows, label: str) -> Markup:
    """Draw hours against weekdays; `rows` have `hour` and a column for each of WEEKDAYS."""
    most = max([1, *(row[day] for row in rows for day in WEEKDAYS)])
    opacity = alt.Scale(domain=[0, most], range=[0.04, 1])
    legend = alt.Legend(orient="top", symbolFillColor=_FIRST, symbolStrokeWidth=0, symbolType="square", format=",d", tickCount=4)
    chart = (
        alt.Chart(_data(rows))
        .transform_fold(list(WEEKDAYS), as_=["weekday", "plays"])
        .mark_rect(color=_FIRST)
        .encode(
            x=alt.X("hour:O", title="hour (UTC)", axis=alt.Axis(labelAngle=0, values=list(range(0, 24, 3)))),
            y=alt.Y("weekday:N", title=None, sort=list(WEEKDAYS), axis=alt.Axis(labelExpr="slice(datum.label, 0, 3)")),
            opacity=alt.Opacity("plays:Q", scale=opacity, title="plays", legend=legend),
        )
    )
    return _svg(chart, label)


def ranking(rows: Rows, names: Sequence[str], value: str, label: str) -> Markup:
    """Draw one bar a row, in the order of the rows, with the value and the columns `names` written on it.

    The text begins where the bar does and has room to the right, so that no reader's font is wide enough to be cut.
    """
    texts = [" · ".join([f"{row[value]:,}", *(str(row[name]) for name in names)]) for row in rows]
    bars = [{"place": place, "text": text, "value": row[value]} for place, (text, row) in enumerate(zip(texts, rows, strict=True))]
    x, y = alt.X("value:Q", axis=None), alt.Y("place:O", axis=None)
    bar = alt.Chart(alt.InlineData(values=bars)).mark_bar(color=_FIRST, opacity=0.35).encode(x=x, y=y)
    text = bar.mark_text(align="left", color=_INK, dx=6, fontSize=12, limit=_TEXT_WIDTH).encode(x=alt.datum(0), text="text:N")
    return _svg(bar + text, label, _BAR_HEIGHT * len(bars) + 10)


def _data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(values=[{name: value if isinstance(value, int) else str(value) for name, value in row.items()} for row in rows])


def _day_axis() -> alt.X:
    # In UTC whatever the machine's time zone is.
    return alt.X("day:T", timeUnit="utcyearmonthdate", title=None, axis=alt.Axis(format="%-d %b %y", grid=False, tickCount=6))


def _count_axis(value: str) -> alt.Y:
    return alt.Y(f"{value}:Q", title=None, axis=alt.Axis(format="~s", tickCount=5, tickMinStep=1))


def _svg(chart: alt.Chart | alt.LayerChart, label: str, height: int = _HEIGHT) -> Markup:
    """Render a chart and open it anew, as a picture with a name that takes the width it is given."""
    sized = chart.properties(width=_WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    styled = sized.configure(**_CONFIG)
    drawn = vl_convert.vegalite_to_svg(styled.to_dict())
    opening = _OPENING.match(drawn)
    if opening is None:
        raise ValueError("the chart is not an SVG")
    picture = f'<svg {opening[1]} role="img" aria-label="{escape(label)}">{drawn[opening.end() :]}'
    return Markup(picture)  # noqa: S704 - Vega escaped the values  # nosec B704
