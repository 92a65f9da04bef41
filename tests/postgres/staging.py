"""A hand that fills staging as Spark would, and rows that pass every check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql

from spark_jobs.contracts import STAGED
from spark_jobs.lake.log import Position
from spark_jobs.settings import Gate, Warehouse
from spark_jobs.warehouse.batches import begin_batch, finish_staging, published
from spark_jobs.warehouse.check import CheckResult, check, failed
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.publish import TableChange, publish
from spark_jobs.warehouse.statements import live

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]

GATE = Gate()
WAREHOUSE = Warehouse(lock_timeout_seconds=1)
MIDNIGHT = datetime(2018, 11, 15, tzinfo=UTC)


def play(minute: int = 0, user_id: int = 7, *, day: datetime = MIDNIGHT, **values: Any) -> Row:
    """One play, `minute` minutes into the day; its id tells it."""
    row = {
        "start_time": day + timedelta(minutes=minute),
        "user_id": user_id,
        "level": "free",
        "song_id": None,
        "artist_id": None,
        "session_id": 1,
        "location": "Oslo",
        "user_agent": "Lynx",
        "item_in_session": 0,
        "song_title": "Song",
        "artist_name": "Artist",
        "length": 200.5,
    } | values
    moment = round(row["start_time"].timestamp() * 1000)
    return {"songplay_id": f"{moment}-{row['session_id']}-{row['item_in_session']}-{row['user_id']}"} | row


def moment(of: Row) -> Row:
    """The row of `time` for a play."""
    start = of["start_time"]
    year, week, weekday = start.isocalendar()
    return {"start_time": start, "hour": start.hour, "day": start.day, "week": week, "month": start.month, "year": year, "weekday": weekday}


def user(user_id: int = 7, **values: Any) -> Row:
    """One user."""
    row = {"user_id": user_id, "first_name": "Zzyzx", "last_name": "Qwghlm", "gender": "F", "level": "free", "registered_at": None}
    return row | {"last_seen_at": MIDNIGHT} | values


def song(song_id: str = "S1", **values: Any) -> Row:
    """One song."""
    return {"song_id": song_id, "title": "Song", "artist_id": "A1", "year": None, "duration": 200.5} | values


def artist(artist_id: str = "A1", **values: Any) -> Row:
    """One artist."""
    return {"artist_id": artist_id, "name": "Artist", "location": None, "latitude": None, "longitude": None} | values


def file(path: str = "log_data/a.json", **values: Any) -> Row:
    """One file that was read."""
    row = {
        "path": path,
        "kind": "events",
        "status": "loaded",
        "cause": None,
        "size": 10,
        "modified_at": MIDNIGHT,
        "lines": 10,
        "accepted": 10,
    }
    return row | {"repeated": 0, "rejected": 0, "batch_id": "ingest-1", "ingested_at": MIDNIGHT, "unknown_keys": None} | values


def gone(**key: Any) -> Row:
    """A deletion: the key only."""
    return {**key, "deleted": True}


def batch(*plays: Row, **others: Sequence[Row]) -> dict[str, Sequence[Row]]:
    """Everything that plays need to pass: their users and moments, one artist with one song, one file."""
    rows: dict[str, Sequence[Row]] = {
        "artists": [artist()],
        "songs": [song()],
        "users": [user(user_id) for user_id in sorted({each["user_id"] for each in plays})],
        "time": list({each["start_time"]: moment(each) for each in plays}.values()),
        "songplays": list(plays),
        "files": [file()],
    }
    return rows | others


def fill(connection: Connection, rows: Rows) -> None:
    """Write rows to staging."""
    for table, values in rows.items():
        if values:
            names = list(dict.fromkeys(name for row in values for name in row if name != "deleted"))
            copy = sql.SQL("COPY {} ({}, deleted) FROM STDIN").format(
                sql.Identifier("staging", table), sql.SQL(", ").join(sql.Identifier(name) for name in names)
            )
            with connection.cursor() as cursor, cursor.copy(copy) as lines:
                for row in values:
                    lines.write_row([row.get(name) for name in names] + [row.get("deleted", False)])


def stage(connection: Connection, batch_id: str, rows: Rows, *, expected: Mapping[str, int] | None = None) -> None:
    """Do what load_postgres does: begin, fill, finish; every table of the batch comes one version further."""
    base = published(connection)
    target = {name: Position(f"table-of-{name}", base[name].version + 1 if name in base else 0) for name in rows}
    begin_batch(connection, batch_id)
    fill(connection, rows)
    counts = {name: len(values) for name, values in rows.items()}
    finish_staging(connection, batch_id, base, target, counts if expected is None else expected)


def gate(connection: Connection, batch_id: str, **limits: Any) -> dict[str, CheckResult]:
    """Check a batch and give the results by name."""
    return {result.name: result for result in check(connection, batch_id, Gate(**limits))}


def failing(results: dict[str, CheckResult]) -> dict[str, str | None]:
    """Everything that was found, with its detail."""
    return {name: result.detail for name, result in results.items() if not result.passed}


def load(connection: Connection, batch_id: str, rows: Rows) -> dict[str, TableChange]:
    """Stage, check and publish rows that pass."""
    stage(connection, batch_id, rows)
    assert failed(check(connection, batch_id, GATE)) == []
    return publish(connection, batch_id, WAREHOUSE)


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is live, by table."""
    found = {}
    for table in STAGED:
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.warehouse_columns)
        found[table.name] = connection.execute(sql.SQL("SELECT {} FROM {} ORDER BY 1").format(columns, live(table))).fetchall()
    return found
