"""An export is one snapshot, whole or not there, and goes on where it broke off; its digests are recomputed from files and warehouse."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import settings
from spark_jobs.contracts import STAR
from spark_jobs.errors import BadUsage, InputMissing, ServiceUnreachable
from spark_jobs.export import files as files_module
from spark_jobs.export.export import Outcome
from spark_jobs.export.export import export as export_to
from spark_jobs.export.manifest import Format
from spark_jobs.warehouse.connection import Connection, connect
from tests.postgres import exported
from tests.postgres.logins import at, login
from tests.postgres.staging import MIDNIGHT, Row, artist, batch, load, play, song, user
from tests.sparkenv import PROJECT

FORMATS: tuple[Format, ...] = ("parquet", "csv")
HOSTILE = 'a "quoted", odd\nname\r with \\. and ö, \\N, NULL'


def export(connection: Connection, root: Path, form: Format = "parquet", names: tuple[str, ...] = ()) -> Outcome:
    return export_to(connection, root, form, names, lambda text: None)


def hostile() -> dict[str, Any]:
    """A batch whose texts, numbers and times are as hard to carry as the contracts let them be."""
    plays = [
        play(0, location="", user_agent=None, song_title=HOSTILE, artist_name="\\.", length=1e-7),
        play(1, location=None, user_agent="", song_title='"', artist_name="NULL", length=None),
        play(2, day=MIDNIGHT + timedelta(milliseconds=120), song_title=" ", length=123456789.000001, session_id=2**62),
        play(3, length=1e20, artist_name="Zoë, 東京\u2028"),
    ]
    artists = [
        artist(),
        artist("A2", name=HOSTILE, location="", latitude=-0.1, longitude=1e-5),
        artist("Å", latitude=1 / 3, longitude=-179.0),
    ]
    songs = [song(), song("s", title=None, year=2001, duration=1e15), song("S2", title="", duration=0.0001)]
    users = [user(first_name="", last_name=None, registered_at=MIDNIGHT + timedelta(microseconds=1))]
    return batch(*plays, artists=artists, songs=songs, users=users)


def live(connection: Connection, table: str, key: str) -> list[Row]:
    cursor = connection.execute(f"SELECT * FROM dwh.{table}")
    names = [column.name for column in cursor.description or []]
    return sorted((dict(zip(names, row, strict=True)) for row in cursor.fetchall()), key=lambda row: str(row[key]).encode())


def keyed(rows: list[Row], key: str) -> list[Row]:
    return sorted(rows, key=lambda row: str(row[key]).encode())


@pytest.mark.parametrize("form", FORMATS)
def test_files_hold_what_is_live_and_their_digests_can_be_recomputed(warehouse: Connection, url: str, tmp_path: Path, form: Format) -> None:
    load(warehouse, "b1", hostile())
    done = export(warehouse, tmp_path, form)
    told = exported.check(Path(done.place), url)
    assert [table["name"] for table in told["tables"]] == [table.name for table in STAR]
    assert {table["name"]: table["rows"] for table in told["tables"]} == {"artists": 3, "songs": 3, "users": 1, "time": 4, "songplays": 4}
    # This server has no other collation to tell the order by.
    assert all('_id" COLLATE "C") TO' in table["query"] for table in told["tables"] if table["name"] not in {"users", "time"})
    assert (told["format"], told["batch_id"], Path(done.place).name) == (form, "b1", done.manifest.name)
    assert [path.name for path in tmp_path.iterdir()] == [done.manifest.name]
    if form == "parquet":
        for table in STAR:
            assert keyed(exported.parquet_rows(Path(done.place), table.name), table.key[0]) == live(warehouse, table.name, table.key[0])
    else:
        head, *rows = exported.csv_rows(Path(done.place), "songplays")
        titles = [row[head.index("song_title")] for row in rows]
        assert titles == [each["song_title"] for each in live(warehouse, "songplays", "songplay_id")]
        first, second, *_ = (Path(done.place) / "songplays" / "00001.csv").read_text().partition("\n")[2].split("1542240060000")
        assert ',"",,0,' in first, "empty text is two quotes, null is nothing"
        assert ',,"",0,' in second


def test_types_are_those_of_the_warehouse(own_warehouse: Connection, own_url: str, tmp_path: Path) -> None:
    load(own_warehouse, "b1", batch(play()))
    own_warehouse.execute(
        "CREATE VIEW dwh.odd AS SELECT 1.50::numeric(10, 2) AS price, 2.5::numeric AS share, ARRAY['a,b', NULL] AS texts,"
        " jsonb '{}' AS doc, DATE '2018-11-15' AS day, true AS yes, 7::smallint AS small, 0.1::real AS single,"
        " TIMESTAMP '2018-11-15 01:02:03.5' AS local_time, ''::text AS empty, NULL::text AS nothing"
        " UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    )
    done = export(own_warehouse, tmp_path, names=("odd", "songplays"))
    [row, nulls] = exported.parquet_rows(Path(done.place), "odd")
    assert {name: str(value) for name, value in row.items() if name not in {"empty", "nothing"}} == {
        "price": "1.50",
        "share": "2.5",
        "texts": '{"a,b",NULL}',
        "doc": "{}",
        "day": "2018-11-15",
        "yes": "True",
        "small": "7",
        "single": "0.10000000149011612",
        "local_time": "2018-11-15 01:02:03.500000",
    }
    assert (row["empty"], row["nothing"]) == ("", None)
    assert set(nulls.values()) == {None}
    arrow = {column.name: column.arrow_type for column in done.manifest.tables[1].columns}
    assert (arrow["start_time"], arrow["user_id"], arrow["item_in_session"]) == ("timestamp[us, tz=UTC]", "int64", "int32")
    assert (arrow["length"], arrow["level"]) == ("double", "string")


def test_rows_are_ordered_and_written_whatever_their_types_are(own_warehouse: Connection, own_url: str, tmp_path: Path) -> None:
    load(own_warehouse, "b1", batch(play()))
    own_warehouse.execute(
        "CREATE VIEW dwh.odd AS SELECT * FROM (VALUES (json '{\"b\": 1}', point(2, 1), 0.00012::numeric(3, 5)),"
        " (json '{\"a\": 1}', point(10, 1), NULL), (json '{\"a\": 1}', point(2, 1), NULL)) AS odd (doc, place, tiny)"
    )
    done = export(own_warehouse, tmp_path, names=("odd",))
    rows = exported.parquet_rows(Path(done.place), "odd")
    assert [(row["doc"], row["place"], row["tiny"]) for row in rows] == [
        ('{"a": 1}', "(10,1)", None),
        ('{"a": 1}', "(2,1)", None),
        ('{"b": 1}', "(2,1)", "0.00012"),
    ]
    exported.check(Path(done.place), own_url)


@pytest.mark.parametrize("value", ["timestamptz 'infinity'", "date '0044-03-15 BC'", "'NaN'::numeric(10, 2)"])
def test_what_parquet_cannot_hold_is_told_without_the_value_and_csv_takes_it(own_warehouse: Connection, tmp_path: Path, value: str) -> None:
    load(own_warehouse, "b1", batch(play()))
    own_warehouse.execute(f"CREATE VIEW dwh.odd AS SELECT {value} AS moment")
    with pytest.raises(BadUsage, match=r"dwh\.odd .*--format csv") as told:
        export(own_warehouse, tmp_path, names=("odd",))
    assert told.value.__suppress_context__, "Arrow's own words hold the value"
    assert exported.csv_rows(Path(export(own_warehouse, tmp_path, "csv", ("odd",)).place), "odd")[0] == ["moment"]


def test_reader_exports_and_a_stranger_is_told_what_to_do(
    postgres_server: str, own_warehouse: Connection, own_url: str, tmp_path: Path
) -> None:
    load(own_warehouse, "b1", batch(play()))
    with login(postgres_server, "IN ROLE songlake_reader") as member, connect(at(member, own_url), application_name="reader") as reader:
        exported.check(Path(export(reader, tmp_path, names=("songplays", "user_levels", "published_tables")).place), at(member, own_url))
    with login(postgres_server) as stranger:
        own_warehouse.execute("GRANT CONNECT ON DATABASE " + own_url.rpartition("/")[2] + " TO PUBLIC")
        with (
            connect(at(stranger, own_url), application_name="stranger") as nobody,
            pytest.raises(ServiceUnreachable, match="songlake_reader"),
        ):
            export(nobody, tmp_path)


def test_same_state_is_exported_once_and_another_beside_it(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    first = export(warehouse, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = export(warehouse, tmp_path)
    assert (again.is_new, again.place, again.manifest) == (False, first.place, first.manifest)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    load(warehouse, "b2", batch(play(), play(1)))
    second, as_csv, part = export(warehouse, tmp_path), export(warehouse, tmp_path, "csv"), export(warehouse, tmp_path, names=("songs",))
    assert {path.name for path in tmp_path.iterdir()} == {Path(each.place).name for each in (first, second, as_csv, part)}
    assert max(Path(first.place).name, Path(second.place).name) == Path(second.place).name
    exported.check(Path(second.place), url)
    (Path(second.place) / "songplays" / "00001.parquet").write_bytes(b"cut")
    with pytest.raises(InputMissing, match=r"songplays/00001\.parquet"):
        export(warehouse, tmp_path)


def test_table_that_no_load_brings_is_exported_anew_when_its_rows_change(own_warehouse: Connection, tmp_path: Path) -> None:
    load(own_warehouse, "b1", batch(play()))
    own_warehouse.execute("CREATE TABLE dwh.notes (note_id text PRIMARY KEY, note text)")
    own_warehouse.execute("INSERT INTO dwh.notes VALUES ('a', 'b'), ('B', NULL)")
    first = export(own_warehouse, tmp_path, names=("notes",))
    assert export(own_warehouse, tmp_path, names=("notes",)).is_new is False
    own_warehouse.execute("UPDATE dwh.notes SET note = '' WHERE note_id = 'B'")
    second = export(own_warehouse, tmp_path, names=("notes",))
    assert [row["note"] for row in exported.parquet_rows(Path(first.place), "notes")] == [None, "b"]
    assert [row["note"] for row in exported.parquet_rows(Path(second.place), "notes")] == ["", "b"]


def test_load_that_goes_live_during_an_export_is_not_in_it(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play(), play(1)))
    before = export(warehouse, tmp_path / "quiet")

    def publish(place: str) -> None:
        if place == "export artists":
            with connect(url, application_name="publisher") as publisher:
                load(publisher, "b2", batch(play(0, level="paid"), play(2, 8), songs=[song(), song("S2")]))

    monkeypatch.setattr(files_module, "pause_at", publish)
    during = export(warehouse, tmp_path / "busy")
    assert warehouse.execute("SELECT count(*) FROM dwh.songplays WHERE level = 'paid'").fetchone() == (1,)
    assert exported.files(Path(during.place)) == exported.files(Path(before.place))
    assert (during.manifest.batch_id, during.manifest.tables) == ("b1", before.manifest.tables)


def test_large_table_has_several_files_and_goes_on_from_those_that_are_whole(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "ROWS_A_FILE", 3)
    monkeypatch.setattr(files_module, "_ROWS_A_LUMP", 2)
    load(warehouse, "b1", batch(*(play(minute) for minute in range(9))))
    whole = export(warehouse, tmp_path / "whole")
    assert [file.rows for file in exported_table(whole, "songplays").files] == [3, 3, 3]
    exported.check(Path(whole.place), url)
    root = tmp_path / "broken"
    break_off(warehouse, root, monkeypatch, turn=6)
    work = root / ".songlake-export"
    kept = work / "songplays" / "00001.parquet"
    cut = work / "songplays" / "00002.parquet"
    inode = kept.stat().st_ino
    cut.write_bytes(cut.read_bytes()[:-1])
    done = export(warehouse, root)
    assert exported.files(Path(done.place)) == exported.files(Path(whole.place))
    assert done.kept == 4 + 3 + 1 - 1
    assert (Path(done.place) / "songplays" / "00001.parquet").stat().st_ino == inode
    exported.check(Path(done.place), url)


def exported_table(outcome: Outcome, name: str) -> Any:
    return next(table for table in outcome.manifest.tables if table.name == name)


def break_off(warehouse: Connection, root: Path, monkeypatch: pytest.MonkeyPatch, turn: int, form: Format = "parquet") -> None:
    """Let an export fail after so many lumps of songplays."""
    turns = []

    def fail(place: str) -> None:
        turns.append(place)
        if turns.count("export songplays") == turn:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files_module, "pause_at", fail)
        with pytest.raises(KeyboardInterrupt):
            export(warehouse, root, form)
    assert [path.name for path in root.iterdir()] == [".songlake-export"]


def test_after_a_break_only_what_is_the_same_is_kept(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play(), play(1)))
    break_off(warehouse, tmp_path, monkeypatch, turn=1)
    load(warehouse, "b2", {"songplays": [play(2)], "time": []} | {"time": [batch(play(2))["time"][0]], "users": [user(level="paid")]})
    done = export(warehouse, tmp_path)
    assert done.kept == 2, "artists and songs have not changed, users and time have"
    [note] = done.notes
    assert "of another state (b1-parquet-" in note
    assert exported.check(Path(done.place), url)["batch_id"] == "b2"
    assert [row["level"] for row in exported.parquet_rows(Path(done.place), "users")] == ["paid"]


def test_second_break_costs_nothing_of_what_was_kept_after_the_first(
    warehouse: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play()))
    break_off(warehouse, tmp_path, monkeypatch, turn=1)
    (tmp_path / ".songlake-export" / "artists" / "00001.parquet").unlink()
    break_off(warehouse, tmp_path, monkeypatch, turn=1)
    (tmp_path / ".songlake-export" / "artists" / "00001.parquet").unlink()
    assert export(warehouse, tmp_path).kept == 3


def test_break_off_in_another_format_serves_nothing(
    warehouse: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, "b1", batch(play()))
    break_off(warehouse, tmp_path, monkeypatch, turn=1, form="csv")
    done = export(warehouse, tmp_path)
    assert done.kept == 0
    exported.check(Path(done.place), url)


@pytest.mark.parametrize(
    ("prepare", "names", "error", "says"),
    [
        (lambda root: None, ("songs", "nosuch", "../x"), BadUsage, "no table or view nosuch, ../x"),
        (lambda root: root.write_text("a file"), (), InputMissing, "cannot be written: "),
    ],
)
def test_what_cannot_be_exported_is_told_in_a_sentence(
    warehouse: Connection, tmp_path: Path, prepare: Callable[[Path], object], names: tuple[str, ...], error: Any, says: str
) -> None:
    load(warehouse, "b1", batch(play()))
    root = tmp_path / "exports"
    prepare(root)
    with pytest.raises(error, match=says):
        export(warehouse, root, names=names)


def test_nothing_live_is_told(warehouse: Connection, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="Nothing is live"):
        export(warehouse, tmp_path)


def test_something_else_of_the_same_name_is_left_alone(warehouse: Connection, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    name = Path(export(warehouse, tmp_path / "a").place).name
    (tmp_path / "b" / name).mkdir(parents=True)
    with pytest.raises(BadUsage, match="is no export"):
        export(warehouse, tmp_path / "b")


def command(url: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SONGLAKE")}
    return subprocess.Popen(
        [str(PROJECT / "bin" / "songlake"), "export", *arguments],
        env={**environment, "WAREHOUSE_URL": url, **more},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_killed_export_is_not_there_and_the_next_goes_on(warehouse: Connection, url: str, tmp_path: Path) -> None:
    load(warehouse, "b1", hostile())
    root = tmp_path / "exports"
    first = command(url, "--to", str(root), "--format", "csv", SONGLAKE_PAUSE_AT="export users")
    try:
        assert first.stderr is not None
        assert any("paused at export users" in line for line in first.stderr)
        assert [path.name for path in root.iterdir()] == [".songlake-export"]
        second = command(url, "--to", str(root))
        said, complaint = second.communicate()
        assert (second.returncode, said) == (6, "")
        assert "Another export to" in complaint
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    written = {path.name: path.stat().st_ino for path in (root / ".songlake-export" / "songs").iterdir()}
    third = command(url, "--format", "csv", SONGLAKE_EXPORT__TO=str(root))
    said, complaint = third.communicate()
    assert third.returncode == 0, complaint
    assert "2 of its files were there from an export that broke off" in said
    [folder] = root.iterdir()
    assert {path.name: path.stat().st_ino for path in (folder / "songs").iterdir()} == written
    exported.check(folder, url)
    assert exported.files(folder) == exported.files(Path(export(warehouse, tmp_path / "quiet", "csv").place))


def test_place_and_format_come_from_the_settings_file_or_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_EXPORT__TO", "s3a://lab/exports")
    monkeypatch.setenv("SONGLAKE_EXPORT__TABLES", '["songs", "user_levels"]')
    chosen = settings.load().export
    assert (str(chosen.to), chosen.format, chosen.tables) == ("s3a://lab/exports", "parquet", ("songs", "user_levels"))
    monkeypatch.setenv("SONGLAKE_EXPORT__TO", "data/exports")
    assert settings.load().export.to == settings.PROJECT / "data" / "exports"
    monkeypatch.setenv("SONGLAKE_EXPORT__FORMAT", "xlsx")
    with pytest.raises(BadUsage, match=r"export\.format"):
        settings.load()
