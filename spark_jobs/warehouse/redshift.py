"""The warehouse in Amazon Redshift, as SQL: what its tables are, and how they follow those that the gate let through.

Redshift reads the star's own Parquet files from S3. A table that went from one version to another gained files and lost files: a row of a
lost file is gone unless a gained one has its key, and rows of gained files are as they are now. So no job writes files for Redshift, and
a day's load reads a day's files. Renders only: this module knows no connection, and nothing here ran on Redshift (docs/adr/0013).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from spark_jobs.contracts import STAR, Column, Table, Type
from spark_jobs.errors import BadUsage
from spark_jobs.lake.log import Position
from spark_jobs.warehouse.contracts import PUBLISHED
from spark_jobs.warehouse.statements import SQL, live, read

_TYPES = {
    Type.BIGINT: "BIGINT",
    Type.INT: "INTEGER",
    Type.DOUBLE: "DOUBLE PRECISION",
    # In UTC: COPY reads no time zones from Parquet.
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
}

_BYTES = {"songplay_id": 80, "song_id": 800, "artist_id": 800, "level": 4, "table_name": 100, "delta_table_id": 36}
"""Width of texts that have a limit; ids of songs and artists are 200 characters of four bytes at most."""

_WIDEST = 65_535

_SPREAD = {
    "songplays": "DISTKEY (start_time) SORTKEY (start_time)",
    "time": "DISTKEY (start_time) SORTKEY (start_time)",
    "users": "DISTSTYLE ALL SORTKEY (user_id)",
    "songs": "DISTSTYLE ALL SORTKEY (song_id)",
    "artists": "DISTSTYLE ALL SORTKEY (artist_id)",
}
"""A play lies with its moment, so that their join stays on a node; what plays refer to is small and lies everywhere."""

_BOOKMARK = tuple(column for column in PUBLISHED.columns if column.name not in ("batch_id", "row_count"))


@dataclass(frozen=True)
class Load:
    """What brings one table from one version to another.

    Attributes:
        table: The table.
        base: What Redshift holds; None loads it whole.
        target: What it holds afterwards.
        arrived: Size of each file that is in target and not in base, by its path in the lake; for a whole load of all files.
        gone: The same for files that are in base and not in target; none for a whole load.
    """

    table: Table
    base: Position | None
    target: Position
    arrived: Mapping[str, int]
    gone: Mapping[str, int]


def schema() -> str:
    """Render the statements that make the tables; they may run again at any time.

    Keys are declared and not enforced: Redshift plans by them. What keeps them is that the star's tables have them.
    """
    tables = [_table(live(table), table.warehouse_columns, table.key, _SPREAD[table.name]) for table in STAR]
    return "\n".join(
        [
            "CREATE SCHEMA IF NOT EXISTS dwh;",
            "CREATE SCHEMA IF NOT EXISTS ops;",
            *tables,
            _table(sql.Identifier("ops", PUBLISHED.name), _BOOKMARK, PUBLISHED.key, "DISTSTYLE ALL"),
        ]
    )


def script(loads: Sequence[Load], folder: str, role: str) -> str:
    """Render one transaction that brings tables up to date: what refers goes first and comes last, as `publish` does it.

    Args:
        loads: What changed, in the order of the contracts' STAR.
        folder: Folder in S3 that holds the manifests, `s3://BUCKET/FOLDER`.
        role: `default`, or the ARN of the role that may read lake and manifests.

    Raises:
        BadUsage: The folder or the role cannot stand in a statement.
    """
    require_s3(folder)
    if role != "default" and not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+", role):
        raise BadUsage(f"This is no role of IAM: {role}.", "Write its ARN, arn:aws:iam::ACCOUNT:role/NAME, or default.")
    filled = [(load, _names(load)) for load in loads]
    parts = ["BEGIN;", _base(loads)]
    for load, names in filled:
        parts.append(_fill("session_tables", names))
        parts += [_copy(load, each, folder, role) for each in ("arrived", "gone") if getattr(load, each)]
        parts += [_fill("all_gone", names)] if load.base is None else []
    parts += [_fill("delete", names) for _, names in reversed(filled)]
    parts += [_fill("merge", names) for _, names in filled]
    parts += [_fill("bookmark", names) for _, names in filled]
    return "\n".join([*parts, "COMMIT;"]) + "\n"


def manifests(load: Load, lake: str) -> dict[str, dict[str, Any]]:
    """Give what the manifests of one load hold, by `arrived` and `gone`; COPY needs the sizes for Parquet."""
    return {
        name: {
            "entries": [
                {"url": f"{lake}/{path}", "mandatory": True, "meta": {"content_length": size}} for path, size in sorted(files.items())
            ]
        }
        for name, files in (("arrived", load.arrived), ("gone", load.gone))
        if files
    }


def manifest_url(folder: str, load: Load, name: str) -> str:
    """Tell where a manifest is; its name tells the versions, so that none is ever written over by another."""
    since = load.base.version if load.base else "none"
    return f"{folder}/{load.table.name}-{load.target.table_id}-{since}-{load.target.version}.{name}.manifest"


def require_s3(url: str) -> None:
    """Refuse what is not an address in S3 that may stand between quotes.

    Raises:
        BadUsage: It is not.
    """
    if not re.fullmatch(r"s3://[A-Za-z0-9._-]{3,63}(/[\w.=-]+)*", url, re.ASCII):
        raise BadUsage(f"This is no folder of S3 that Redshift could read: {url}.", "Write s3://BUCKET/FOLDER, without a slash at the end.")


def _copy(load: Load, files: str, folder: str, role: str) -> str:
    return _fill(
        "copy",
        {
            "session_table": _session_table(load.table, files),
            "manifest": sql.Literal(manifest_url(folder, load, files)),
            "role": sql.SQL("default") if role == "default" else sql.Literal(role),
        },
    )


def _session_table(table: Table, files: str) -> sql.Identifier:
    return sql.Identifier(f"{files}_{table.name}")


def _base(loads: Sequence[Load]) -> str:
    """Compose the check that Redshift stands where the loads begin; tables that are loaded whole may stand anywhere."""
    based = [(load.table.name, load.base) for load in loads if load.base]
    each = "(table_name = {} AND delta_table_id = {} AND delta_version = {} AND delta_written_at = {})"
    conditions = [sql.SQL(each).format(name, base.table_id, base.version, base.written_at) for name, base in based]
    return _fill("base", {"tables": sql.Literal(len(based)), "base": sql.SQL(" OR ").join(conditions) if based else sql.SQL("FALSE")})


def _names(load: Load) -> dict[str, sql.Composable]:
    table, target = load.table, load.target
    arrived, gone = _session_table(table, "arrived"), _session_table(table, "gone")
    columns = [sql.Identifier(column.name) for column in table.warehouse_columns]
    others = [name for name, column in zip(columns, table.warehouse_columns, strict=True) if column.name not in table.key]

    def same(left: sql.Composable, right: sql.Composable) -> sql.Composed:
        return sql.SQL(" AND ").join(sql.SQL("{0}.{2} = {1}.{2}").format(left, right, sql.Identifier(name)) for name in table.key)

    equal = sql.SQL("({0}.{2} = {1}.{2} OR ({0}.{2} IS NULL AND {1}.{2} IS NULL))")
    return {
        "arrived": arrived,
        "gone": gone,
        "live": live(table),
        "definitions": sql.SQL(_definitions(table.columns, required=False)),
        "columns": sql.SQL(", ").join(columns),
        "values": sql.SQL(", ").join(sql.SQL("{}.{}").format(arrived, name) for name in columns),
        "assignments": sql.SQL(", ").join(sql.SQL("{0} = {1}.{0}").format(name, arrived) for name in others),
        "same_in_arrived": same(gone, arrived),
        "same_in_gone": same(live(table), gone),
        "same_in_live": same(live(table), arrived),
        "all_equal": sql.SQL(" AND ").join(equal.format(live(table), arrived, name) for name in others),
        "table_name": sql.Literal(table.name),
        "delta_table_id": sql.Literal(target.table_id),
        "delta_version": sql.Literal(target.version),
        "delta_written_at": sql.Literal(target.written_at),
    }


def _fill(name: str, names: Mapping[str, sql.Composable]) -> str:
    """Fill a statement in; of what is said above it, what it is for goes along."""
    purpose, *lines = read(SQL / "redshift" / f"{name}.sql").format(**names).as_string(None).splitlines()
    return "\n".join([purpose, *(line for line in lines if not line.startswith("--"))])


def _table(name: sql.Identifier, columns: Sequence[Column], key: Sequence[str], spread: str) -> str:
    keys = ", ".join(sql.Identifier(column).as_string(None) for column in key)
    definitions = _definitions(columns, required=True)
    return f"CREATE TABLE IF NOT EXISTS {name.as_string(None)} ({definitions}, PRIMARY KEY ({keys})) {spread};"


def _definitions(columns: Sequence[Column], *, required: bool) -> str:
    return ", ".join(
        f"{sql.Identifier(column.name).as_string(None)} {_type(column)}{' NOT NULL' if required and not column.nullable else ''}"
        for column in columns
    )


def _type(column: Column) -> str:
    return _TYPES.get(column.type) or f"VARCHAR({_BYTES.get(column.name, _WIDEST)})"
