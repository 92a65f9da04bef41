"""Redshift follows the warehouse: its SQL is parsed as Redshift's, and what PostgreSQL knows too is run.

No Redshift runs here. A PostgreSQL stands in for it: it is given every statement as rendered, but for the sort and distribution of tables,
which are cut off, and COPY, which is done by hand from the manifest and the files in S3 as Redshift's documentation describes it.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from deltalake import DeltaTable, write_deltalake
from psycopg import sql
from sqlfluff.core import FluffConfig, Linter
from typer.testing import CliRunner

from spark_jobs import redshift_command
from spark_jobs.cli import app
from spark_jobs.contracts import ARTISTS, SONGPLAYS, SONGS, STAR, TIME, USERS, Table
from spark_jobs.errors import BadUsage, InputMissing
from spark_jobs.lake import log
from spark_jobs.lake.creation import create_missing
from spark_jobs.settings import Settings
from spark_jobs.warehouse import redshift
from spark_jobs.warehouse.batches import begin_batch, finish_staging, published
from spark_jobs.warehouse.check import check
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.publish import publish
from tests.object_store import BUCKET, ObjectStore, verifying_endpoint
from tests.postgres.staging import GATE, MIDNIGHT, WAREHOUSE, Row, artist, contents, fill, gone, moment, play, song, user
from tests.scratch import scratch_database
from tests.sparkenv import PROJECT
from tests.terminal import opened_terminal

MANIFESTS = f"s3://{BUCKET}/manifests"
COPY = re.compile(r"""COPY "(\w+)" FROM '(s3://[^']+)' IAM_ROLE default FORMAT AS PARQUET FILLRECORD MANIFEST""")


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStore]:
    with verifying_endpoint() as store:
        yield store


@pytest.fixture
def stand_in(postgres_server: str) -> Iterator[Connection]:
    with scratch_database(postgres_server) as url, connect(url, application_name="stand-in") as connection:
        for statement in statements(redshift.schema()):
            connection.execute(re.sub(r" (DISTSTYLE|DISTKEY|SORTKEY)\b.*", "", statement))
        yield connection


def statements(script: str) -> list[str]:
    return [each for each in map(str.strip, re.sub(r"^--.*\n", "", script, flags=re.MULTILINE).split(";\n")) if each]


