"""Measure songplays and time in PostgreSQL as one table each and in partitions of a month; the figures of docs/adr/0012.

python -m bench.partitioning --rows 10000000 --months 12

The rows are made inside PostgreSQL. What is run on them is what publish runs, and what analysts ask.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import typer
from psycopg import Connection, sql

from spark_jobs.contracts import SONGPLAYS, TIME, Table
from spark_jobs.warehouse import embedded
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.schema import ensure
from spark_jobs.warehouse.statements import SQL
from spark_jobs.warehouse.transaction import tune

_LAYOUTS = {
    "one table": (SONGPLAYS, "", None, "songplay_id"),
    "one table, BRIN": (SONGPLAYS, "start_time", None, "songplay_id"),
    "by start_time": (SONGPLAYS, "start_time", "timestamptz", "songplay_id, start_time"),
    "by songplay_id": (SONGPLAYS, "songplay_id", "id", "songplay_id"),
    "time, one table": (TIME, "", None, "start_time"),
    "time, by start_time": (TIME, "start_time", "timestamptz", "start_time"),
}
"""Table, column that partitions or has a BRIN index, how a bound is written (None: no partitions), primary key."""
_PLAYS = """
INSERT INTO {schema}.songplays (songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_title, artist_name, length, deleted)
SELECT ts || '-' || n / 20 || '-' || mod(n, 20) || '-' || user_id, timestamptz 'epoch' + ts * interval '1 ms', user_id,
    CASE WHEN mod(user_id, 4) = 0 THEN 'paid' ELSE 'free' END, NULL, NULL, n / 20, 'San Francisco-Oakland-Hayward, CA',
    'Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36',
    mod(n, 20), 'Title ' || mod(n, 50021), 'Artist ' || mod(n, 5003), 180 + mod(n, 120), false
