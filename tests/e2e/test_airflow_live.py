"""The pipeline in a real Airflow: make up, files that arrive, a refused batch, mails, kills, runs by hand, the UI.

The tests share one stack and go on where the one before ended, as a day in production does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from spark_jobs.pipeline import writing
from tests.e2e.live_stack import MailServer, Stack, Watch, wait
from tests.lineage import told
from tests.scratch import free_port
from tests.world import DAY, START, World, event, song

SLA_SECONDS = 12
WRITERS = {"ingest", "build_star", "load_postgres", "check_quality", "publish", "recommend"}
IMAGES = ("airflow-run.png", "airflow-dag.png", "airflow-graph.png", "airflow-recommend.png", "airflow-asset.png", "airflow-report.png")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(mails: MailServer) -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="songlake-live-"))
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    settings = {"SONGLAKE_ALERTS__SLA_MINUTES": str(SLA_SECONDS / 60), "SONGLAKE_EXPORT__TO": str(folder / "exports")}
    started = Stack(folder, free_port(), mails.port, settings)
    begun = time.monotonic()
    up = started.songlake("up")
    assert up.returncode == 0, up.stdout + up.stderr
    print(f"make up: {time.monotonic() - begun:.0f} s to healthy")
    assert started.password in up.stdout
    wait(lambda: len(started.api("GET", "/dags")["dags"]) == 4, "the DAGs", 300)
    # It would mail about files that other tests let wait on purpose.
    started.api("PATCH", "/dags/songlake_watchdog", is_paused=True)
    yield started
    started.songlake("down")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def watch(stack: Stack) -> Iterator[Watch]:
    watch = Watch(stack)
    watch.start()
    yield watch
    watch.over.set()
    watch.join()


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    return stack.world


def wait_until_published(world: World, seconds: float = 600) -> float:
    """Wait until the warehouse's books have every file as it is now; gives how long that took, then compares with the oracle."""
    world.deliveries.observe(world.landing)
    wanted = {path: (row.size, row.modified_at) for path, row in world.deliveries.warehouse().files.items()}
    begun = time.monotonic()

    def look() -> bool:
        with psycopg.connect(world.url) as connection:
            rows = connection.execute("SELECT path, size, (extract(epoch FROM modified_at) * 1000000)::bigint FROM ops.files").fetchall()
        return {path: (size, micros) for path, size, micros in rows} == wanted

    wait(lambda: _quietly(look), "all files to be published", seconds)
    taken = time.monotonic() - begun
    world.check()
    return taken


def _quietly(look: object) -> bool:
    try:
        return bool(look())  # type: ignore[operator]
    except psycopg.Error:
        return False


def test_a_second_up_says_that_it_runs_and_where_whatever_it_was_told(stack: Stack, tmp_path: Path) -> None:
    told = {"SONGLAKE_LANDING": str(tmp_path / "landing"), "SONGLAKE_REPORTS": str(tmp_path / "reports")}
    again = replace(stack, port=free_port(), settings=told).songlake("up")
    assert again.returncode == 0
    assert f"{stack.url} (runs already)" in again.stdout
    assert {str(stack.home / "landing"), str(stack.home / "reports")} <= set(again.stdout.split())
    assert stack.password not in again.stdout


def test_a_taken_port_is_named_with_the_way_out(stack: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path, stack.port, stack.smtp_port).songlake("up")
    assert other.returncode == 2
    assert f"Port {stack.port} of 127.0.0.1 is taken" in other.stderr
    assert "SONGLAKE_AIRFLOW__PORT" in other.stderr


