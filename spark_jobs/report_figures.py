"""What every section of the report page is made from: rows that SQL gives, and charts with those rows behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from psycopg import sql
from psycopg.rows import dict_row

from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.statements import SQL, read

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Figure:
    """A chart and the rows behind it."""

    title: str
    svg: Markup
    rows: Rows


def figure(title: str, rows: Rows, draw: Callable[..., Markup], *columns: object, told: Rows | None = None) -> Figure | None:
    """Draw rows, with themselves or what is `told` instead behind the chart; None where there are none."""
    return Figure(title, draw(rows, *columns, label=title), told or rows) if rows else None


def ask(connection: Connection, name: str, **values: object) -> Rows:
    """Run one file of `sql/report` with its values bound."""
    return fetch(connection, read(SQL / "report" / f"{name}.sql"), values)


def fetch(connection: Connection, query: sql.SQL | sql.Composed, values: dict[str, object] | None = None) -> Rows:
    """Run a query and give its rows by column."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