FROM (
    SELECT n, %(begin)s + (n * %(step)s)::bigint AS ts, mod(n / 20 * 48271, 100003) AS user_id
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS plays
"""
_TIMES = """
INSERT INTO {schema}.time (start_time, hour, day, week, month, year, weekday, deleted)
SELECT start_time, extract(hour FROM start_time), extract(day FROM start_time), extract(week FROM start_time),
    extract(month FROM start_time), extract(year FROM start_time), extract(isodow FROM start_time), false
FROM (SELECT DISTINCT start_time FROM {schema}.songplays) AS plays
"""
_START = datetime(2020, 1, 1, tzinfo=UTC)
_QUESTIONS = {
    "one month": "SELECT level, count(*) FROM dwh.measured WHERE start_time >= %(from)s AND start_time < %(to)s GROUP BY level",
    "one user": "SELECT count(*) FROM dwh.measured WHERE user_id = %(user)s",
    "one play": "SELECT * FROM dwh.measured WHERE songplay_id = %(id)s",
    "all months": "SELECT date_trunc('month', start_time), count(*) FROM dwh.measured GROUP BY 1",
}
_QUESTIONS_OF_TIME = {
    "one month": "SELECT hour, count(*) FROM dwh.measured WHERE start_time >= %(from)s AND start_time < %(to)s GROUP BY hour",
    "one instant": "SELECT * FROM dwh.measured WHERE start_time = %(from)s",
}


def bounds(months: int) -> Iterator[tuple[datetime, datetime]]:
    """Give the beginning and the end of each month."""
    for number in range(months):
        yield _month(number), _month(number + 1)


def _month(number: int) -> datetime:
    return _START.replace(year=_START.year + number // 12, month=number % 12 + 1)


def create(connection: Connection[Any], layout: str, months: int) -> None:
    """Create the table `measured` in a layout, with the columns of the live one."""
    table, column, bound, key = _LAYOUTS[layout]
    connection.execute("DROP TABLE IF EXISTS dwh.measured")
    by = f" PARTITION BY RANGE ({column})" if bound else ""
    connection.execute(f"CREATE TABLE dwh.measured (LIKE dwh.{table.name}, PRIMARY KEY ({key})){by}")
    if not bound:
        if column:
            connection.execute(f"CREATE INDEX ON dwh.measured USING brin ({column}) WITH (autosummarize = on)")
        return
    for number, (begin, end) in enumerate(bounds(months + 1)):
        low, high = (f"'{int(moment.timestamp() * 1000)}'" if bound == "id" else f"'{moment.isoformat()}'" for moment in (begin, end))
        # By the key's text alone PostgreSQL knows nothing of the time; a CHECK tells it.
        known = f" (CHECK (start_time >= '{begin.isoformat()}' AND start_time < '{end.isoformat()}'))" if bound == "id" else ""
        connection.execute(f"CREATE TABLE dwh.measured_{number} PARTITION OF dwh.measured{known} FOR VALUES FROM ({low}) TO ({high})")


def upsert(table: Table, key: str, schema: str) -> sql.Composed:
    """Give what publish runs, from a schema with the rows of a batch to the table `measured`."""
    columns = [sql.Identifier(column.name) for column in table.warehouse_columns]
    others = [sql.Identifier(column.name) for column in table.warehouse_columns if column.name not in key.split(", ")]
    # Where rows are led to partitions PostgreSQL does not give xmax; its version 18 tells by `old` what was there.
    text = (SQL / "publish" / "upsert.sql").read_text().replace("xmax = 0", "old.start_time IS NULL")
    return sql.SQL(text).format(
        live=sql.Identifier("dwh", "measured"),
        staged=sql.Identifier(schema, table.name),
        columns=sql.SQL(", ").join(columns),
        key=sql.SQL(", ").join(map(sql.Identifier, key.split(", "))),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in others),
        live_values=sql.SQL(", ").join(sql.SQL("live.{}").format(name) for name in others),
        staged_values=sql.SQL(", ").join(sql.SQL("excluded.{}").format(name) for name in others),
    )


def stage(connection: Connection[Any], schema: str, first: int, last: int, step: float) -> None:
    """Make plays number first to last, a step of milliseconds apart, in a schema that has a table for them."""
    begin = int(_START.timestamp() * 1000)
    connection.execute(_PLAYS.format(schema=schema), {"first": first, "last": last, "step": step, "begin": begin})
    connection.execute(f"ANALYZE {schema}.songplays")


def stage_times(connection: Connection[Any], schema: str) -> None:
    """Make the times of the plays of a schema."""
    connection.execute(_TIMES.format(schema=schema))
    connection.execute(f"ANALYZE {schema}.time")


def seconds(connection: Connection[Any], statement: Any, values: dict[str, Any] | None = None, times: int = 1) -> list[float]:
    """Run a statement as publish does, in a transaction of its own; the least wall seconds, and CPU seconds of the server process."""
    server, taken = psutil.Process(connection.info.backend_pid), []
    for _ in range(times):
        begun, before = time.monotonic(), server.cpu_times()
        with connection.transaction():
            tune(connection)
            connection.execute(statement, values).fetchall()
        after = server.cpu_times()
        taken.append((time.monotonic() - begun, after.user + after.system - before.user - before.system))
    return [round(value, 4) for value in min(taken)]


def vacuum(connection: Connection[Any]) -> float:
    """Vacuum and analyze; seconds."""
    begun = time.monotonic()
    connection.execute("VACUUM (ANALYZE) dwh.measured")
    return round(time.monotonic() - begun, 2)


def measure(connection: Connection[Any], layout: str, months: int) -> dict[str, Any]:
    """Load one layout, then upsert a day, the same day again, and ask."""
    table, _, _, key = _LAYOUTS[layout]
    create(connection, layout, months)
    found: dict[str, Any] = {"layout": layout, "months": months, "first load": seconds(connection, upsert(table, key, "staging"))}
    found["vacuum after"] = vacuum(connection)
    day = upsert(table, key, "day")
    found |= {"a day": seconds(connection, day), "the same day again": seconds(connection, day)}
    found["vacuum after a day"] = vacuum(connection)
    play = connection.execute(f"SELECT {table.key[0]} FROM day.{table.name} LIMIT 1").fetchone()
    assert play is not None
    asked = {"from": _month(months // 2), "to": _month(months // 2 + 1), "id": play[0], "user": 48271}
    questions = _QUESTIONS if table is SONGPLAYS else _QUESTIONS_OF_TIME
    found |= {name: seconds(connection, question, asked, times=3) for name, question in questions.items()}
    sizes = connection.execute(
        "SELECT sum(pg_table_size(relid))::bigint, sum(pg_indexes_size(relid))::bigint"
        " FROM (SELECT 'dwh.measured'::regclass AS relid UNION SELECT relid FROM pg_partition_tree('dwh.measured')) AS parts"
    ).fetchone()
    assert sizes is not None
    return found | {"table MB": sizes[0] >> 20, "index MB": sizes[1] >> 20}


def main(rows: int = 10_000_000, months: int = 12, layout: list[str] | None = None, folder: Path | None = None) -> None:
    """Measure layouts (all, unless named) in a PostgreSQL of its own and print a JSON object for each."""
    chosen = layout or list(_LAYOUTS)
    span = (_month(months) - _START).total_seconds() * 1000
    with tempfile.TemporaryDirectory(prefix="songlake-partitioning-", dir=folder) as home:
        Path(home).chmod(0o755)
        url = embedded.start(Path(home))
        try:
            with connect(url, application_name="bench") as connection:
                ensure(connection)
                connection.execute("CREATE SCHEMA day")
                for name in ("songplays", "time"):
                    connection.execute(f"CREATE UNLOGGED TABLE day.{name} (LIKE staging.{name})")
                stage(connection, "staging", 0, rows - 1, span / rows)
                stage(connection, "day", rows, rows + rows // (months * 30) - 1, span / rows)
                if any(_LAYOUTS[name][0] is TIME for name in chosen):
                    stage_times(connection, "staging")
                    stage_times(connection, "day")
                for name in chosen:
                    typer.echo(json.dumps(measure(connection, name, months)))
        finally:
            embedded.stop(Path(home))


if __name__ == "__main__":
    typer.run(main)