def test_files_arrive_by_themselves_also_one_that_grows_slowly(stack: Stack, world: World) -> None:
    waiting = stack.waiting_run()
    world.write("song_data/1.json", [song("SO1"), song("SO2", title="Other")], mtime=time.time())
    plays = [event(item=number, user=number % 2 + 1, artist=("Elena", "Thom")[number % 2]) for number in range(20)]
    world.write("log_data/day1.json", plays, mtime=time.time())
    slow = world.landing / "log_data" / "day2.json"
    lines = [event(START + DAY, item=number, level="paid") for number in range(10)]
    with slow.open("w") as file:
        for line in lines:
            file.write(json.dumps(line)[:40])
            file.flush()
            time.sleep(1)
            file.write(json.dumps(line)[40:] + "\n")
            file.flush()
            time.sleep(1)
    taken = wait_until_published(world)
    print(f"from last byte to published: {taken:.0f} s")
    with psycopg.connect(world.url) as connection:
        rows = connection.execute("SELECT lines, accepted, rejected FROM ops.files WHERE path = 'log_data/day2.json'").fetchall()
    assert rows == [(10, 10, 0)]
    assert stack.wait_for_run(waiting) == "success"
    states = stack.states(waiting)
    assert states["diagnose"] == "skipped"
    assert {name for name, state in states.items() if state == "success"} == set(states) - {"diagnose"}
    # The slow file may have come in a run of its own, which ends after it has published.
    tasks = {stage: f"songlake.{stage}" for stage in ("ingest", "build_star", "load_postgres", "check_quality", "publish")}
    wait(lambda: _tasks_of_stages(stack, set(tasks)) == tasks, "lineage to name the task of each stage", 300)
    wait(lambda: _exported(stack)["songplays"] == 30, "the export of what was published", 300)


def _tasks_of_stages(stack: Stack, stages: set[str]) -> dict[str, str | None]:
    """Give the task that lineage names as parent of each stage that completed, of several runs the last."""
    events = [event for event in told(stack.airflow / "logs" / "lineage") if event["eventType"] == "COMPLETE"]
    names = {event["run"]["runId"]: event["job"]["name"] for event in events}
    parents = {event["job"]["name"]: event["run"]["facets"]["parent"]["run"]["runId"] for event in events if event["job"]["name"] in stages}
    return {stage: names.get(parent) for stage, parent in parents.items()}


def _exported(stack: Stack) -> dict[str, int]:
    """Give the rows of each table in the newest export."""
    newest = max(path for path in (stack.home / "exports").iterdir() if path.name != ".songlake-export")
    return {table["name"]: table["rows"] for table in json.loads((newest / "manifest.json").read_text())["tables"]}


def test_recommendations_follow_each_publication_and_take_turns_with_the_pipeline(stack: Stack, world: World) -> None:
    published = next(run["dag_run_id"] for run in stack.runs() if stack.states(run["dag_run_id"])["publish"] == "success")
    _wait_for_recommendations(stack, published)
    version, rows, runs = _recommended(world)
    assert (rows, runs[-1]) == ([(1, "Thom"), (2, "Elena")], version)
    waiting = stack.waiting_run()
    more = [event(START + DAY + 1000, user=user, item=50, artist="Björk") for user in (1, 3)]
    world.write("log_data/day2_evening.json", more, mtime=time.time())
    wait(lambda: stack.process("java", "ingest.py"), "the JVM of ingest", 400)
    # It waits for its turn. Whichever run is the first after the publication learns; the other finds that nothing moved.
    by_hand = stack.trigger("songlake_recommend")
    wait_until_published(world)
    assert stack.wait_for_run(by_hand, "songlake_recommend") == "success"
    _wait_for_recommendations(stack, waiting)
    version, rows, recorded = _recommended(world)
    assert (rows, recorded) == ([(1, "Thom"), (2, "Björk"), (2, "Elena"), (3, "Elena"), (3, "Thom")], [*runs, version])
    turns = [*_turns(stack, "songlake"), *_turns(stack, "songlake_recommend")]
    times = sorted((turn["start_date"], turn["end_date"], turn["task_id"]) for turn in turns)
    assert [(one, other) for one, other in pairwise(times) if other[0] < one[1]] == [], "one writer at a time"
    assert {turn["try_number"] for turn in turns if turn["dag_run_id"] in (waiting, by_hand)} == {1}


