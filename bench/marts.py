"""Measure what the views for analysts cost over many plays, and what publish pays for them; the figures of docs/analysts.md and adr/0016.

python -m bench.marts --plays 10000000

The plays are made inside a PostgreSQL of its own, with the generator's shares: sessions of twelve plays, a hundredth as many users as plays
of whom some use the service far more than others, 20,000 tracks of which the first are played most, a twenty-fifth of the users changing
level a day.
"""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import typer
from psycopg import Connection, sql

from bench.warehouses import fresh_database, running_server
from spark_jobs.contracts import SONGPLAYS
from spark_jobs.warehouse.batches import empty_staging
from spark_jobs.warehouse.connection import connect
from spark_jobs.warehouse.marts import keep_up
from spark_jobs.warehouse.statements import applied
from spark_jobs.warehouse.transaction import tune
from spark_jobs.warehouse.views import views

_PLAYS = """
INSERT INTO {schema}.songplays (songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_title, artist_name, length{deleted})
SELECT ts || '-' || session_id || '-' || item || '-' || user_id, timestamptz 'epoch' + ts * interval '1 ms', user_id,
    CASE WHEN mod(user_id, 5) = 0 OR mod(day - user_id, 25) IN (0, 1) THEN 'paid' ELSE 'free' END,
    CASE WHEN track < 2000 AND mod(n, 3) > 0 THEN 'SO' || track END, CASE WHEN track < 2000 AND mod(n, 3) > 0 THEN 'AR' || track / 3 END,
    session_id, 'San Francisco-Oakland-Hayward, CA',
    'Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36',
    item, 'A title of a song ' || track, 'Artist or band ' || track / 3, 100 + mod(track * 7919, 200000) / 1000.0{false}
FROM (
    SELECT n, n / 12 AS session_id, mod(n, 12) AS item, (n / 12 * 12 * %(step)s) AS since, %(begin)s + (n / 12 * 12 * %(step)s)::bigint
        + mod(n, 12) * 220000 AS ts, (n / 12 * 12 * %(step)s / 86400000)::bigint AS day,
        floor(%(users)s * power(mod(abs(hashint8extended(n / 12, 1)), 1000003) / 1000003.0, 2))::bigint AS user_id,
        floor(20000 * power(mod(abs(hashint8extended(n, 2)), 1000003) / 1000003.0, 2))::bigint AS track
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS plays
"""
_CATALOGUE = (
    "INSERT INTO dwh.artists (artist_id, name) SELECT 'AR' || n, 'Artist or band ' || n FROM generate_series(0, 2666) AS n",
    "INSERT INTO dwh.songs (song_id, title, artist_id, duration)"
    " SELECT 'SO' || n, 'A title of a song ' || n, 'AR' || n / 3, 100 + mod(n * 7919, 200000) / 1000.0 FROM generate_series(0, 7999) AS n",
    "INSERT INTO dwh.users (user_id, level, registered_at, last_seen_at) SELECT n, 'free',"
    " '2020-01-01 UTC'::timestamptz - n * interval '1 min', '2021-01-01 UTC' FROM generate_series(0, %(users)s) AS n",
    # Of the moments of plays the first and the last are asked for.
    "INSERT INTO dwh.time SELECT unnest(ARRAY[min(start_time), max(start_time)]), 0, 1, 1, 1, 2020, 1 FROM dwh.songplays",
)
_BEGIN = 1_577_836_800_000
"""2020-01-01 UTC."""


def play(connection: Connection[Any], schema: str, first: int, last: int, plays: int, days: int) -> None:
    """Make plays number first to last of so many that fill so many days."""
    more = {"deleted": ", deleted", "false": ", false"} if schema == "staging" else {"deleted": "", "false": ""}
    values = {"first": first, "last": last, "begin": _BEGIN, "step": days * 86_400_000 / plays, "users": plays // 100}
    connection.execute(_PLAYS.format(schema=schema, **more), values)
    connection.execute(f"ANALYZE {schema}.songplays")


def ask(connection: Connection[Any]) -> None:
    """Print how long each view takes to give all rows and columns, which are not sent; the least of three."""
    for view in views():
        taken = []
        for _ in range(3):
            begun = time.monotonic()
            connection.execute(sql.SQL("EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM dwh.{}").format(sql.Identifier(view.name)))
            taken.append(time.monotonic() - begun)
        typer.echo(f"{view.name:18} {min(taken):8.2f} s")


def publish(connection: Connection[Any], what: str, plays: int) -> None:
    """Print what it costs to make staged plays live, and to keep up with them; CPU seconds of the server's process."""
    server = psutil.Process(connection.info.backend_pid)
    seconds = [_cpu(server)]

    def apply() -> None:
        seconds.append(_cpu(server))
        connection.execute(applied("upsert", SONGPLAYS))
        seconds.append(_cpu(server))

    with connection.transaction():
        tune(connection)
        keep_up(connection, apply, lambda _: plays)
        empty_staging(connection)
    seconds.append(_cpu(server))
    before, upsert, after = (end - begin for begin, end in pairwise(seconds))
    typer.echo(f"{what}: upsert {upsert:.2f} s, keeping up {before + after:.2f} s")


def _cpu(server: psutil.Process) -> float:
    times = server.cpu_times()
    return times.user + times.system


def main(plays: int = 10_000_000, days: int = 360, folder: Path | None = None) -> None:
    """Ask all views as they compute, fill what is kept, ask again, and bring a day more."""
    with tempfile.TemporaryDirectory(prefix="songlake-marts-", dir=folder) as home:
        Path(home).chmod(0o755)
        with running_server(Path(home)) as server, connect(fresh_database(server, "marts"), application_name="bench") as connection:
            play(connection, "dwh", 0, plays - 1, plays, days)
            for statement in _CATALOGUE:
                connection.execute(statement, {"users": plays // 100})
            connection.execute("VACUUM (ANALYZE)")
            ask(connection)
            publish(connection, "fill", plays)
            connection.execute("VACUUM (ANALYZE) dwh.kept_play_runs, dwh.kept_song_months")
            ask(connection)
            play(connection, "staging", plays, plays + plays // days - 1, plays, days)
            publish(connection, "a day", plays)


if __name__ == "__main__":
    typer.run(main)
