"""The page on a run: literal rows loaded, the page written, its figures read back from the HTML as a browser would see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from spark_jobs.contracts import FILES, REJECTS
from spark_jobs.errors import BadUsage, LakeChanged
from spark_jobs.lake import log
from spark_jobs.report_page import DAYS, write_page
from spark_jobs.warehouse.check import check
from spark_jobs.warehouse.connection import Connection, connect
from tests.postgres.lake import ingest, reject
from tests.postgres.staging import GATE, MIDNIGHT, Row, artist, batch, file, load, play, song, stage, user

HOSTILE = "<script>alert(1)</script>"
HARMLESS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "h3", "p", "div", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "details", "summary", "svg", "g", "path", "line", "text"),
}


class Page(HTMLParser):
    """Elements, attributes and text of a page, and the cells of its tables by their titles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.open: list[str] = []
        self._title = ""
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)
        named = dict(attrs)
        if named.get("role") == "region":
            self._title = named.get("aria-label") or ""
        if tag == "table":
            self.tables[self._title] = []
        if tag == "tr":
            self.tables[self._title].append([])
        if tag in {"td", "th"}:
            self.tables[self._title][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        if self.open and self.open[-1] in {"td", "th"}:
            self.tables[self._title][-1][-1] += data
        elif data.strip():
            self.texts.append(" ".join(data.split()))

    def table(self, title: str) -> list[list[str]]:
        """A table's rows without its head."""
        return self.tables[title][1:]

    def pictures(self) -> list[str]:
        """Names of the charts."""
        return [value for tag, name, value in self.attributes if (tag, name) == ("svg", "aria-label")]


def page(connection: Connection, folder: Path, lake: Path | None = None, **options: Any) -> Page:
    return Page(write_page(connection, lake or folder / "no-lake", folder / "reports", "run", **options))


@pytest.fixture
def plays() -> list[Row]:
    """Six plays on a Thursday and the Sunday after, with two silent days between; one matches a song."""
    sunday = MIDNIGHT + timedelta(days=3)
    return [
        play(0, song_id="S1", artist_id="A1", song_title="song", artist_name="ARTIST", level="paid"),
        play(60, level="paid"),
        play(61, artist_name="Nobody", song_title=HOSTILE),
        play(62, artist_name="Nobody", song_title=HOSTILE),
        play(63, artist_name="Nobody", song_title="Other"),
        play(23 * 60, user_id=8, day=sunday, artist_name="Zoë", song_title="a & b"),
    ]


def test_page_tells_the_plays(warehouse: Connection, tmp_path: Path, plays: list[Row]) -> None:
    load(warehouse, "b1", batch(*plays))
    told = page(warehouse, tmp_path)
    days = [
        ["2018-11-15", "5", "2", "3", "1"],
        ["2018-11-16", "0", "0", "0", "0"],
        ["2018-11-17", "0", "0", "0", "0"],
        ["2018-11-18", "1", "0", "1", "0"],
    ]
    assert told.table("Plays a day") == days
    assert told.table("Paid and free plays a day") == days
    hours = {row[0]: row[1:] for row in told.table("Plays by hour and weekday")}
    assert len(hours) == 24
    assert (hours["0"], hours["1"], hours["23"]) == (list("0001000"), list("0004000"), list("0000001"))
    assert hours["2"] == list("0000000")
    assert told.table("Artists with most plays") == [["Nobody", "3", "0"], ["Artist", "2", "1"], ["Zoë", "1", "0"]]
    assert told.table("Songs with most plays") == [
        [HOSTILE, "Nobody", "2", "0"],
        ["Song", "Artist", "2", "1"],
        ["Other", "Nobody", "1", "0"],
        ["a & b", "Zoë", "1", "0"],
    ]
    assert told.table("Artists with most plays that match no song") == [["Nobody", "3"], ["Artist", "1"], ["Zoë", "1"]]
    assert "6 plays from 2018-11-15 to 2018-11-18 (UTC)." in told.texts
    assert "1 of 6 plays (16.67 %) match a song of the catalogue." in told.texts


def test_page_tells_how_people_listen_and_who_comes_back_and_pays(warehouse: Connection, tmp_path: Path) -> None:
    week = timedelta(days=7)
    plays = [
        play(0, 1, length=1800.0),
        play(30, 1, length=1800.0, item_in_session=1),
        play(0, 2, day=MIDNIGHT + timedelta(days=1), level="paid", song_title="Blue", artist_name="Band", length=360.0),
        play(0, 1, day=MIDNIGHT + week, level="paid", session_id=2, length=None),
        play(5, 1, day=MIDNIGHT + week, level="free", session_id=2, length=360.0),
    ]
    later = [play(minute, 3, day=MIDNIGHT + 3 * week, session_id=3, level=level) for minute, level in ((0, "free"), (1, "paid"))]
    load(warehouse, "b1", batch(*plays, users=[user(1, registered_at=MIDNIGHT - timedelta(days=3)), user(2)]))
    told = page(warehouse, tmp_path)
    listeners = told.table("Listeners a day")
    assert (listeners[0], listeners[1], listeners[-1]) == (
        ["2018-11-15", "0", "1", "0", "1"],
        ["2018-11-16", "1", "0", "0.1", "0"],
        ["2018-11-22", "1", "1", "0", "0.1"],
    )
    assert len(listeners) == 8
    assert told.table("Sessions a day") == [["2018-11-15", "1", "2", "60"], ["2018-11-16", "1", "1", "6"], ["2018-11-22", "1", "2", "6"]]
    assert told.table("Artists of the latest month, paying listeners") == [["1", "Artist", "1", "0"], ["2", "Band", "1", "0"]]
    assert told.table("Songs of the latest month, free listeners") == [["1", "Song", "Artist", "3", "0"]]
    assert told.tables["Who came back, by the week of their first play"] == [
        ["first week", "listeners", "week 0", "week 1"],
        ["2018-11-12", "2", "100%", "50%"],
    ]
    assert told.tables["Changes of level a week"] == [["week", "to paid", "to free", "median days to paid"], ["2018-11-19", "1", "1", "10"]]
    load(warehouse, "b2", batch(*later, songs=[], artists=[], files=[]))
    assert page(warehouse, tmp_path).table("Changes of level a week") == [
        ["2018-11-19", "1", "1", "10"],
        ["2018-11-26", "0", "0", ""],
        ["2018-12-03", "1", "0", ""],
    ]


def test_page_names_what_the_catalogue_lacks_and_the_nearest_song(warehouse: Connection, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play(0, length=201.0), play(1, length=201.0), play(2, song_title="Other", length=None)))
    assert page(warehouse, tmp_path).table("What the catalogue lacks most, and the nearest song it has") == [
        ["Song", "Artist", "201", "2", "S1", "200.5"],
        ["Other", "Artist", "", "1", "", ""],
    ]