def _turns(stack: Stack, dag: str) -> list[dict[str, Any]]:
    """Give what a DAG's writers have done so far, whatever pool they waited for."""
    done = stack.api("GET", f"/dags/{dag}/dagRuns/~/taskInstances", state="success", limit=100)["task_instances"]
    return [task for task in done if task["task_id"] in WRITERS]


def _wait_for_recommendations(stack: Stack, publication: str) -> None:
    """Wait for the run of the model that a run of the pipeline has started by its asset, and see it green."""
    found = str(wait(lambda: stack.started_by(publication, "songlake_recommend"), f"recommendations after {publication}", 300))
    assert stack.wait_for_run(found, "songlake_recommend") == "success"
    assert stack.states(found, "songlake_recommend") == {"recommend": "success", "notify": "success", "diagnose": "skipped"}


def _recommended(world: World) -> tuple[str, list[tuple[int, str]], list[str]]:
    """Give the one version of the rows that are live, user and artist of each, and the versions of all runs, the latest last."""
    with psycopg.connect(world.url) as connection:
        rows = connection.execute("SELECT user_id, artist_name FROM dwh.recommendations ORDER BY 1, 2").fetchall()
        (version,) = connection.execute("SELECT DISTINCT model_version FROM dwh.recommendations").fetchall()
        runs = connection.execute("SELECT model_version FROM ops.model_runs ORDER BY published_at").fetchall()
    return version[0], rows, [run for (run,) in runs]


def test_a_failure_of_recommend_is_told_once_and_so_is_its_end(stack: Stack, world: World, mails: MailServer) -> None:
    told = len(mails.mails)
    with writing(world.url, "a long work"):
        run = stack.trigger("songlake_recommend")
        assert stack.wait_for_run(run, "songlake_recommend") == "failed"
    assert stack.states(run, "songlake_recommend") == {"recommend": "failed", "notify": "upstream_failed", "diagnose": "success"}
    assert mails.subjects[told:] == ["Songlake: recommend failed"]
    for words in ("a long work", "Those of before stay live", f"{stack.url}/dags/songlake_recommend/runs/{run}/tasks/recommend"):
        assert words in mails.body(-1)
    stack.clear(run, "diagnose", dag="songlake_recommend")
    assert stack.wait_for_run(run, "songlake_recommend") == "failed"
    assert len(mails.mails) == told + 1
    stack.clear(run, "recommend", "notify", "diagnose", dag="songlake_recommend")
    assert stack.wait_for_run(run, "songlake_recommend") == "success"
    assert mails.subjects[told + 1 :] == ["Songlake: recovered, recommend works"]
    # The loads of the tests that follow would each be learnt from.
    stack.api("PATCH", "/dags/songlake_recommend", is_paused=True)


def test_a_refused_batch_is_told_once_and_starts_no_storm_and_a_mended_file_recovers(stack: Stack, world: World, mails: MailServer) -> None:
    before, told = world.row_versions(), len(mails.mails)
    run = stack.waiting_run()
    bad = "\n".join(["not json"] * 30)
    world.write("log_data/bad.json", bad, mtime=time.time())
    assert stack.wait_for_run(run, seconds=600) == "failed"
    states = stack.states(run)
    assert (states["check_quality"], states["publish"], states["diagnose"]) == ("failed", "upstream_failed", "success")
    assert world.row_versions() == before
    assert len(mails.mails) == told + 1
    assert "refused by rejected_share" in mails.subjects[-1]
    body = mails.body(-1)
    assert "not_one_object, 30 lines" in body
    assert f"/dags/songlake/runs/{run}" in body
    stack.clear(run, "diagnose")
    wait(lambda: stack.states(run)["diagnose"] == "success", "diagnose once more", 300)
    assert len(mails.mails) == told + 1
    with psycopg.connect(world.url) as connection:
        # As if the batch before had gone live only now, by `bin/songlake accept`: what is refused after that is told.
        connection.execute("UPDATE ops.batches SET published_at = now() WHERE status = 'published'")
    stack.clear(run, "diagnose")
    wait(lambda: len(mails.mails) == told + 2, "a mail of the refusal after that", 300)
    assert mails.subjects[-1] == mails.subjects[-2]
    waiting = stack.waiting_run()
    time.sleep(30)
    assert stack.waiting_run() == waiting, "a refused file starts no runs"
    world.write("log_data/bad.json", [event(START + 2 * DAY, item=number) for number in range(30)], mtime=time.time())
    wait_until_published(world)
    assert stack.wait_for_run(waiting) == "success"
    assert len(mails.mails) == told + 3
    assert "recovered" in mails.subjects[-1]


