"""Lineage as it is told: names, beginnings and ends, and that telling never stops a run."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from spark_jobs import settings
from spark_jobs.errors import LakeChanged
from spark_jobs.lineage import FOLDER, Lineage, event_files
from tests.lineage import endings, parse, tell_to, told


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that events go to."""
    tell_to(tmp_path / "events", monkeypatch)
    return tmp_path / "events"


def _lineage(**more: str | None) -> Lineage:
    return Lineage(settings.load(landing="/data/landing", lake="/data/lake"), parent=None, **more)


def test_a_stage_names_what_it_reads_and_writes_and_ends(events: Path) -> None:
    with _lineage().stage("ingest"):
        assert endings(told(events)) == [("ingest", "START")]
    with _lineage().stage("build_star"):
        pass
    assert endings(told(events)) == [("ingest", "START"), ("ingest", "COMPLETE"), ("build_star", "START"), ("build_star", "COMPLETE")]
    start, done, _, star = [parse(event) for event in told(events)]
    assert start.run.runId == done.run.runId != star.run.runId
    assert [(each.namespace, each.name) for each in done.inputs or []] == [("file", "/data/landing")]
    assert [each.name for each in done.outputs or []] == [f"/data/lake/{name}" for name in ("events", "catalog", "rejects", "files")]
    assert [each.name for each in star.inputs or []] == ["/data/lake/events", "/data/lake/catalog"]
    assert [each.name for each in star.outputs or []] == [
        f"/data/lake/star/{name}" for name in ("artists", "songs", "users", "time", "songplays")
    ]


def test_places_in_an_object_store_are_named_by_bucket_and_key(events: Path) -> None:
    with Lineage(settings.load(landing="s3a://lab", lake="s3a://lab/my/lake"), parent=None).stage("ingest"):
        pass
    done = parse(told(events)[-1])
    assert [(each.namespace, each.name) for each in done.inputs or []] == [("s3://lab", "/")]
    assert (done.outputs or [])[0].name == "my/lake/events"


def test_stages_have_the_run_as_parent_and_it_ends_after_them(events: Path) -> None:
    with _lineage(whole="run").run() as lineage:
        assert told(events) == []
        with lineage.stage("ingest"):
            pass
        with lineage.stage("build_star"):
            pass
    found = told(events)
    assert [name for name, kind in endings(found) if kind == "COMPLETE"] == ["ingest", "build_star", "run"]
    whole = found[0]
    stages = [event for event in found if event["job"]["name"] != "run"]
    assert {event["run"]["facets"]["parent"]["run"]["runId"] for event in stages} == {whole["run"]["runId"]}
    assert whole["run"]["facets"] == {}
    assert [parse(event).job.namespace for event in found] == ["songlake"] * 6


def test_a_run_in_which_nothing_was_to_do_is_not_told(events: Path) -> None:
    with _lineage(whole="run").run():
        pass
    assert told(events) == []


def test_the_task_that_started_a_job_is_its_parent(events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = str(uuid.uuid4())
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"songlake/songlake.ingest/{task}")
    with Lineage(settings.load()).stage("ingest"):
        pass
    parent = told(events)[0]["run"]["facets"]["parent"]
    assert (parent["run"], parent["job"]) == ({"runId": task}, {"namespace": "songlake", "name": "songlake.ingest"})
    parse(told(events)[0])


def test_a_failure_is_told_in_a_sentence_and_of_unknown_errors_only_the_name(events: Path) -> None:
    for error in (LakeChanged("The table is gone.", "Bring it back."), ValueError("Walter Frye, Oslo")):
        with pytest.raises(type(error)), _lineage(whole="run").run() as lineage, lineage.stage("ingest"):
            raise error
    failed = [parse(event) for event in told(events) if event["eventType"] == "FAIL"]
    said = [(event.job.name, event.run.facets["errorMessage"].message) for event in failed]  # type: ignore[index,attr-defined]
    assert said == [(job, message) for message in ("The table is gone.", "ValueError") for job in ("ingest", "run")]


def test_a_refused_batch_fails_stage_and_run_although_nothing_is_raised(events: Path) -> None:
    with _lineage(whole="run").run() as lineage, lineage.stage("build_star") as stage:
        stage.refused = "The quality gate refused the batch: rejected_share."
    assert endings(told(events))[-2:] == [("build_star", "FAIL"), ("run", "FAIL")]


def test_events_that_cannot_be_written_are_told_once_and_stop_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    tell_to(tmp_path / "file" / "below", monkeypatch)
    with _lineage().stage("ingest"):
        pass
    assert capsys.readouterr().err.count("lineage could not be told") == 1
    for broken in ("not json", '{"type": "file"}', '{"type": "http", "url": "http://127.0.0.1:1", "retry": {"total": 0}}'):
        monkeypatch.setattr("spark_jobs.lineage._given_up", [])
        monkeypatch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", broken)
        with _lineage().stage("ingest"):
            pass
        assert capsys.readouterr().err.count("lineage could not be told") == 1, broken


def test_switched_off_nothing_is_told(events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    with _lineage().stage("ingest"):
        pass
    assert (told(events), event_files()) == ([], None)


def test_events_go_to_files_of_the_project_unless_variables_say_otherwise(events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert event_files() == (events, "event-*.json")
    monkeypatch.delenv("AIRFLOW__OPENLINEAGE__TRANSPORT")
    assert event_files() == (FOLDER, "event-*.json")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://marquez:5000")
    assert event_files() is None


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes events, its address, and what it got."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.path.encode() + b" " + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", got
        running.shutdown()


@pytest.mark.parametrize("variable", ["OPENLINEAGE_URL", "AIRFLOW__OPENLINEAGE__TRANSPORT"])
def test_events_go_to_a_server_that_a_variable_names(
    variable: str, server: tuple[str, list[bytes]], events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, got = server
    monkeypatch.delenv("AIRFLOW__OPENLINEAGE__TRANSPORT")
    for name in ("TYPE", "URL"):
        # The client makes these of OPENLINEAGE_URL; they go with this test.
        monkeypatch.setenv(f"OPENLINEAGE__TRANSPORT__TRANSPORTS__DEFAULT_HTTP__{name}", "")
        monkeypatch.delenv(f"OPENLINEAGE__TRANSPORT__TRANSPORTS__DEFAULT_HTTP__{name}")
    monkeypatch.setenv(variable, address if variable == "OPENLINEAGE_URL" else json.dumps({"type": "http", "url": address}))
    with _lineage().stage("ingest"):
        pass
    assert [line.split(b" ", 1)[0] for line in got] == [b"/api/v1/lineage"] * 2
    assert endings([json.loads(line.split(b" ", 1)[1]) for line in got]) == [("ingest", "START"), ("ingest", "COMPLETE")]
    assert told(events) == []
