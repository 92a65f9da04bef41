"""The peer: DuckDB reads what is new in the same landing zone, makes the same rows, and copies them to PostgreSQL in binary form.

    python -m bench.duckdb_load LANDING           (WAREHOUSE_URL in the environment; the tables exist, with their keys)
    python -m bench.duckdb_load LANDING KEPT      keeps what it read in the file KEPT, and takes what is new the next time

It knows the generator's files only: no refused lines, no broken files, no file that changes, no gate. New rows go straight into empty
tables, and by a temporary table and an upsert into filled ones.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from psycopg import sql

from bench.cleaning import BLANKS, EVENT_KEYS, NOT_PLAIN, SONG_KEYS, clean
from spark_jobs.contracts import STAR, Table

_NUMBERS = {"ts", "sessionId", "itemInSession", "userId", "length", "duration", "year", "artist_latitude", "artist_longitude"}
_IDENTITY = {"events": "ts, userId, sessionId, itemInSession", "records": "song_id"}
_KEYS = {"events": EVENT_KEYS, "records": SONG_KEYS}
_ALL = """
CREATE OR REPLACE TEMP VIEW song_records AS FROM records;
CREATE OR REPLACE TEMP VIEW artist_records AS FROM records;
CREATE OR REPLACE TEMP VIEW listening AS FROM events;
CREATE OR REPLACE TEMP VIEW playing AS FROM events;
"""
_TOUCHED = """
CREATE OR REPLACE TEMP VIEW song_records AS FROM records SEMI JOIN new_records USING (song_id);
CREATE OR REPLACE TEMP VIEW artist_records AS FROM records SEMI JOIN new_records USING (artist_id);
CREATE OR REPLACE TEMP VIEW listening AS FROM events SEMI JOIN new_events USING (userId);
CREATE OR REPLACE TEMP TABLE new_songs AS
    SELECT DISTINCT folded(title) AS title_key, folded(artist_name) AS artist_key, milliseconds(duration) AS ms FROM new_records;
CREATE OR REPLACE TEMP VIEW playing AS
    FROM events SEMI JOIN new_events USING (ts, userId, sessionId, itemInSession)
    UNION SELECT events.* FROM events SEMI JOIN new_songs
        ON folded(song) = title_key AND folded(artist) = artist_key AND milliseconds(length) = ms;
"""


def load(landing: Path, url: str, kept: str = ":memory:") -> None:
    """Bring the five tables up to date with the landing zone."""
    con = _opened(kept)
    known = {path for (path,) in con.execute("SELECT file FROM times").fetchall()}
    files = [path for path in landing.rglob("*") if path.is_file() and str(path.relative_to(landing)) not in known]
    if not files:
        return
    first = not known
    times = {"file": [str(path.relative_to(landing)) for path in files], "modified": [path.stat().st_mtime_ns // 1000 for path in files]}
    arrived = pa.table(times)
    con.register("arrived", arrived)
    con.execute("INSERT INTO times FROM arrived")
    _take_in(con, "events", landing, [path for path in files if "log_data" in path.parts], first)
    _take_in(con, "records", landing, [path for path in files if "song_data" in path.parts], first)
    con.execute(_ALL if first else _TOUCHED)
    con.execute((Path(__file__).parent / "duckdb_star.sql").read_text())
    with dbapi.connect(url) as connection:
        for table in STAR:
            (_append if first else _upsert)(con, connection, table)
        connection.commit()


def _opened(kept: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(kept, config={"threads": 2, "preserve_insertion_order": False})
    con.execute("SET TimeZone = 'UTC'")
    con.create_function("clean", clean, ["VARCHAR"], "VARCHAR")
    con.execute(f"CREATE TEMP MACRO tidy(t) AS nullif(CASE WHEN regexp_matches(t, '{NOT_PLAIN}') THEN clean(t) ELSE trim(t) END, '')")
    con.execute(f"CREATE TEMP MACRO folded(t) AS lower(regexp_replace(t, '{BLANKS}', ' ', 'g'))")
    con.execute("CREATE TEMP MACRO milliseconds(t) AS floor(t::DOUBLE * 1000 + 0.5)")
    con.execute("CREATE TABLE IF NOT EXISTS times (file VARCHAR, modified BIGINT)")
    for table, keys in _KEYS.items():
        columns = ", ".join(f'"{key}" VARCHAR' for key in keys)
        con.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, file VARCHAR, modified BIGINT)")
    return con


def _take_in(con: duckdb.DuckDBPyConnection, table: str, landing: Path, files: list[Path], first: bool) -> None:
    """Read files of one kind as text and keep the line that wins for each identity; tells `new_<table>` which won anew."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE new_{table} AS FROM {table} LIMIT 0")
    if not files:
        return
    new = f"({_winners(table, _lines(table, landing, files))})"
    if first:
        con.execute(f"INSERT INTO {table} FROM {new}")
        return
    same = " AND ".join(f"held.{name} IS NOT DISTINCT FROM new.{name}" for name in _IDENTITY[table].split(", "))
    con.execute(
        f"INSERT INTO new_{table} FROM {new} new ANTI JOIN {table} held ON {same} AND (held.modified, held.file) > (new.modified, new.file)"
    )
    con.execute(f"DELETE FROM {table} held USING new_{table} new WHERE {same}")
    con.execute(f"INSERT INTO {table} FROM new_{table}")