def test_page_tells_what_is_recommended_and_draws_the_model_beside_the_simpler_ways(warehouse: Connection, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play()))
    assert "The model has not run yet; bin/songlake recommend runs it." in page(warehouse, tmp_path).texts
    als, popularity = ({"recall_at_10": value, "ndcg_at_10": value / 2, "coverage": 0.5} for value in (0.25, 0.125))
    runs = [("popularity-1-x", "popularity", {}), ("als-2-y", "als", {"new": {"popularity": popularity, "als": als}})]
    for number, (version, chosen, metrics) in enumerate(runs):
        warehouse.execute(
            "INSERT INTO ops.model_runs VALUES (%s, %s, %s, 'id', %s, '{}', %s, 7, 10, 2.5, %s, %s)",
            [version, chosen, f"Why {chosen}.", number, json.dumps(metrics), MIDNIGHT, MIDNIGHT + timedelta(days=number)],
        )
        told = page(warehouse, tmp_path)
        assert f"Why {chosen}." in told.texts
        assert "None are live." in told.texts
        assert ("No run had enough plays to judge by." in told.texts) == (number == 0)
    warehouse.execute("INSERT INTO dwh.recommendations VALUES (7, 1, 'A', 1, 'als-2-y'), (7, 2, 'B', 0.5, 'als-2-y')")
    told = page(warehouse, tmp_path)
    assert told.table("Recommendations that are live") == [["als-2-y", "2", "1", "2"]]
    assert told.table("Recall at 10, artists new to the listener") == [
        ["16 Nov 18 00:00:00", "new", "als", "0.25", "0.125", "0.5"],
        ["16 Nov 18 00:00:00", "new", "popularity", "0.125", "0.062", "0.5"],
    ]
    assert [row[0] for row in told.table("Latest runs of the model")] == ["als-2-y", "popularity-1-x"]
    assert told.pictures()[-2:] == ["Recall at 10, artists new to the listener", "NDCG at 10, artists new to the listener"]