class Follower:
    """A lake, the warehouse that its rows went live in, and the stand-in that follows."""

    def __init__(self, lake: Path, warehouse: Connection, url: str, stand_in: Connection, objects: ObjectStore) -> None:
        self.lake, self.warehouse, self.stand_in, self.objects = lake, warehouse, stand_in, objects
        self.settings = Settings(lake=lake, WAREHOUSE_URL=url)
        self.prefix = lake.parent.name  # every lake has its own place in the bucket
        create_missing(lake)

    @property
    def lake_url(self) -> str:
        return f"s3://{BUCKET}/{self.prefix}"

    def rows(self, table: Table) -> list[Row]:
        found: list[Row] = DeltaTable(log.lake_path(self.lake, table)).to_pyarrow_table().to_pylist()
        return [{column.name: row[column.name] for column in table.warehouse_columns} for row in found]

    def write(self, table: Table, *rows: Row, **options: Any) -> None:
        """Write rows as Spark would: they are in UTC, and plays and moments have their date."""
        dated = [row | {"start_date": row["start_time"].date()} if table.partitioned_by else row for row in rows]
        schema = pa.schema(log.must_open(self.lake, table).schema().to_arrow())
        write_deltalake(log.lake_path(self.lake, table), pa.Table.from_pylist(dated, schema), **{"mode": "append"} | options)

    def go_live(self, batch_id: str) -> None:
        """Publish what the lake holds, by the gate and by sql/publish."""
        live, staged = contents(self.warehouse), {}
        for table in STAR:
            rows, keys = self.rows(table), [column.name for column in table.warehouse_columns].index(table.key[0])
            kept = {row[table.key[0]] for row in rows}
            staged[table.name] = [*rows, *(gone(**{table.key[0]: row[keys]}) for row in live[table.name] if row[keys] not in kept)]
        begin_batch(self.warehouse, batch_id)
        fill(self.warehouse, staged)
        base, target = published(self.warehouse), log.star_positions(self.lake)
        finish_staging(self.warehouse, batch_id, base, target, {name: len(rows) for name, rows in staged.items()})
        check(self.warehouse, batch_id, GATE)
        self.warehouse.execute("UPDATE ops.batches SET status = 'checked' WHERE batch_id = %s", [batch_id])
        publish(self.warehouse, batch_id, WAREHOUSE)

    def script(self, folder: Path, *, whole: bool = False) -> str:
        """Ask the command, and bring the lake's files to S3."""
        held = self.stand_in.execute("SELECT table_name, delta_table_id, delta_version, delta_written_at FROM ops.published").fetchall()
        after = folder / "held.txt"
        after.write_text("".join("|".join(map(str, row)) + "\n" for row in held))
        said = redshift_command.follow(
            self.settings, lake_url=self.lake_url, manifests=MANIFESTS, role="default", after=None if whole else after
        )
        for path in filter(Path.is_file, self.lake.rglob("*")):
            self.objects.client.upload_file(str(path), BUCKET, f"{self.prefix}/{path.relative_to(self.lake)}")
        return said

    def run(self, script: str) -> int:
        """Run a script in the stand-in, COPY by hand; gives how many rows were copied."""
        copied = 0
        try:
            for statement in statements(script):
                if found := COPY.fullmatch(statement):
                    copied += self._copy(found[1], found[2])
                else:
                    self.stand_in.execute(statement)
        except psycopg.Error:
            self.stand_in.execute("ROLLBACK")
            raise
        self.stand_in.execute("DISCARD TEMPORARY")
        return copied

    def _read(self, url: str) -> bytes:
        answer = self.objects.client.get_object(Bucket=BUCKET, Key=url.removeprefix(f"s3://{BUCKET}/"))
        body: bytes = answer["Body"].read()
        return body

    def _copy(self, table: str, manifest: str) -> int:
        entries, count = json.loads(self._read(manifest))["entries"], 0
        assert entries, "COPY ends with an error where a manifest names no file"
        wanted = self.stand_in.execute(f"SELECT * FROM {table}").description
        for entry in entries:
            body = self._read(entry["url"])
            assert entry == {"url": entry["url"], "mandatory": True, "meta": {"content_length": len(body)}}
            rows = pq.read_table(io.BytesIO(body))
            # Columns go by their order, and FILLRECORD lets the last ones be absent.
            assert rows.column_names == [column.name for column in wanted or []][: rows.num_columns]
            with self.stand_in.cursor().copy(f"COPY {table} ({', '.join(rows.column_names)}) FROM STDIN") as copy:
                for row in rows.to_pylist():
                    copy.write_row(list(row.values()))
            count += rows.num_rows
        return count

    def holds(self) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for table in STAR:
            columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.warehouse_columns)
            query = sql.SQL("SELECT {} FROM {} ORDER BY 1").format(columns, sql.Identifier("dwh", table.name))
            found[table.name] = self.stand_in.execute(query).fetchall()
        return found

    def agrees(self) -> bool:
        live = {name: rows for name, rows in contents(self.warehouse).items() if name != "files"}
        told = {
            name: [tuple(value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in row) for row in rows]
            for name, rows in live.items()
        }
        return self.holds() == told

    def written_by(self) -> dict[tuple[str, Any], Any]:
        """The transaction that wrote each row."""
        return {
            (table.name, key): xmin
            for table in STAR
            for key, xmin in self.stand_in.execute(f"SELECT {table.key[0]}, xmin::text FROM dwh.{table.name}").fetchall()
        }