def test_a_run_by_hand_goes_first_reads_files_again_and_overrules_the_gate(stack: Stack, world: World, mails: MailServer) -> None:
    waiting, told = stack.waiting_run(), "SELECT batch_id FROM ops.files WHERE path = 'log_data/day1.json'"
    with psycopg.connect(world.url) as connection:
        before = connection.execute(told).fetchone()
    reason = "the sender stopped, what came is all there is"
    # They come once the run is asked for, so that the waiting one makes way before it has seen them stand still; this one has yet to
    # wait for that and to start its JVM. They are older than settle_seconds, so it takes them.
    odd = world.write("log_data/odd.json.tmp", "\n".join(["also not json"] * 20), mtime=time.time() - 100)
    cut = world.write("log_data/cut.json.gz.tmp", b"\x1f\x8b\x08 no gzip", mtime=time.time() - 100)
    run = stack.trigger(reprocess="log_data/day1*", accept=["rejected_share"], accept_reason=reason)
    for file in (odd, cut):
        file.rename(file.with_suffix(""))
    assert stack.wait_for_run(run) == "success"
    assert stack.states(waiting)["wait_for_files"] == "skipped"
    world.deliveries.observe(world.landing)
    world.check()
    with psycopg.connect(world.url) as connection:
        assert connection.execute(told).fetchone() != before
        row = connection.execute("SELECT check_name, reason, accepted_by FROM ops.acceptances").fetchone()
    assert row == ("rejected_share", reason, f"airflow run {run}")
    assert [subject for subject in mails.subjects if "warning" in subject] != []
    assert "unreadable_files" in mails.subjects[-1]
    assert "log_data/cut.json.gz" in mails.body(-1)


def test_cleared_tasks_run_again_alone(stack: Stack, world: World) -> None:
    done = next(
        run["dag_run_id"] for run in stack.runs() if run["state"] == "success" and stack.states(run["dag_run_id"])["publish"] == "success"
    )
    before = world.row_versions()
    stack.clear(done, "publish", "notify")
    assert stack.wait_for_run(done) == "success"
    tries = {
        task["task_id"]: task["try_number"] for task in stack.api("GET", f"/dags/songlake/dagRuns/{done}/taskInstances")["task_instances"]
    }
    assert (tries["ingest"], tries["publish"], tries["notify"]) == (1, 2, 2)
    assert world.row_versions() == before


def test_runs_in_a_terminal_and_the_dag_take_turns(stack: Stack, world: World) -> None:
    stack.waiting_run()
    world.write("log_data/day5.json", [event(START + 5 * DAY, item=number) for number in range(10)], mtime=time.time())
    wait(lambda: stack.process("java", "ingest.py"), "the JVM of ingest", 400)
    world.write("log_data/day4.json", [event(START + 4 * DAY, item=number) for number in range(10)], mtime=time.time() - 100)
    # Who comes first is a matter of moments: the DAG's JVM has been started, and takes the locks once it is up.
    assert {stack.songlake("run").returncode for _ in range(4)} <= {0, 6}
    wait_until_published(world)
    # Whatever became of the DAG's run, the next finds all done.
    assert stack.wait_for_run(stack.trigger()) == "success"