def test_every_chart_is_a_named_picture_with_its_figures_behind(warehouse: Connection, tmp_path: Path, plays: list[Row]) -> None:
    load(warehouse, "b1", batch(*plays))
    told = page(warehouse, tmp_path)
    assert told.pictures() == [
        "Plays in the warehouse after the latest loads",
        "Plays a day",
        "Paid and free plays a day",
        "Plays by hour and weekday",
        "Artists with most plays",
        "Songs with most plays",
        "Listeners a day",
        "Hours listened a day",
        "Sessions a day",
        "Artists of the latest month, paying listeners",
        "Artists of the latest month, free listeners",
        "Songs of the latest month, paying listeners",
        "Songs of the latest month, free listeners",
        "Who came back, by the week of their first play",
        "Changes of level a week",
        "Artists with most plays that match no song",
    ]
    assert set(told.pictures()) <= set(told.tables)
    assert [value for tag, name, value in told.attributes if (tag, name) == ("svg", "role")] == ["img"] * 16
    assert {"2 · Song · Artist", "1 · Zoë · a & b", "1 · a & b · Zoë"} & set(told.texts) == {"2 · Song · Artist", "1 · a & b · Zoë"}


def test_values_from_files_cannot_become_markup(warehouse: Connection, tmp_path: Path) -> None:
    quoted = '"><b onclick=a()>{{7*7}}'
    rows = batch(
        play(0, song_title=HOSTILE, artist_name=quoted), files=[file(f"log_data/{HOSTILE}.json", status="unreadable", cause=quoted)]
    )
    load(warehouse, "b1", rows)
    told = page(warehouse, tmp_path, title_note=HOSTILE)
    assert "<script" not in told.html
    assert told.html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert told.tags <= HARMLESS
    assert [name for _, name, _ in told.attributes if name.startswith("on") or name in {"src", "href", "xlink:href"}] == []
    assert told.table("Songs with most plays") == [[HOSTILE, quoted, "1", "0"]]
    assert told.table("Unreadable files, at most 20 of them") == [[f"log_data/{HOSTILE}.json", quoted, "yes"]]
    assert f"1 · {HOSTILE} · {quoted}" in told.texts
    assert f"Songlake: {HOSTILE}" in told.texts


def test_page_needs_nothing_from_elsewhere(warehouse: Connection, tmp_path: Path, plays: list[Row]) -> None:
    load(warehouse, "b1", batch(*plays))
    told = page(warehouse, tmp_path)
    assert re.findall(r"https?:|//\w|@import|url\(", told.html) == []
    policy = next(value for tag, name, value in told.attributes if (tag, name) == ("meta", "content") and "default-src" in value)
    assert policy.startswith("default-src 'none';")
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', told.html))
    assert colours <= {"none", "currentColor", "var(--first)", "var(--second)", "var(--third)", "var(--fourth)", "transparent"}


