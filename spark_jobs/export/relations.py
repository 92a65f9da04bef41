"""What is exported: the tables and views of `dwh` as one snapshot has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from psycopg import sql
from psycopg.rows import dict_row

from spark_jobs.contracts import STAR
from spark_jobs.errors import BadUsage, InputMissing, ServiceUnreachable
from spark_jobs.export.manifest import ColumnType, TableState
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.statements import SQL, read
from spark_jobs.warehouse.transaction import tune

_STATES = "published_tables"
_SAFE = re.compile(r"[A-Za-z0-9_]+")
_LENGTH = re.compile(r"\(\d+\)")
_DECIMAL = re.compile(r"numeric\((\d+),(\d+)\)")
_WITHOUT_ORDER = re.compile(r"(json|jsonpath|xml|point|line|lseg|box|path|polygon|circle)(\[\])*")
"""Types that PostgreSQL does not sort by."""
_ARROW: dict[str, pa.DataType] = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "double precision": pa.float64(),
    "real": pa.float32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "timestamp without time zone": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Snapshot:
    """What was live at one moment.

    Attributes:
        taken_at: That moment.
        batch_id: The latest load that was live.
        published_at: When that went live.
        tables: The tables that were asked for.
    """

    taken_at: datetime
    batch_id: str
    published_at: datetime | None
    tables: list[TableState]


@contextmanager
def snapshot(connection: Connection, names: Sequence[str]) -> Iterator[Snapshot]:
    """Look at the warehouse as it is now; until the block ends this connection sees nothing else, and changes nothing.

    Args:
        connection: To the warehouse, outside a transaction; the reader's role is enough.
        names: Tables and views of `dwh`; none: the tables of the star.

    Raises:
        BadUsage: `dwh` has no such table.
        InputMissing: Nothing is live yet.
        ServiceUnreachable: This user may not read a table.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tune(connection)
        connection.execute(
            "SELECT set_config('DateStyle', 'ISO, YMD', true), set_config('IntervalStyle', 'postgres', true),"
            " set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),"
            " set_config('client_encoding', 'UTF8', true)"
        )
        found = {row["relation_name"]: row for row in _rows(connection, read(SQL / "export" / "relations.sql"))}
        if _STATES not in found:
            raise InputMissing("The warehouse was not set up, or by an older Songlake.", "Run bin/songlake run once, it sets it up.")
        chosen = _chosen(found, names or [table.name for table in STAR])
        live = {
            str(row.pop("table_name")): row for row in _rows(connection, sql.SQL("SELECT *, now() AS taken_at FROM dwh.published_tables"))
        }
        if not live:
            raise InputMissing("Nothing is live in the warehouse yet, so there is nothing to export.", "Run bin/songlake run first.")
        # A load whose time is not known is one whose books are lost; it counts as the oldest.
        latest = max(live.values(), key=lambda row: (row["published_at"] is not None, row["published_at"], row["batch_id"]))
        tables = [_table(connection, row, live.get(row["relation_name"])) for row in chosen]
        yield Snapshot(latest["taken_at"], str(latest["batch_id"]), latest["published_at"], tables)


def arrow_schema(table: TableState) -> pa.Schema:
    """Give a table's columns as Parquet has them; a type that Arrow has not is the text that PostgreSQL writes."""
    return pa.schema([(column.name, _arrow(column.type)) for column in table.columns])


def _chosen(found: dict[str, dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    unknown = [name for name in names if name not in found or not _SAFE.fullmatch(name)]
    if unknown:
        raise BadUsage(
            f"The warehouse's schema dwh has no table or view {', '.join(unknown)} that can be exported.",
            f"Take some of {', '.join(name for name in found if _SAFE.fullmatch(name))}.",
        )
    closed = [name for name in (_STATES, *names) if not found[name]["is_readable"]]
    if closed:
        raise ServiceUnreachable(f"This user may not read {', '.join(closed)} in dwh.", "Grant songlake_reader to it.")
    return [found[name] for name in dict.fromkeys(names)]


def _table(connection: Connection, relation: dict[str, Any], position: dict[str, Any] | None) -> TableState:
    name, columns = relation["relation_name"], relation["column_names"]
    kinds = dict(zip(columns, relation["column_types"], strict=True))
    order = relation["key_columns"] or columns
    place = sql.Identifier("dwh", name)
    query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT csv)").format(
        _list(columns),
        place,
        sql.SQL(", ").join(_in_order(column, kinds[column], is_text=column in relation["text_columns"]) for column in order),
    )
    return TableState(
        name=name,
        columns=[ColumnType(name=column, type=kind, arrow_type=str(_arrow(kind))) for column, kind in kinds.items()],
        order_by=order,
        query=query.as_string(None),
        source=_position(position) if position else _hash(connection, place, columns),
    )


def _position(row: dict[str, Any]) -> dict[str, str | int]:
    """Name the version of the lake's table that a table of the star equals."""
    return {name: row[name] for name in ("delta_table_id", "delta_version", "delta_written_at")}


def _hash(connection: Connection, place: sql.Identifier, columns: list[str]) -> dict[str, str | int]:
    """Count and hash the rows of a view, or of a table that no load brought, in whatever order they come."""
    query = sql.SQL("SELECT count(*) AS rows, coalesce(sum(hashtextextended(ROW({})::text, 0)), 0)::text AS hash FROM {}")
    (row,) = _rows(connection, query.format(_list(columns), place))
    return row


def _arrow(kind: str) -> pa.DataType:
    if (scaled := _DECIMAL.fullmatch(kind)) and int(scaled[2]) <= int(scaled[1]) <= 38:
        return pa.decimal128(int(scaled[1]), int(scaled[2]))
    return _ARROW.get(_LENGTH.sub("", kind), pa.string())


def _in_order(column: str, kind: str, *, is_text: bool) -> sql.Composed:
    as_text = "::text" if _WITHOUT_ORDER.fullmatch(kind) else ""
    return sql.SQL(f'{{}}{as_text} COLLATE "C"' if is_text or as_text else "{}").format(sql.Identifier(column))


def _list(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _rows(connection: Connection, query: sql.SQL | sql.Composed) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
