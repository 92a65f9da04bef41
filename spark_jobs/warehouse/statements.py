"""SQL read from `sql/` and composed from the contracts; identifiers are quoted by psycopg, values are bound elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from psycopg import sql

from spark_jobs.contracts import FILES, Column, Table
from spark_jobs.settings import PROJECT

SQL = PROJECT / "sql"
"""Where every statement of more than a line is kept."""


def read(path: Path) -> sql.SQL:
    """Read one file of `sql/` as a statement that may be executed or formatted."""
    return sql.SQL(path.read_text(encoding="utf-8"))


def live(table: Table) -> sql.Identifier:
    """Where a staged table's rows are live: schema `dwh`, for the record of files `ops`."""
    return sql.Identifier("ops" if table is FILES else "dwh", table.name)


def staged(table: Table) -> sql.Identifier:
    """Where one batch of a table stands."""
    return sql.Identifier("staging", table.name)


def applied(name: str, table: Table) -> sql.Composed:
    """Fill `sql/publish/<name>.sql` in for one table.

    The file may use `{live}`, `{staged}`, `{columns}`, `{key}`, `{same_key}`, `{assignments}`, `{live_values}` and `{staged_values}`.
    """
    columns = [sql.Identifier(column.name) for column in table.warehouse_columns]
    key = [sql.Identifier(name) for name in table.key]
    others = [sql.Identifier(column.name) for column in table.warehouse_columns if column.name not in table.key]
    return read(SQL / "publish" / f"{name}.sql").format(
        live=live(table),
        staged=staged(table),
        columns=_list(columns),
        key=_list(key),
        same_key=sql.SQL(" AND ").join(sql.SQL("live.{0} = staged.{0}").format(name) for name in key),
        assignments=_list([sql.SQL("{0} = excluded.{0}").format(name) for name in others]),
        live_values=_list([sql.SQL("live.{}").format(name) for name in others]),
        staged_values=_list([sql.SQL("excluded.{}").format(name) for name in others]),
    )


def comments(schema: str, table: Table, columns: tuple[Column, ...]) -> sql.Composed:
    """Compose the statements that write a contract's sentences into PostgreSQL."""
    name = sql.Identifier(schema, table.name)
    about = sql.SQL("COMMENT ON TABLE {} IS {};").format(name, f"{table.about} Grain: {table.grain}.")
    each = [
        sql.SQL("COMMENT ON COLUMN {} IS {};").format(sql.Identifier(schema, table.name, column.name), column.about) for column in columns
    ]
    return sql.SQL("\n").join([about, *each])


def literals(texts: Iterable[str]) -> sql.Composed:
    """Write texts as a list for IN; an empty one fits the empty text alone."""
    return sql.SQL(", ").join(sql.Literal(text) for text in sorted(texts) or [""])


def _list(parts: list[sql.Identifier] | list[sql.Composed]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