def test_a_run_that_finds_everything_published_ends_the_incident(stack: Stack, mails: MailServer) -> None:
    incident = {"signature": "failed: publish", "opened_at": 0.0, "failed_at": 0.0, "retryable": True, "told": True}
    stack.api("POST", "/variables", key="songlake_incident", value=json.dumps(incident))
    run = stack.trigger()
    assert stack.wait_for_run(run) == "success"
    assert stack.states(run)["publish"] == "skipped"
    assert "songlake_incident" not in [variable["key"] for variable in stack.api("GET", "/variables")["variables"]]
    assert mails.subjects[-1] == "Songlake: recovered, everything is published"
    assert "since 1970-01-01" in mails.body(-1)


def test_watchdog_tells_once_that_a_file_waits_too_long(stack: Stack, world: World, mails: MailServer) -> None:
    stack.api("PATCH", "/dags/songlake", is_paused=True)
    world.write("log_data/day6.json", [event(START + 6 * DAY)], mtime=time.time())
    time.sleep(SLA_SECONDS + 1)
    stack.api("PATCH", "/dags/songlake_watchdog", is_paused=False)
    for _ in range(2):
        assert stack.wait_for_run(stack.trigger("songlake_watchdog"), "songlake_watchdog") == "failed"
    assert [subject for subject in mails.subjects if "wait longer" in subject] == ["Songlake: 1 files wait longer than 0.2 minutes"]
    assert "log_data/day6.json" in mails.body(-1)


def test_parts_that_are_killed_come_back_and_lose_nothing(stack: Stack, world: World) -> None:
    triggerer = stack.process("triggerer")
    assert triggerer is not None
    triggerer.kill()
    # What waited while the DAG was paused is taken now.
    stack.api("PATCH", "/dags/songlake", is_paused=False)
    _kill_when(stack, "ingest", lambda: stack.process("airflow", "scheduler"))
    _kill_when(stack, "build_star", lambda: stack.process("java", "build_star.py"))
    _kill_when(stack, "load_postgres", lambda: psutil.Process(int((stack.home / "postgres/data/postmaster.pid").read_text().split()[0])))
    wait_until_published(world, seconds=900)
    assert stack.process("java") is None, "no orphan driver is left"
    assert stack.wait_for_run(stack.trigger("songlake_watchdog"), "songlake_watchdog") == "success"
    stack.api("PATCH", "/dags/songlake_watchdog", is_paused=True)


def _kill_when(stack: Stack, task: str, victim: object) -> None:
    """Kill a process once the JVM of a task works."""
    wait(lambda: stack.process("java", f"{task}.py"), f"the JVM of {task}", 400)
    time.sleep(4)
    found = victim()  # type: ignore[operator]
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)


