"""What the mails say."""

from __future__ import annotations

from spark_jobs import alerts
from spark_jobs.diagnosis import Diagnosis, tail
from spark_jobs.warehouse.check import CheckResult

SHARE = CheckResult("rejected_share", "fail", "Few lines are refused.", False, 30, "kind events, refused lines 30")
VOLUME = CheckResult("volume", "warn", "A day is like the day before.", False, 1, "plays 3")
LINK = "http://127.0.0.1:8080/dags/songlake/runs/r1"


def test_a_refused_batch_says_which_why_and_what_to_do() -> None:
    diagnosis = Diagnosis(
        batch="b1",
        failed={"check_quality": "refused"},
        checks=[SHARE, VOLUME],
        reasons={"ts_invalid": 1200},
        unreadable={"log_data/cut.json.gz": "the gzip is cut"},
        tables={"songplays": (6820, 6820)},
    )
    mail = alerts.failure(diagnosis, LINK)
    assert mail.subject == "Songlake: batch b1 refused by rejected_share"
    for words in (
        "keeps batch b1 out",
        "kind events, refused lines 30",
        "ts_invalid, 1,200 lines",
        "log_data/cut.json.gz: the gzip is cut",
        "<td>songplays</td><td>6,820</td><td>6,820</td>",
        "bin/songlake accept b1 --reason TEXT",
        LINK,
    ):
        assert words in mail.html
    assert diagnosis.refused
    assert diagnosis.signature == "gate: rejected_share"


def test_a_failed_task_says_its_last_lines() -> None:
    diagnosis = Diagnosis(failed={"ingest": "The lake was changed."}, checks=[VOLUME])
    mail = alerts.failure(diagnosis, LINK)
    assert mail.subject == "Songlake: ingest failed"
    assert "The lake was changed." in mail.html
    assert not diagnosis.refused
    assert diagnosis.signature == "failed: ingest"


def test_names_of_files_cannot_smuggle_html_into_a_mail() -> None:
    mail = alerts.late(1, ["log_data/<script>alert(1)</script>.json: 90 minutes"], 60, LINK)
    assert mail.subject == "Songlake: 1 files wait longer than 60 minutes"
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html


def test_recovery_and_warning_name_the_batch() -> None:
    diagnosis = Diagnosis(batch="b2", checks=[VOLUME], tables={"users": (5, 6)})
    assert alerts.recovery(diagnosis, "2018-11-02 10:00 UTC", LINK).subject == "Songlake: recovered, batch b2 is live"
    assert alerts.recovery(Diagnosis(), "2018", LINK).subject == "Songlake: recovered, everything is published"
    assert "since 2018-11-02 10:00 UTC" in alerts.recovery(diagnosis, "2018-11-02 10:00 UTC", LINK).html
    assert alerts.warning(diagnosis, LINK).subject == "Songlake: batch b2 is live, with a warning by volume"


def test_recommendations_that_could_not_be_made_anew_say_what_stays_live_and_where_the_log_is() -> None:
    mail = alerts.not_recommended("Java ended <unexpectedly>.\nError: make room.", f"{LINK}/tasks/recommend")
    assert mail.subject == "Songlake: recommend failed"
    for words in (
        "&lt;unexpectedly&gt;.\nError: make room.",
        "Those of before stay live",
        "The next publication runs it anew",
        f"{LINK}/tasks/recommend",
    ):
        assert words in mail.html
    assert "it was killed" in alerts.not_recommended(None, LINK).html
    again = alerts.works_again("recommend", "2018-11-02 10:00 UTC", LINK)
    assert again.subject == "Songlake: recovered, recommend works"
    assert "since 2018-11-02 10:00 UTC" in again.html


def test_maintenance_that_failed_says_which_tasks_and_what_stays() -> None:
    mail = alerts.not_maintained({"maintain_lake": "The lake was <changed>.", "analyze_warehouse": None}, LINK)
    assert mail.subject == "Songlake: maintenance failed"
    for words in (
        "maintain_lake",
        "The lake was &lt;changed&gt;.",
        "analyze_warehouse",
        "it was killed",
        "What is live stays as it is",
        LINK,
    ):
        assert words in mail.html
    assert "since 2018-11-02 10:00 UTC" in alerts.works_again("maintenance", "2018-11-02 10:00 UTC", LINK).html


def test_of_an_error_the_lines_that_say_why_are_kept() -> None:
    trace = "\n".join(
        [f"line {number}" for number in range(30)] + ["    at org.apache.spark.Thing(Thing.scala:1)", "", "Error: it is full."]
    )
    assert tail(trace).splitlines() == [f"line {number}" for number in range(16, 30)] + ["Error: it is full."]
    assert tail(None) == "The task's process ended without a word: it was killed, or its machine went away."


def test_only_a_gate_that_refuses_what_the_files_hold_is_a_refusal() -> None:
    lost = CheckResult("staged_counts", "fail", "Staging holds what Spark wrote.", False, 1, "songplays 0 of 10")
    for failed, checks, refused in [
        ({"check_quality": "x"}, [SHARE], True),
        ({"check_quality": "x"}, [VOLUME], False),
        ({"ingest": "an older batch stands refused"}, [SHARE], False),
        ({"check_quality": "PostgreSQL crashed in between"}, [SHARE, lost], False),
    ]:
        diagnosis = Diagnosis(failed=failed, checks=checks)
        assert diagnosis.refused is refused
        assert diagnosis.signature.startswith("gate: " if refused else "failed: ")