@pytest.fixture
def follower(
    tmp_path: Path,
    warehouse: Connection,
    url: str,
    stand_in: Connection,
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> Follower:
    for name, value in objects.environment.items():
        monkeypatch.setenv(name, value)
    return Follower(tmp_path / "lake", warehouse, url, stand_in, objects)


def first_day(follower: Follower) -> None:
    plays = [play(minute, song_id="S1", artist_id="A1") for minute in range(3)]
    other = [play(minute, day=MIDNIGHT.replace(day=16), location=None, length=None) for minute in range(3)]
    follower.write(SONGPLAYS, *plays, *other)
    follower.write(TIME, *map(moment, plays + other))
    follower.write(USERS, user(7), user(8, registered_at=MIDNIGHT))
    follower.write(SONGS, song("S1"), song("S2", title=None, year=1999))
    follower.write(ARTISTS, artist("A1"), artist("A2", location="'; DROP--", latitude=1.5, longitude=-2.5))
    follower.go_live("b1")


def test_redshift_holds_what_is_live_after_every_load(follower: Follower, tmp_path: Path) -> None:
    first_day(follower)
    script = follower.script(tmp_path)
    assert follower.run(script) == 6 + 6 + 2 + 2 + 2
    assert follower.agrees()
    assert follower.script(tmp_path) == "-- Redshift holds what is live.\n"
    before = follower.written_by()
    changed = [play(0, song_id="S1", artist_id="A1"), play(1, level="paid"), play(5)]
    follower.write(SONGPLAYS, *changed, mode="overwrite", predicate="start_date = '2018-11-15'")
    follower.write(TIME, *map(moment, changed), mode="overwrite", predicate="start_date = '2018-11-15'")
    follower.write(USERS, user(7), user(8, first_name=None, level="paid"), user(9), mode="overwrite")
    DeltaTable(log.lake_path(follower.lake, SONGS)).delete("song_id = 'S2'")
    follower.go_live("b2")
    script = follower.script(tmp_path)
    assert follower.run(script) == (3 + 3) + (3 + 3) + (3 + 2) + (1 + 2)
    assert follower.agrees()
    after = follower.written_by()
    kept = {key for key in after if before.get(key) == after[key]}
    assert {(name, str(key)) for name, key in after.keys() - kept} == {
        ("songplays", changed[1]["songplay_id"]),
        ("songplays", changed[2]["songplay_id"]),
        ("time", str(changed[2]["start_time"].replace(tzinfo=None))),
        ("users", "8"),
        ("users", "9"),
    }
    with pytest.raises(psycopg.errors.DivisionByZero):
        follower.run(script)
    assert follower.written_by() == after


def test_whole_load_repairs_what_differs_and_leaves_the_rest(follower: Follower, tmp_path: Path, url: str) -> None:
    first_day(follower)
    follower.run(follower.script(tmp_path))
    before = follower.written_by()
    follower.stand_in.execute("DELETE FROM dwh.users WHERE user_id = 7; INSERT INTO dwh.users VALUES (99, '', '', '', 'free', NULL, now())")
    follower.stand_in.execute("UPDATE dwh.artists SET name = 'other' WHERE artist_id = 'A1'; DELETE FROM ops.published")
    DeltaTable(log.lake_path(follower.lake, SONGPLAYS)).optimize.compact()
    script = follower.script(tmp_path, whole=True)
    follower.run(script)
    assert follower.agrees()
    in_s3 = redshift_command.follow(
        Settings(lake=f"s3a://{BUCKET}/{follower.prefix}", WAREHOUSE_URL=url),
        lake_url=None,
        manifests=MANIFESTS,
        role="default",
        after=None,
    )
    assert in_s3 == script
    after = follower.written_by()
    assert {key for key in after if before.get(key) != after[key]} == {("users", 7), ("artists", "A1")}


def test_table_of_another_history_is_loaded_whole(follower: Follower, tmp_path: Path) -> None:
    first_day(follower)
    follower.run(follower.script(tmp_path))
    follower.stand_in.execute("UPDATE ops.published SET delta_written_at = 1 WHERE table_name = 'users'")
    follower.stand_in.execute("UPDATE ops.published SET delta_table_id = 'other' WHERE table_name = 'songs'")
    follower.stand_in.execute("UPDATE ops.published SET delta_version = 99 WHERE table_name = 'artists'")
    script = follower.script(tmp_path)
    assert re.findall(r'INSERT INTO "gone_(\w+)"', script) == ["artists", "songs", "users"]
    assert "count(*) =  0" in script or "count(*) = 0" in script
    follower.run(script)
    assert follower.agrees()


@pytest.mark.parametrize("lake", ["restored", "restored and written to", "rebuilt"])
def test_files_that_are_not_those_of_the_live_batch_never_reach_redshift(follower: Follower, tmp_path: Path, lake: str) -> None:
    first_day(follower)
    follower.run(follower.script(tmp_path))
    shutil.copytree(follower.lake, tmp_path / "backup")
    follower.write(USERS, user(9))
    follower.go_live("b2")
    shutil.rmtree(follower.lake)
    if lake == "rebuilt":
        create_missing(follower.lake)
        follower.write(USERS, user(7))
        follower.write(USERS, user(10))
    else:
        shutil.copytree(tmp_path / "backup", follower.lake)
        if lake != "restored":
            follower.write(USERS, user(10))
    for whole in (False, True):
        with pytest.raises(InputMissing, match=r"was not loaded from the lake in .*, or that was brought back from a backup since"):
            follower.script(tmp_path, whole=whole)


def test_sql_is_what_redshift_dialects_read(follower: Follower, tmp_path: Path) -> None:
    first_day(follower)
    script = ";\n".join(statements(redshift.schema() + "\n" + follower.script(tmp_path)))
    kinds = [type(each).__name__ for each in sqlglot.parse(script, read="redshift") if each is not None]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "Create": 2 + 6 + 10,
        "Transaction": 1,
        "Command": 1,  # LOCK
        "Select": 1,
        "Copy": 5,
        "Insert": 5 + 5,
        "Delete": 10 + 5 + 5,
        "Merge": 5,
        "Commit": 1,
    }
    # sqlfluff takes its time, and all tables have the same statements.
    fewer = ";\n".join(each for each in script.split(";\n") if "songplay" in each or "ops" in each) + ";\n"
    assert Linter(config=FluffConfig(overrides={"dialect": "redshift"})).parse_string(fewer).violations == []
    # Files of Spark have the partition column, as their last.
    assert len(re.findall(r'"start_date" DATE\)', script)) == 4
    assert not re.search(r"CONFLICT|DISTINCT FROM|RETURNING|FILTER|COLLATE|::|\btext\b", script, re.IGNORECASE)