def test_maintenance_works_beside_the_pipeline_and_its_failure_and_end_are_told(stack: Stack, world: World, mails: MailServer) -> None:
    told = len(mails.mails)
    with writing(world.url, "a long work"):
        run = stack.trigger("songlake_maintenance")
        assert stack.wait_for_run(run, "songlake_maintenance") == "failed"
    states = stack.states(run, "songlake_maintenance")
    assert states == {
        "maintain_lake": "failed",
        "analyze_warehouse": "upstream_failed",
        "remove_old_files": "success",
        "notify": "upstream_failed",
        "diagnose": "success",
    }
    assert mails.subjects[told:] == ["Songlake: maintenance failed"]
    assert "a long work" in mails.body(-1)
    run = stack.trigger("songlake_maintenance")
    assert stack.wait_for_run(run, "songlake_maintenance") == "success"
    assert mails.subjects[told + 1 :] == ["Songlake: recovered, maintenance works"]
    world.check()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_ui_shows_runs_graph_and_report_in_a_browser(stack: Stack, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    done = next(
        run["dag_run_id"] for run in stack.runs() if run["state"] == "success" and stack.states(run["dag_run_id"])["publish"] == "success"
    )
    images = Path(os.environ.get("SONGLAKE_TEST_IMAGES", tmp_path))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=180_000,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{stack.url}/songlake/reports")
        assert "401" in page.content() or "Not authenticated" in page.content(), "reports need a login"
        page.goto(stack.url)
        page.get_by_label("Username").fill("admin")
        page.locator("input[type=password]").fill(stack.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        page.goto(f"{stack.url}/dags/songlake/runs/{done}")
        page.get_by_text("build_star").first.wait_for()
        page.wait_for_timeout(2000)
        page.screenshot(path=images / "airflow-run.png")
        page.goto(f"{stack.url}/dags/songlake")
        page.wait_for_timeout(4000)
        page.screenshot(path=images / "airflow-dag.png")
        page.get_by_role("button", name=re.compile("graph", re.IGNORECASE)).first.click()
        page.get_by_text("load_postgres").first.wait_for()
        page.wait_for_timeout(2000)
        page.screenshot(path=images / "airflow-graph.png")
        green = next(run["dag_run_id"] for run in stack.runs("songlake_recommend") if run["state"] == "success")
        page.goto(f"{stack.url}/dags/songlake_recommend/runs/{green}")
        page.get_by_role("button", name=re.compile("graph", re.IGNORECASE)).first.click()
        page.get_by_text("notify").first.wait_for()
        page.wait_for_timeout(2000)
        page.screenshot(path=images / "airflow-recommend.png")
        page.goto(f"{stack.url}/assets")
        page.get_by_role("link", name="songlake_warehouse").first.click()
        for dag in ("songlake", "songlake_recommend"):
            page.locator(".react-flow__node").get_by_text(dag, exact=True).first.wait_for()
        page.wait_for_timeout(2000)
        page.screenshot(path=images / "airflow-asset.png")
        page.goto(f"{stack.url}/dags/songlake/runs/{done}/plugin/songlake-report")
        report = page.frame_locator("iframe")
        report.get_by_role("heading").first.wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=images / "airflow-report.png")
        assert "rejected_share" in report.locator("body").inner_text()
        browser.close()
    assert all((images / name).stat().st_size > 10_000 for name in IMAGES)


def test_everything_listened_on_loopback_alone(watch: Watch) -> None:
    assert {"java", "postgres"} <= {program for program, _ in watch.addresses}
    assert {address for _, address in watch.addresses} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_no_password_is_written_or_shown_anywhere(stack: Stack, world: World, mails: MailServer, watch: Watch) -> None:
    secrets = set(json.loads((stack.airflow / "secrets.json").read_text()).values())
    secrets |= {str(urlsplit(world.url).password), stack.password}
    private = {stack.airflow / "secrets.json", stack.airflow / "passwords.json", stack.home / "postgres/pgpass"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in private)
    written = [path for path in stack.home.rglob("*") if path.is_file() and path not in private]
    assert [path for path in written if any(secret.encode() in path.read_bytes() for secret in secrets)] == []
    run = next(run["dag_run_id"] for run in stack.runs() if stack.states(run["dag_run_id"])["publish"] == "success")
    shown = {
        path: stack.shown(path)
        for path in (
            "/config",
            "/connections",
            "/variables",
            "/plugins",
            f"/dags/songlake/dagRuns/{run}/taskInstances",
            "/dagSources/songlake",
        )
    }
    assert "spark_jobs/ingest.py" in shown[f"/dags/songlake/dagRuns/{run}/taskInstances"], "rendered templates are shown"
    shown |= {subject: mails.body(number) for number, subject in enumerate(mails.subjects)}
    shown |= {line[:100]: line for line in watch.arguments}
    assert [name for name, text in shown.items() if any(secret in text for secret in secrets)] == []


def test_down_leaves_no_process_and_no_port(stack: Stack) -> None:
    ports = (stack.port, urlsplit(stack.world.url).port)
    down = stack.songlake("down")
    assert down.returncode == 0
    assert stack.processes() == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "Nothing ran" in stack.songlake("down").stdout