def test_page_names_the_load_its_rows_and_how_the_warehouse_grew(warehouse: Connection, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play(0)))
    load(warehouse, "b2", batch(play(0, location="Bergen"), play(1), play(2), songs=[], artists=[]))
    told = page(warehouse, tmp_path, title_note="nightly")
    assert {"Songlake: nightly", "Load b2 is live."} <= set(told.texts)
    assert told.table("Latest load")[0][:2] == ["b2", "published"]
    assert ["songplays", "3", "2", "1", "0", "3"] in told.table("Rows of the latest load")
    assert ["artists", "0", "0", "0", "0", "1"] in told.table("Rows of the latest load")
    grown = [[row[0], *row[2:]] for row in told.table("Plays in the warehouse after the latest loads")]
    assert grown == [["b1", "1", "1", "1", "1", "1"], ["b2", "3", "1", "1", "1", "3"]]


def test_refused_batch_on_an_empty_warehouse_is_told_with_what_failed_first(warehouse: Connection, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    ingest(lake, "i1", [file(lines=10, accepted=8, rejected=2)], [reject("log_data/a.json", 3, "ts_invalid", "page_missing")])
    stage(warehouse, "b1", {"files": [file(lines=10, accepted=8, rejected=2)], "songplays": [play(level="gold")]})
    check(warehouse, "b1", GATE)
    told = page(warehouse, tmp_path, lake)
    assert "Load b1 was refused; what was live stays live." in told.texts
    results = told.table("Checks of the latest load")
    assert [row[:2] for row in results[:3]] == [["FAILED", "levels_known"], ["FAILED", "references_resolve"], ["FAILED", "rejected_share"]]
    assert results[0] == ["FAILED", "levels_known", "table name songplays, level gold", "fail", "1"]
    assert ["passed", "staged_keys", "Every staged row, also a deletion, has a key, and no two have the same.", "fail", "0"] in results
    assert ["songplays", "1", "", "", "", "0"] in told.table("Rows of the latest load")
    assert told.table("Files with most refused lines") == [["log_data/a.json", "10", "2", "yes"]]
    assert {"No play is live yet.", "No load has been published yet."} <= set(told.texts)
    assert told.pictures() == []
    assert "secret" not in told.html


def test_overruled_check_names_who_and_why(warehouse: Connection, tmp_path: Path) -> None:
    stage(warehouse, "b1", {"songplays": [play(level="gold")]})
    check(warehouse, "b1", GATE)
    warehouse.execute("INSERT INTO ops.acceptances VALUES ('b1', 'levels_known', 'a trial', 'ann', now())")
    told = page(warehouse, tmp_path)
    assert told.table("Checks of the latest load")[0][2] == "table name songplays, level gold; overruled by ann: a trial"


def test_lake_tells_what_came_and_why_lines_were_refused(warehouse: Connection, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    cut = file("log_data/cut.json.gz", status="unreadable", cause="cut gzip", lines=0, accepted=0)
    ingest(lake, "i1", [file("log_data/old.json", lines=100, accepted=91, rejected=9), cut], [reject("log_data/old.json", 1, "not_csv")])
    ingest(lake, "i2", [file("song_data/s.json", kind="songs", lines=5, accepted=5)])
    stage(warehouse, "b1", {"files": []})
    refused = [reject("log_data/new.json", 1, "ts_invalid"), reject("log_data/new.json", 2, "ts_invalid", "page_missing")]
    later = MIDNIGHT + timedelta(days=1)
    ingest(lake, "i3", [file("log_data/new.json", lines=20, accepted=17, repeated=1, rejected=2, ingested_at=later)], refused)
    told = page(warehouse, tmp_path, lake)
    assert told.table("Ingest i3") == [["events", "1", "0", "20", "17", "1", "2"]]
    assert told.table("Refused lines by reason") == [
        ["ts_invalid", "ts is missing, not whole, or outside 2000 to 2100", "2", "2"],
        ["page_missing", "page is missing", "1", "1"],
        ["not_csv", "the record is not CSV: its quotes do not fit", "0", "1"],
    ]
    assert told.table("Files with most refused lines") == [["log_data/new.json", "20", "2", "yes"], ["log_data/old.json", "100", "9", "no"]]
    assert told.table("Unreadable files, at most 20 of them") == [["log_data/cut.json.gz", "cut gzip", "no"]]


def test_load_that_carries_several_ingests_counts_all_their_files(warehouse: Connection, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    ingest(lake, "i1", [file("log_data/1.json", lines=1, accepted=1)])
    first = log.position(log.open_table(lake, FILES))
    ingest(lake, "i2", [file("log_data/2.json", lines=20, accepted=20)])
    ingest(lake, "i3", [file("log_data/3.json", lines=300, accepted=300, ingested_at=MIDNIGHT + timedelta(days=1))])
    last = log.position(log.open_table(lake, FILES))
    warehouse.execute(
        "INSERT INTO ops.batches (batch_id, status, started_at, staged_at, base, target, expected)"
        " VALUES (%s, 'staged', now(), now(), %s, %s, '{}')",
        ["b1", json.dumps({"files": first.as_dict()}), json.dumps({"files": last.as_dict()})],
    )
    told = page(warehouse, tmp_path, lake)
    assert told.table("Ingest i3") == [["events", "1", "0", "300", "300", "0", "0"]]
    assert told.table("All files of the latest load") == [["events", "2", "0", "320", "320", "0", "0"]]


def test_plays_older_than_the_window_are_left_out_also_from_before_ids_grew_a_digit(warehouse: Connection, tmp_path: Path) -> None:
    long_ago = MIDNIGHT.replace(year=2000)
    plays = [play(0, day=long_ago), play(0, day=MIDNIGHT - timedelta(days=DAYS)), play(0, day=MIDNIGHT - timedelta(days=DAYS - 1)), play(5)]
    load(warehouse, "b1", batch(*plays))
    told = page(warehouse, tmp_path)
    assert len(told.table("Plays a day")) == DAYS
    assert (told.table("Plays a day")[0][:2], told.table("Plays a day")[-1][:2]) == (["2018-08-18", "1"], ["2018-11-15", "1"])
    assert told.table("Artists with most plays") == [["Artist", "2", "0"]]


def test_plays_of_the_year_2000_alone_are_all_told(warehouse: Connection, tmp_path: Path) -> None:
    load(warehouse, "b1", batch(play(0, day=MIDNIGHT.replace(year=2000)), play(1, day=MIDNIGHT.replace(year=2000))))
    assert page(warehouse, tmp_path).table("Plays a day") == [["2000-11-15", "2", "0", "2", "0"]]


def test_ranking_ends_after_ten_with_ties_by_name(warehouse: Connection, tmp_path: Path) -> None:
    names = [f"Artist {letter}" for letter in "LKJIHGFEDCBA"]
    load(warehouse, "b1", batch(*[play(minute, artist_name=name) for minute, name in enumerate(names)]))
    told = page(warehouse, tmp_path)
    assert [row[0] for row in told.table("Artists with most plays")] == sorted(names)[:10]


def test_matched_play_counts_under_the_names_of_the_catalogue(warehouse: Connection, tmp_path: Path) -> None:
    rows = batch(
        play(0, song_id="S1", artist_id="A1", song_title="BLUE", artist_name="the  band"),
        play(1, song_title="blue", artist_name="The Band"),
        songs=[song(title="Blue")],
        artists=[artist(name="The Band")],
    )
    load(warehouse, "b1", rows)
    told = page(warehouse, tmp_path)
    assert told.table("Artists with most plays") == [["The Band", "2", "1"]]
    assert told.table("Songs with most plays") == [["Blue", "The Band", "1", "1"], ["blue", "The Band", "1", "0"]]


def test_empty_warehouse_without_a_lake_has_a_page(warehouse: Connection, tmp_path: Path) -> None:
    told = page(warehouse, tmp_path)
    assert {"Nothing has been loaded yet.", "No file has been read yet.", "No load has been checked yet.", "No play is live yet."} <= set(
        told.texts
    )
    assert (told.tables, told.pictures()) == ({}, [])


@pytest.fixture
def bare(warehouse_url: str) -> Iterator[Connection]:
    """A database in which nothing was ever made."""
    with connect(warehouse_url, application_name="test") as connection:
        yield connection


def test_database_without_the_schema_has_a_page_with_what_the_lake_tells(bare: Connection, tmp_path: Path) -> None:
    ingest(tmp_path / "lake", "i1", [file(lines=3, accepted=3)])
    told = page(bare, tmp_path, tmp_path / "lake")
    assert "Nothing has been loaded yet." in told.texts
    assert told.table("Ingest i1") == [["events", "1", "0", "3", "3", "0", "0"]]


def test_page_replaces_the_one_before_and_leaves_nothing_else(warehouse: Connection, tmp_path: Path) -> None:
    before = write_page(warehouse, tmp_path, tmp_path / "deep" / "reports", "run")
    load(warehouse, "b1", batch(play()))
    after = write_page(warehouse, tmp_path, tmp_path / "deep" / "reports", "run")
    assert before == after == tmp_path / "deep" / "reports" / "run.html"
    assert [each.name for each in after.parent.iterdir()] == ["run.html"]
    assert "Load b1 is live." in after.read_text()


def test_same_state_gives_the_same_page_and_changes_nothing(warehouse: Connection, tmp_path: Path, plays: list[Row]) -> None:
    load(warehouse, "b1", batch(*plays))
    rows = warehouse.execute("SELECT xmin::text, * FROM ops.published ORDER BY table_name").fetchall()
    assert page(warehouse, tmp_path).html == page(warehouse, tmp_path).html
    assert warehouse.execute("SELECT xmin::text, * FROM ops.published ORDER BY table_name").fetchall() == rows


def test_page_asks_each_view_for_analysts_once_as_each_may_read_all_plays(
    own_warehouse: Connection, tmp_path: Path, plays: list[Row]
) -> None:
    # In a database of its own: what emptied the shared one tells up to ten seconds later how often it looked there.
    warehouse = own_warehouse
    load(warehouse, "b1", batch(*plays, play(1, day=MIDNIGHT + timedelta(days=9), level="paid"), play(2, day=MIDNIGHT + timedelta(days=9))))

    def scans() -> dict[str, int]:
        rows = warehouse.execute(
            "SELECT relname::text, seq_scan + coalesce(idx_scan, 0), pg_stat_force_next_flush() FROM pg_stat_user_tables"
            " WHERE relname IN ('kept_play_runs', 'kept_song_months')"
        ).fetchall()
        return {name: count for name, count, _ in rows}

    scans()
    before = scans()
    page(warehouse, tmp_path)
    scans()
    # A view is answered from what is kept and, where that is found empty, from all plays: each time it is asked it looks there twice.
    # Made of runs of plays: daily activity, sessions, retention, changes of level; of songs of a month: artists, songs, unmatched plays.
    assert {name: (count - before[name]) / 2 for name, count in scans().items()} == {"kept_play_runs": 4, "kept_song_months": 3}


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc/passwd"])
def test_name_with_a_folder_is_refused(warehouse: Connection, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadUsage, match="cannot be the name of a page"):
        write_page(warehouse, tmp_path, tmp_path / "reports", name)
    assert not (tmp_path / "reports").exists()


def test_lake_changed_from_outside_is_refused_and_the_old_page_stays(warehouse: Connection, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    ingest(lake, "i1", [file()])
    path = write_page(warehouse, lake, tmp_path / "reports", "run")
    old = path.read_bytes()
    write_deltalake(
        log.lake_path(lake, REJECTS),
        pa.Table.from_pylist([reject("x", 1, "not_csv") | {"batch_id": "?"}], pa.schema(log.open_table(lake, REJECTS).schema().to_arrow())),
        mode="append",
    )
    with pytest.raises(LakeChanged):
        write_page(warehouse, lake, tmp_path / "reports", "run")
    assert path.read_bytes() == old