def test_what_cannot_stand_in_a_statement_is_refused(follower: Follower, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="Nothing is live"):
        follower.script(tmp_path)
    first_day(follower)
    good = {"lake_url": follower.lake_url, "manifests": MANIFESTS, "role": "default", "after": None}
    (tmp_path / "odd.txt").write_text("users|id|new\n")
    for bad, says in [
        ({"lake_url": "s3://lab/x'; DROP"}, "no folder of S3"),
        ({"manifests": "/tmp/x"}, "no folder of S3"),
        ({"role": "arn:aws:iam::1:role/x'"}, "no role of IAM"),
        ({"after": tmp_path / "odd.txt"}, "does not say how far"),
    ]:
        with pytest.raises(BadUsage, match=says):
            redshift_command.follow(follower.settings, **good | bad)


def test_sql_goes_to_its_file_while_a_terminal_shows_the_progress(follower: Follower, tmp_path: Path, url: str) -> None:
    first_day(follower)
    command = ["bin/songlake", "redshift", "load", "--lake", str(follower.lake), "--lake-url", follower.lake_url, "--manifests", MANIFESTS]
    told = {**os.environ, "WAREHOUSE_URL": url, "TERM": "xterm"}
    with opened_terminal() as terminal:
        done = subprocess.run(command, cwd=PROJECT, env=told, stdout=subprocess.PIPE, stderr=terminal.end, text=True, timeout=240)
    assert done.stdout == follower.script(tmp_path, whole=True), terminal.seen
    assert "redshift: manifests of songplays" in terminal.seen


def test_commands_print_sql_and_refuse_in_two_sentences() -> None:
    printed = CliRunner().invoke(app, ["redshift", "schema"])
    assert (printed.exit_code, printed.output) == (0, redshift.schema() + "\n")
    refused = CliRunner().invoke(app, ["redshift", "load", "--lake", "data/lake", "--manifests", MANIFESTS])
    assert refused.exit_code == 2