def _lines(table: str, landing: Path, files: list[Path]) -> str:
    """Give the query that reads lines of files as clean texts."""
    keys = _KEYS[table]
    read = _one_song_files if table == "records" else _line_files
    tidied = ", ".join(f'tidy("{key}") AS "{key}"' for key in keys)
    named = f"SELECT * REPLACE (file[{len(str(landing)) + 2}:] AS file) FROM ({read(keys, files)})"
    return f"SELECT {tidied}, file, modified FROM ({named}) JOIN times USING (file)"


def _one_song_files(keys: tuple[str, ...], files: list[Path]) -> str:
    """Read a song from each file; to open thousands of files, read_text takes a seventh of read_json's CPU time."""
    fields = json.dumps(dict.fromkeys(keys, "VARCHAR"))
    return f"SELECT unnest(from_json(content, '{fields}')), filename AS file FROM read_text({[str(path) for path in files]!r})"


def _line_files(keys: tuple[str, ...], files: list[Path]) -> str:
    """Read an event from each line."""
    columns = ", ".join(f"{key}: 'VARCHAR'" for key in keys)
    chosen = ", ".join(f'"{key}"' for key in keys) + ", filename AS file"
    json_files = [str(path) for path in files if ".csv" not in path.name]
    csv_files = [str(path) for path in files if ".csv" in path.name]
    as_json = f"columns = {{{columns}}}, format = 'newline_delimited', filename = true"
    parts = [f"SELECT {chosen} FROM read_json({json_files!r}, {as_json})"] if json_files else []
    parts += [f"SELECT {chosen} FROM read_csv({csv_files!r}, all_varchar = true, header = true, filename = true)"] if csv_files else []
    return " UNION ALL ".join(parts)


def _winners(table: str, lines: str) -> str:
    content = ", ".join(f'"{key}"{"::DOUBLE" if key in _NUMBERS else ""} DESC NULLS LAST' for key in _KEYS[table])
    best = f"row_number() OVER (PARTITION BY {_IDENTITY[table]} ORDER BY modified DESC, file DESC, {content}) = 1"
    return f"SELECT * FROM ({lines}) QUALIFY {best}"


def _append(con: duckdb.DuckDBPyConnection, connection: dbapi.Connection, table: Table) -> None:
    with connection.cursor() as cursor:
        cursor.adbc_ingest(table.name, con.table(table.name).to_arrow_reader(), mode="append", db_schema_name="dwh")


def _upsert(con: duckdb.DuckDBPyConnection, connection: dbapi.Connection, table: Table) -> None:
    rows = con.table(table.name).to_arrow_reader()
    columns, live = [column.name for column in table.warehouse_columns], sql.Identifier("dwh", table.name)
    others = [name for name in columns if name not in table.key]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL(
        "INSERT INTO {live} AS live ({names}) SELECT {names} FROM {new} "
        "ON CONFLICT ({key}) DO UPDATE SET ({others}) = ROW({excluded}) WHERE ({held}) IS DISTINCT FROM ({excluded})"
    ).format(
        live=live,
        names=names,
        new=sql.Identifier(f"new_{table.name}"),
        key=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        others=sql.SQL(", ").join(map(sql.Identifier, others)),
        held=sql.SQL(", ").join(sql.Identifier("live", name) for name in others),
        excluded=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in others),
    )
    with connection.cursor() as cursor:
        cursor.adbc_ingest(f"new_{table.name}", rows, mode="create", temporary=True)
        cursor.execute(statement.as_string(None))


if __name__ == "__main__":
    load(Path(sys.argv[1]), os.environ["WAREHOUSE_URL"], *sys.argv[2:])
