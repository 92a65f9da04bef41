"""The peer: DuckDB reads the same landing zone in one process, makes the same tables and copies them into PostgreSQL.

    python -m bench.duckdb_load LANDING      (WAREHOUSE_URL in the environment; the tables exist, empty, with their keys)

It knows the generator's files only: no refused lines, no broken files, nothing kept for a next run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import duckdb
import psycopg
from psycopg import sql

EVENT_KEYS = (
    "ts", "sessionId", "itemInSession", "userId", "page", "level", "song", "artist", "length", "auth", "firstName", "lastName",
    "gender", "location", "method", "status", "registration", "userAgent",
)  # fmt: skip
SONG_KEYS = ("song_id", "title", "artist_id", "artist_name", "duration", "year", "artist_location", "artist_latitude", "artist_longitude")
_WINNER = "row_number() OVER (PARTITION BY {identity} ORDER BY modified DESC, file DESC, {content}) = 1"


def clean(text: str) -> str:
    """Repair mojibake, decode entities."""
    while not text.isascii():
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    for entity, character in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&amp;", "&"),
    ):
        text = text.replace(entity, character)
    return text.strip(" \t\n\v\f\r\u00a0")


def load(landing: Path, url: str) -> None:
    """Make and load the five tables."""
    con = duckdb.connect(config={"threads": 2})
    con.execute("SET TimeZone = 'UTC'")
    con.create_function("clean", clean, ["VARCHAR"], "VARCHAR")
    con.execute("CREATE MACRO tidy(t) AS nullif(CASE WHEN regexp_matches(t, '[^ -~]|&') THEN clean(t) ELSE trim(t) END, '')")
    con.execute(r"CREATE MACRO folded(t) AS lower(regexp_replace(t, '[ \t\n\x0b\f\r\x{a0}]+', ' ', 'g'))")
    files = [path for path in landing.rglob("*") if path.is_file()]
    modified = ", ".join(f"({_quoted(str(path))}, {path.stat().st_mtime_ns // 1000})" for path in files)
    con.execute(f"CREATE TABLE times AS SELECT * FROM (VALUES {modified}) AS t(file, modified)")
    _read(con, "events", [path for path in files if "log_data" in path.parts], EVENT_KEYS)
    _read(con, "records", [path for path in files if "song_data" in path.parts], SONG_KEYS)
    con.execute((Path(__file__).parent / "duckdb_star.sql").read_text())
    with psycopg.connect(url) as connection, tempfile.TemporaryDirectory() as folder:
        for table in ("artists", "songs", "users", "time", "songplays"):
            rows = f"{folder}/{table}.csv"
            con.execute(f"COPY {table} TO '{rows}' (FORMAT csv, HEADER false)")
            columns = sql.SQL(", ").join(sql.Identifier(str(row[0])) for row in con.execute(f"DESCRIBE {table}").fetchall())
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier("dwh", table), columns)
            with open(rows, "rb") as source, connection.cursor().copy(statement) as copy:
                while block := source.read(1 << 20):
                    copy.write(block)


def _read(con: duckdb.DuckDBPyConnection, name: str, files: list[Path], keys: tuple[str, ...]) -> None:
    """Read files of one kind as text, one row a line."""
    columns = ", ".join(f"{key}: 'VARCHAR'" for key in keys)
    chosen = ", ".join(f'"{key}"' for key in keys)
    json = [str(path) for path in files if ".csv" not in path.name]
    csv = [str(path) for path in files if ".csv" in path.name]
    options = f"columns = {{{columns}}}, format = 'newline_delimited', filename = true"
    parts = [f"SELECT {chosen}, filename AS file FROM read_json({json!r}, {options})"]
    if csv:
        parts.append(f"SELECT {chosen}, filename AS file FROM read_csv({csv!r}, all_varchar = true, header = true, filename = true)")
    content = ", ".join(f'"{key}" DESC NULLS LAST' for key in keys)
    identity = "ts, userId, sessionId, itemInSession" if name == "events" else "song_id"
    tidied = ", ".join(f'tidy("{key}") AS "{key}"' for key in keys)
    union = " UNION ALL ".join(parts)
    con.execute(
        f"CREATE TABLE {name} AS SELECT * FROM (SELECT {tidied}, file, modified FROM ({union}) JOIN times USING (file)) "
        f"QUALIFY {_WINNER.format(identity=identity, content=content)}"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    load(Path(sys.argv[1]), os.environ["WAREHOUSE_URL"])
