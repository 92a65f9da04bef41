"""A landing zone to deliver into, and the whole of lake and warehouse to compare with the oracle."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog
from deltalake import DeltaTable, QueryBuilder
from psycopg import sql

from spark_jobs import pipeline, settings
from spark_jobs.console import Stages, run_command
from spark_jobs.contracts import CATALOG, EVENT_VALUES, EVENTS, FILES, REJECTS, SONG_VALUES, STAR, Table
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.object_store import delta_options
from tests.oracle import Deliveries, Warehouse

DAY = 86_400_000
START = 1_541_030_400_000
"""2018-11-01T00:00:00Z."""


def event(ts: int = START, user: object = "1", session: object = 1, item: object = 0, **more: object) -> dict[str, Any]:
    """Give an event as the player sends it: a play, unless `page` says otherwise."""
    base = {
        "artist": "Elena",
        "auth": "Logged In",
        "firstName": "Walter",
        "gender": "M",
        "itemInSession": item,
        "lastName": "Frye",
        "length": 269.58322,
        "level": "free",
        "location": "San Francisco-Oakland-Hayward, CA",
        "method": "PUT",
        "page": "NextSong",
        "registration": 1540919166796.0,
        "sessionId": session,
        "song": "Setanta matins",
        "status": 200,
        "ts": ts,
        "userAgent": '"Mozilla/5.0 (X11; Linux x86_64)"',
        "userId": user,
    }
    return {**base, **more}


def song(song_id: str = "SO1", **more: object) -> dict[str, Any]:
    """Give a song record; by default the one that `event` plays."""
    base = {
        "num_songs": 1,
        "artist_id": "AR1",
        "artist_latitude": None,
        "artist_longitude": None,
        "artist_location": "Dubai UAE",
        "artist_name": "Elena",
        "song_id": song_id,
        "title": "Setanta matins",
        "duration": 269.58322,
        "year": 0,
    }
    return {**base, **more}


@dataclass
class World:
    """One landing zone, lake and warehouse, with the oracle watching what is delivered."""

    root: Path
    url: str
    deliveries: Deliveries = field(default_factory=Deliveries)
    clock: int = 0

    @property
    def landing(self) -> Path:
        """The landing root."""
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        """The lake's folder."""
        return self.root / "lake"

    def write(self, path: str, content: bytes | str | Iterable[dict[str, Any]], mtime: float | None = None) -> Path:
        """Write a file; each is a second younger than the one before, unless `mtime` says when."""
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes | str):
            content = "\n".join(json.dumps(line) for line in content)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.clock += 1
        moment = mtime if mtime is not None else 1_600_000_000 + self.clock
        os.utime(target, (moment, moment))
        return target

    def copy(self, root: Path, url: str) -> World:
        """Give a world below another root that goes on from this one's state; the database of its URL is a copy of this one's."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return World(root, url, copy.deepcopy(self.deliveries), self.clock)

    def settings(self) -> settings.Settings:
        """Settings of this world."""
        os.environ["WAREHOUSE_URL"] = self.url
        try:
            return settings.load(landing=self.landing, lake=self.lake)
        finally:
            del os.environ["WAREHOUSE_URL"]

    def run(self) -> pipeline.Summary:
        """Deliver what is in the landing zone now, in this process."""
        self.landing.mkdir(parents=True, exist_ok=True)
        self.deliveries.observe(self.landing)
        return pipeline.run(self.settings(), Stages())

    def attempt(self) -> int:
        """Run as `bin/songlake run` does, where something may be broken; give the exit code. What a person reads is on stderr."""

        def command() -> None:
            pipeline.refuse_if_failed(pipeline.run(self.settings(), Stages()))

        try:
            return run_command(command)
        finally:
            # It set logs to this moment's stderr, which is the test's own.
            structlog.reset_defaults()

    def check(self) -> None:
        """Compare lake and warehouse with the oracle, row by row."""
        wanted = self.deliveries.warehouse()
        compare_files(self.lake, wanted)
        for table in STAR:
            assert delta_rows(self.lake, table) == wanted.tables[table.name], f"Delta table {table.name}"
        with psycopg.connect(self.url) as connection:
            for table in STAR:
                assert live_rows(connection, table) == wanted.tables[table.name], f"PostgreSQL table {table.name}"
            assert user_levels(connection) == wanted.tables["user_levels"]

    def versions(self) -> dict[str, int]:
        """Version of every Delta table."""
        logs = sorted(self.lake.glob("**/_delta_log"))
        return {str(log.parent.relative_to(self.lake)): DeltaTable(log.parent).version() for log in logs}

    def row_versions(self) -> dict[str, list[Any]]:
        """The `xmin` of every live row, which changes when a row is written."""
        with psycopg.connect(self.url) as connection:
            tables = [sql.Identifier("dwh", table.name) for table in STAR] + [sql.Identifier("ops", "files")]
            return {
                table.as_string(): connection.execute(sql.SQL("SELECT xmin::text, ctid::text FROM {} ORDER BY 2").format(table)).fetchall()
                for table in tables
            }


def compare_files(lake: Location, wanted: Warehouse) -> None:
    """Compare the lake's books of files and refused lines with the oracle's."""
    names = ("path", "kind", "status", "size", "lines", "accepted", "repeated", "rejected")
    files = {row[0]: row[1:] for row in _query(lake / "files", FILES.name, names)}
    expected = {
        path: (row.kind, row.status, row.size, row.lines, row.accepted, row.repeated, row.rejected) for path, row in wanted.files.items()
    }
    assert _differences(files, expected) == {}
    rows = _query(lake / "rejects", REJECTS.name, ("source_file", "raw_line", "reasons"))
    found = Counter((path, raw, tuple(sorted(reasons))) for path, raw, reasons in rows)
    refused = Counter((reject.source_file, reject.raw_line, reject.reasons) for reject in wanted.rejects)
    assert (list(found - refused), list(refused - found)) == ([], [])


def compare_accepted(lake: Location, wanted: Warehouse) -> None:
    """Compare what the lake holds of each file with what the oracle accepts of it."""
    for table, values, kind in ((EVENTS, EVENT_VALUES, "events"), (CATALOG, SONG_VALUES, "songs")):
        found = Counter(_query(lake / table.name, table.name, ("source_file", *values)))
        accepted = Counter(
            (path, *(getattr(row, name) for name in values))
            for path, rows in wanted.accepted.items()
            if wanted.files[path].kind == kind
            for row in rows
        )
        assert (list(found - accepted), list(accepted - found)) == ([], []), table.name


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (found.get(key), wanted.get(key)) for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)}


def delta_rows(lake: Location, table: Table) -> list[tuple[Any, ...]]:
    """Read a star table from Delta in key order."""
    return _in_key_order(_query(lake / "star" / table.name, table.name, [column.name for column in table.warehouse_columns]), table)


def live_rows(connection: psycopg.Connection[Any], table: Table) -> list[tuple[Any, ...]]:
    """Read a star table from PostgreSQL in key order."""
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.warehouse_columns)
    connection.execute("SET TimeZone = 'UTC'")
    rows = connection.execute(sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier("dwh", table.name))).fetchall()
    return _in_key_order(rows, table)


def user_levels(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Read the view user_levels in key order."""
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute("SELECT user_id, level, valid_from, valid_to FROM dwh.user_levels ORDER BY user_id, valid_from").fetchall()


def _in_key_order(rows: Iterable[Sequence[Any]], table: Table) -> list[tuple[Any, ...]]:
    places = [[column.name for column in table.warehouse_columns].index(name) for name in table.key]
    same_zone = [tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row) for row in rows]
    return sorted(same_zone, key=lambda row: tuple(row[place].encode() if isinstance(row[place], str) else row[place] for place in places))


def _query(path: Location, name: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    quoted = ", ".join(f'"{column}"' for column in columns)
    options = delta_options() if isinstance(path, ObjectPath) else None
    found = (
        QueryBuilder().register(name, DeltaTable(str(path), storage_options=options)).execute(f'SELECT {quoted} FROM "{name}"').read_all()
    )
    return [tuple(row[column] for column in columns) for row in found.to_struct_array().to_pylist()] if found.num_rows else []
