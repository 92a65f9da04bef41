"""Every check of sql/checks: what makes it fail, and what it lets pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.contracts import STAGED, STAR
from spark_jobs.warehouse.check import CHECKS, CheckResult, check, load_checks
from spark_jobs.warehouse.connection import Connection
from tests.postgres.staging import GATE, MIDNIGHT, artist, batch, failing, file, gate, gone, load, play, song, stage, user


def test_ordinary_batch_passes_every_check(warehouse: Connection) -> None:
    plays = [play(0, song_id="S1", artist_id="A1"), play(1, user_id=8, level="paid")]
    stage(warehouse, "b1", batch(*plays, files=[file(lines=100, accepted=90, repeated=5, rejected=5)]))
    results = gate(warehouse, "b1")
    assert failing(results) == {}
    assert list(results) == [check.name for check in load_checks()]


def test_empty_tables_pass_every_check(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"files": [file()]})
    assert failing(gate(warehouse, "b1")) == {}


BROKEN: dict[str, tuple[Callable[[], dict[str, Any]], str, str]] = {
    "staged_keys": (lambda: batch(play(), songs=[song(), song(title="Other")]), "fail", "table name songs"),
    "references_resolve": (lambda: batch(play(user_id=7), users=[user(8)]), "fail", "reference songplays.user_id"),
    "levels_known": (lambda: batch(play(level="gold")), "fail", "table name songplays, level gold"),
    "rejected_share": (
        lambda: batch(play(), files=[file(lines=10, accepted=9, rejected=1)]),
        "fail",
        "kind events, refused lines 1, all lines 10, share 0.1, allowed 0.05",
    ),
    "rejected_share_by_file": (
        lambda: batch(play(), files=[file("a", lines=1000, accepted=1000), file("b", lines=100, accepted=94, rejected=6)]),
        "warn",
        "path b, refused lines 6, all lines 100, share 0.06, allowed 0.05",
    ),
    "file_lines_add_up": (
        lambda: batch(play(), files=[file("a", lines=10, accepted=8, repeated=1)]),
        "fail",
        "path a, all lines 10, accepted 8, repeated 1, rejected 0",
    ),
    "unreadable_files": (
        lambda: batch(play(), files=[file("a", status="unreadable", cause="cut gzip", lines=0, accepted=0)]),
        "warn",
        "path a, cause cut gzip",
    ),
    "unknown_keys": (
        lambda: batch(play(), files=[file("b", unknown_keys=["mood"]), file("a", unknown_keys=["mood"]), file("c")]),
        "warn",
        "kind events, key mood, first file a, files 2",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_batch_is_told_by_its_check_alone(warehouse: Connection, name: str) -> None:
    rows, severity, detail = BROKEN[name]
    stage(warehouse, "b1", rows())
    results = gate(warehouse, "b1")
    assert failing(results) == {name: detail}
    assert (results[name].severity, results[name].violations) == (severity, 1)


@pytest.mark.parametrize("table", STAGED, ids=lambda table: table.name)
def test_staged_counts_tells_rows_that_did_not_arrive(warehouse: Connection, table: Any) -> None:
    rows = batch(play())
    counts = {name: len(values) for name, values in rows.items()}
    stage(warehouse, "b1", rows, expected=counts | {table.name: 3})
    assert failing(gate(warehouse, "b1")) == {"staged_counts": f"table name {table.name}, written 3, staged 1"}


def test_staged_counts_tells_rows_that_nobody_wrote(warehouse: Connection) -> None:
    rows = batch(play())
    stage(warehouse, "b1", rows, expected={name: len(values) for name, values in rows.items() if name != "songs"})
    assert failing(gate(warehouse, "b1")) == {"staged_counts": "table name songs, written 0, staged 1"}


@pytest.mark.parametrize("table", STAGED, ids=lambda table: table.name)
def test_staged_keys_tells_a_missing_and_a_repeated_key_of_every_table(warehouse: Connection, table: Any) -> None:
    (key,) = table.key
    rows = batch(play())
    first = rows[table.name][0]
    stage(warehouse, "b1", rows | {table.name: [first, gone(**{key: first[key]}), gone(**{key: None})]})
    result = gate(warehouse, "b1")["staged_keys"]
    assert (result.detail, result.violations) == (f"table name {table.name}", 2)


def test_staged_values_tells_every_column_that_the_contracts_require(warehouse: Connection, tmp_path: Path) -> None:
    required = {(t.name, c.name) for t in STAGED for c in t.warehouse_columns if not c.nullable and c.name not in t.key}
    rows = batch(play())
    empty = {t.name: [{name: None if (t.name, name) in required else value for name, value in rows[t.name][0].items()}] for t in STAGED}
    stage(warehouse, "b1", empty)
    assert gate(warehouse, "b1")["staged_values"].violations == len(required)
    shutil.copy(CHECKS / "staged_values.sql", tmp_path)
    for table, column in sorted(required):
        stage(warehouse, "b2", {table: [rows[table][0] | {column: None}]})
        (result,) = check(warehouse, "b2", GATE, tmp_path)
        assert result.detail == f"table name {table}, column name {column}"


def test_staged_values_lets_a_deletion_carry_its_key_alone(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"songplays": [gone(songplay_id="1-1-1-1")], "users": [gone(user_id=1)], "files": [gone(path="a")]})
    assert failing(gate(warehouse, "b1")) == {}


REFERENCES = {
    "songplays.user_id": {"users": []},
    "songplays.song_id": {"songs": []},
    "songplays.artist_id": {"artists": [], "songs": [song(artist_id="A0")]},
    "songplays.start_time": {"time": []},
    "songs.artist_id": {"songs": [song("S1", artist_id="A9")]},
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_reference_to_nothing_fails_and_to_a_live_row_passes(warehouse: Connection, reference: str) -> None:
    known = play(song_id="S1", artist_id="A1")
    missing = REFERENCES[reference]
    if reference == "songplays.artist_id":
        load(warehouse, "b0", {"artists": [artist("A0")]})
    stage(warehouse, "b1", batch(known) | missing)
    result = gate(warehouse, "b1")["references_resolve"]
    assert (result.detail, result.violations) == (f"reference {reference}", 1)

    load(warehouse, "b2", batch(known, artists=[artist(), artist("A9")]))
    stage(warehouse, "b3", batch(known) | missing)
    assert gate(warehouse, "b3")["references_resolve"].passed


@pytest.mark.parametrize("target", ["users", "songs", "artists", "time"])
def test_staged_row_may_not_refer_to_what_its_own_batch_deletes(warehouse: Connection, target: str) -> None:
    known = play(song_id="S1", artist_id="A1")
    load(warehouse, "b1", batch(known))
    (key,) = next(table.key for table in STAR if table.name == target)
    rows = batch(known) | {target: [gone(**{key: batch(known)[target][0][key]})]}
    stage(warehouse, "b2", rows)
    results = gate(warehouse, "b2")
    assert not results["references_resolve"].passed
    # The plays that refer are staged, so they are not told twice.
    assert results["deletions_leave_no_gap"].passed or target == "artists"


@pytest.mark.parametrize(
    ("deleted", "reference"),
    [
        ({"users": [gone(user_id=7)]}, "songplays.user_id"),
        ({"songs": [gone(song_id="S1")]}, "songplays.song_id"),
        ({"artists": [gone(artist_id="A1")], "songs": [song(artist_id="A2")]}, "songplays.artist_id"),
        ({"time": [gone(start_time=MIDNIGHT)]}, "songplays.start_time"),
        ({"artists": [gone(artist_id="A3")]}, "songs.artist_id"),
    ],
)
def test_deletion_fails_while_live_rows_refer_to_it_and_passes_with_them(warehouse: Connection, deleted: Any, reference: str) -> None:
    plays = [play(0, song_id="S1", artist_id="A1"), play(1, user_id=8)]
    load(warehouse, "b1", batch(*plays, artists=[artist(), artist("A2"), artist("A3")], songs=[song(), song("S3", artist_id="A3")]))
    stage(warehouse, "b2", deleted)
    result = gate(warehouse, "b2")["deletions_leave_no_gap"]
    assert (result.detail, result.violations) == (f"reference {reference}", 1)

    together = {"songplays": [gone(songplay_id=plays[0]["songplay_id"])], "songs": [gone(song_id="S1"), gone(song_id="S3")]}
    stage(warehouse, "b3", deleted | together)
    assert gate(warehouse, "b3")["deletions_leave_no_gap"].passed


def test_user_without_a_level_passes_and_with_an_unknown_one_fails(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"users": [user(1, level=None), user(2, level="paid")]})
    assert failing(gate(warehouse, "b1")) == {}
    stage(warehouse, "b2", {"users": [user(1, level="Paid")]})
    assert failing(gate(warehouse, "b2")) == {"levels_known": "table name users, level Paid"}


def test_rejected_share_is_judged_for_each_kind_over_all_files(warehouse: Connection) -> None:
    exactly = [file("a", lines=29, accepted=0, rejected=29), file("b", lines=71, accepted=71), file("s", kind="songs", lines=0, accepted=0)]
    stage(warehouse, "b1", {"files": exactly})
    assert gate(warehouse, "b1", max_rejected_share=0.29)["rejected_share"].passed
    one_more = [*exactly, file("c", lines=1, accepted=0, rejected=1), file("t", kind="songs", lines=2, accepted=0, rejected=2)]
    stage(warehouse, "b2", {"files": one_more})
    result = gate(warehouse, "b2", max_rejected_share=0.29)["rejected_share"]
    assert result.detail == "; ".join(
        [
            "kind events, refused lines 30, all lines 101, share 0.297, allowed 0.29",
            "kind songs, refused lines 2, all lines 2, share 1.0, allowed 0.29",
        ]
    )
    assert result.violations == 32


def test_small_file_of_bad_lines_is_no_warning(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"files": [file("a", lines=99, accepted=0, rejected=99), file("b", lines=99_999, accepted=99_999)]})
    assert failing(gate(warehouse, "b1")) == {}


def test_deleted_share_needs_more_than_the_share_and_more_than_the_rows(warehouse: Connection) -> None:
    users = [user(number) for number in range(20)]
    load(warehouse, "b1", {"users": users})

    def delete(count: int) -> CheckResult:
        unknown = [gone(user_id=number) for number in range(100, 200)]
        stage(warehouse, "b2", {"users": [gone(user_id=number) for number in range(count)] + unknown + users[10:]})
        return gate(warehouse, "b2", max_deleted_share=0.10, max_deleted_rows=2)["deleted_share"]

    assert delete(2).passed
    assert delete(3).detail == "table name users, deleted 3, live 20, share 0.15, allowed 0.1"
    assert delete(3).violations == 3
    stage(warehouse, "b3", {"users": [gone(user_id=number) for number in range(3)]})
    assert gate(warehouse, "b3", max_deleted_share=0.15, max_deleted_rows=2)["deleted_share"].passed
    assert gate(warehouse, "b3", max_deleted_share=0.10, max_deleted_rows=3)["deleted_share"].passed


@pytest.mark.parametrize("table", STAGED, ids=lambda table: table.name)
def test_deleted_share_watches_every_table(warehouse: Connection, table: Any) -> None:
    rows = batch(play())
    load(warehouse, "b1", rows)
    (key,) = table.key
    stage(warehouse, "b2", {table.name: [gone(**{key: rows[table.name][0][key]})]})
    result = gate(warehouse, "b2", max_deleted_rows=0)["deleted_share"]
    assert result.detail == f"table name {table.name}, deleted 1, live 1, share 1.0, allowed 0.1"


def test_lost_files_names_live_files_that_the_lake_no_longer_knows(warehouse: Connection) -> None:
    load(warehouse, "b1", {"files": [file("a"), file("b")]})
    stage(warehouse, "b2", {"files": [gone(path="a"), gone(path="never live")]})
    assert failing(gate(warehouse, "b2")) == {"lost_files": "path a"}
    stage(warehouse, "b3", {"files": [file("b"), gone(path="never live")]})
    assert failing(gate(warehouse, "b3")) == {}


def test_lines_that_add_up_with_a_negative_count_do_not(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"files": [file("a", lines=10, accepted=11, repeated=0, rejected=-1)]})
    assert list(failing(gate(warehouse, "b1"))) == ["file_lines_add_up"]


def test_file_that_stays_unreadable_is_named_until_it_can_be_read(warehouse: Connection) -> None:
    broken = file("a", status="unreadable", cause="cut gzip", lines=0, accepted=0)
    load(warehouse, "b1", {"files": [broken, file("b")]})
    stage(warehouse, "b2", {"users": [user()]})
    assert failing(gate(warehouse, "b2")) == {"unreadable_files": "path a, cause cut gzip"}
    stage(warehouse, "b3", {"files": [file("a")]})
    assert failing(gate(warehouse, "b3")) == {}
    load(warehouse, "b4", {"files": [file("a")]})
    stage(warehouse, "b5", {"users": [user()]})
    assert failing(gate(warehouse, "b5")) == {}


def test_no_detail_quotes_a_person(warehouse: Connection) -> None:
    rows = batch(play(user_id=424242, location="Secretville", level="gold"), users=[user(434343, last_seen_at=None)])
    rows["users"] = [*rows["users"], *rows["users"]]
    stage(warehouse, "b1", rows)
    told = " ".join(detail or "" for detail in failing(gate(warehouse, "b1")).values())
    assert told
    assert not any(secret in told for secret in ("424242", "434343", "Secretville", "Zzyzx", "Qwghlm", "Lynx"))


def test_every_check_is_tested_here_or_over_time() -> None:
    tested = set(BROKEN) | {
        "staged_counts",
        "staged_values",
        "deletions_leave_no_gap",
        "deleted_share",
        "lost_files",
        "volume",
        "match_rate",
        "freshness",
    }
    assert {check.name for check in load_checks()} == tested
