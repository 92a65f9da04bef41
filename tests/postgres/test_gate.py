"""The gate around the checks: headers, records, statuses, and which batch stands in staging."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from spark_jobs.cli import app
from spark_jobs.errors import BadUsage, InputMissing, LockHeld
from spark_jobs.lake.log import Position
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.batches import begin_batch, find, finish_staging, is_empty, published, staged_batch
from spark_jobs.warehouse.check import check, failed, load_checks
from spark_jobs.warehouse.connection import Connection, connect
from tests.postgres.staging import GATE, batch, file, fill, gate, load, play, song, stage, user


def status(connection: Connection, batch_id: str) -> str | None:
    found = find(connection, batch_id)
    return found.status if found else None


def write_check(folder: Path, text: str, name: str = "a_check") -> Path:
    (folder / f"{name}.sql").write_text(text)
    return folder


def test_good_batch_is_marked_checked_and_every_answer_is_recorded(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play()))
    assert status(warehouse, "b1") == "staged"
    results = check(warehouse, "b1", GATE)
    assert failed(results) == []
    assert status(warehouse, "b1") == "checked"
    rows = warehouse.execute(
        "SELECT check_name, severity, passed, violations, detail FROM ops.check_results WHERE batch_id = 'b1' ORDER BY 1"
    )
    assert rows.fetchall() == [(result.name, result.severity, True, 0, None) for result in results]


def test_bad_batch_is_marked_rejected_and_a_warning_does_not_reject(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play(level="gold"), files=[file(status="unreadable", cause="cut gzip", lines=0, accepted=0)]))
    results = check(warehouse, "b1", GATE)
    assert [result.name for result in failed(results)] == ["levels_known"]
    assert status(warehouse, "b1") == "rejected"
    rows = warehouse.execute(
        "SELECT check_name, severity, violations, detail FROM ops.check_results WHERE NOT passed ORDER BY 1"
    ).fetchall()
    assert rows == [
        ("levels_known", "fail", 1, "table name songplays, level gold"),
        ("unreadable_files", "warn", 1, "path log_data/a.json, cause cut gzip"),
    ]
    stage(warehouse, "b2", {"files": [file(status="unreadable", cause="cut gzip", lines=0, accepted=0)]})
    assert failed(check(warehouse, "b2", GATE)) == []
    assert status(warehouse, "b2") == "checked"


def test_command_says_of_a_staged_batch_how_it_stands(warehouse: Connection, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", url)
    for batch_id, level, command, code, outcome in [
        ("b1", "gold", "check", 4, "Batch b1 was refused; what was live stays live."),
        ("b2", "free", "check", 0, "Batch b2 passed the gate; go on with 'bin/songlake publish'."),
        ("b2", "free", "publish", 0, "Batch b2 is live."),
    ]:
        if command == "check":
            stage(warehouse, batch_id, batch(play(level=level)))
        told = CliRunner().invoke(app, [command])
        assert (told.exit_code, told.stdout.splitlines()[-1]) == (code, outcome)


def test_later_answers_replace_earlier_ones(warehouse: Connection) -> None:
    stage(warehouse, "b1", {"files": [file(lines=10, accepted=9, rejected=1)]})
    assert not gate(warehouse, "b1")["rejected_share"].passed
    assert gate(warehouse, "b1", max_rejected_share=0.5)["rejected_share"].passed
    assert status(warehouse, "b1") == "checked"
    counts = warehouse.execute("SELECT count(*), count(*) FILTER (WHERE passed) FROM ops.check_results").fetchone()
    assert counts == (len(load_checks()), len(load_checks()))


def test_long_lists_are_cut_and_counted(warehouse: Connection) -> None:
    files = [file(f"f{number}", status="unreadable", cause="no permission", lines=0, accepted=0) for number in range(8)]
    stage(warehouse, "b1", {"files": files})
    result = gate(warehouse, "b1")["unreadable_files"]
    assert result.violations == 8
    assert result.detail == "; ".join([*(f"path f{number}, cause no permission" for number in range(5)), "and 3 more"])


@pytest.mark.parametrize(
    "text", ["SELECT 1", "-- severity: error\n-- A sentence.\nSELECT 1", "-- severity: fail\nSELECT 1", "-- severity: warn\n--\nSELECT 1"]
)
def test_check_without_severity_and_sentence_is_refused_before_any_is_asked(warehouse: Connection, tmp_path: Path, text: str) -> None:
    stage(warehouse, "b1", batch(play()))
    with pytest.raises(BadUsage, match=r"check a_check.sql does not begin with its severity and a sentence"):
        check(warehouse, "b1", GATE, write_check(tmp_path, text))
    assert status(warehouse, "b1") == "staged"


def test_gate_without_checks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="no check in"):
        load_checks(tmp_path)


def test_check_that_cannot_be_asked_leaves_the_batch_as_it_was(warehouse: Connection, tmp_path: Path) -> None:
    stage(warehouse, "b1", batch(play()))
    with pytest.raises(BadUsage, match=r"check a_check cannot be asked: relation .*no_such_table.* Mend sql/checks/a_check.sql"):
        check(warehouse, "b1", GATE, write_check(tmp_path, "-- severity: fail\n-- Sentence.\nSELECT * FROM no_such_table;"))
    assert status(warehouse, "b1") == "staged"


def test_check_cannot_write(own_warehouse: Connection, tmp_path: Path) -> None:
    stage(own_warehouse, "b1", batch(play()))
    own_warehouse.execute("CREATE SEQUENCE public.numbers")
    with pytest.raises(BadUsage, match=r"cannot be asked: cannot execute nextval.* in a read-only transaction"):
        check(own_warehouse, "b1", GATE, write_check(tmp_path, "-- severity: fail\n-- Sentence.\nSELECT nextval('public.numbers')"))


def test_settings_reach_a_check_by_name(warehouse: Connection, tmp_path: Path) -> None:
    stage(warehouse, "b1", batch(play()))
    text = "-- severity: warn\n-- Sentence.\nSELECT %(batch_id)s AS batch, %(max_deleted_rows)s AS most, 2 AS violations -- no line end"
    (result,) = check(warehouse, "b1", GATE, write_check(tmp_path, text))
    assert (result.detail, result.violations, result.about, result.passed) == ("batch b1, most 1000", 2, "Sentence.", False)


def test_batch_that_is_not_staged_completely_is_not_checked(warehouse: Connection) -> None:
    with pytest.raises(BadUsage, match="no batch b1"):
        check(warehouse, "b1", GATE)
    begin_batch(warehouse, "b1")
    assert staged_batch(warehouse) is None
    with pytest.raises(BadUsage, match="not staged completely"):
        check(warehouse, "b1", GATE)


def test_batch_that_gave_way_is_not_checked(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play()))
    stage(warehouse, "b2", batch(play()))
    with pytest.raises(InputMissing, match=r"b1 no longer stands in staging.*Run the load again"):
        check(warehouse, "b1", GATE)
    check(warehouse, "b2", GATE)


def test_published_batch_is_not_checked_again(warehouse: Connection) -> None:
    load(warehouse, "b1", batch(play()))
    with pytest.raises(BadUsage, match="published already"):
        check(warehouse, "b1", GATE)
    with pytest.raises(BadUsage, match="published already"):
        begin_batch(warehouse, "b1")


def test_begin_empties_what_was_left_half_written(warehouse: Connection) -> None:
    begin_batch(warehouse, "b1")
    fill(warehouse, batch(play(), play(1)))
    stage(warehouse, "b2", {"songs": [song()]})
    assert warehouse.execute("SELECT count(*) FROM staging.songplays").fetchone() == (0,)
    assert gate(warehouse, "b2")["staged_counts"].passed


def test_finish_after_another_began_is_refused(warehouse: Connection) -> None:
    begin_batch(warehouse, "b1")
    begin_batch(warehouse, "b2")
    with pytest.raises(InputMissing, match="b1 no longer stands"):
        finish_staging(warehouse, "b1", {}, {}, {})


def test_finish_refuses_rows_without_a_bookmark(warehouse: Connection) -> None:
    begin_batch(warehouse, "b1")
    with pytest.raises(ValueError, match="songs"):
        finish_staging(warehouse, "b1", {}, {"users": Position("t", 1)}, {"users": 1, "songs": 1, "time": 0})


def test_batch_of_the_same_name_starts_afresh(warehouse: Connection) -> None:
    stage(warehouse, "b1", batch(play(level="gold")))
    check(warehouse, "b1", GATE)
    assert staged_batch(warehouse) == "b1"
    begin_batch(warehouse, "b1")
    assert (staged_batch(warehouse), status(warehouse, "b1")) == (None, None)
    stage(warehouse, "b1", batch(play()))
    assert status(warehouse, "b1") == "staged"
    assert warehouse.execute("SELECT count(*) FROM ops.check_results").fetchone() == (0,)


def test_begin_names_who_reads_staging(warehouse: Connection, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_LOCK_WAIT_SECONDS", 0.2)
    stage(warehouse, "b1", batch(play()))
    with connect(url, application_name="curious") as other, other.transaction():
        other.execute("SELECT * FROM staging.users")
        with pytest.raises(LockHeld, match=r"curious \(session \d+ of .*on staging.users"):
            begin_batch(warehouse, "b2")
    assert staged_batch(warehouse) == "b1"


def test_books_tell_positions_and_what_is_empty(warehouse: Connection) -> None:
    users = next(table for table in batches.STAGED if table.name == "users")
    assert (published(warehouse), is_empty(warehouse, users)) == ({}, True)
    load(warehouse, "b1", {"users": [user()]})
    assert published(warehouse) == {"users": Position("table-of-users", 0)}
    assert batches.row_counts(warehouse) == {"users": 1}
    assert not is_empty(warehouse, users)
