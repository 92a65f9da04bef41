"""The commands, end to end, on real data and on deliveries that go wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from tests.e2e.conftest import Cli
from tests.lineage import told, transport
from tests.scratch import wait_until
from tests.sparkenv import PROJECT
from tests.world import event

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / "log_data").is_dir(), reason=f"the real files are not in {DATA}")


def _one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


@needs_data
def test_real_files_give_the_right_answers_and_a_second_run_writes_nothing(cli: Cli) -> None:
    for folder in ("log_data", "song_data"):
        shutil.copytree(DATA / folder, cli.world.landing / folder)
    first = cli.run()
    assert first.code == 0, first.err
    assert {name: change["after"] for name, change in first.summary["tables"].items()} == {
        "artists": 69,
        "songs": 71,
        "users": 97,
        "time": 6813,
        "songplays": 6820,
        "files": 101,
    }
    cli.world.check()
    url = cli.world.url
    assert _one(url, "SELECT count(*) FROM dwh.user_levels") == 105
    assert _one(url, "SELECT songplay_id FROM dwh.songplays WHERE song_id IS NOT NULL") == "1542837407796-818-5-15"
    assert round(float(str(_one(url, "SELECT sum(length) FROM dwh.songplays"))), 5) == 1684759.74663
    versions, rows = cli.world.versions(), cli.world.row_versions()
    again = cli.run()
    assert (again.code, again.summary["ingest_batch"], again.summary["load_batch"]) == (0, None, None)
    assert (cli.world.versions(), cli.world.row_versions()) == (versions, rows)


@needs_data
def test_three_jobs_then_check_and_publish_load_the_seed_like_run_does(cli: Cli) -> None:
    for name, folder in (("raw_events.csv", "log_data"), ("raw_songs.csv", "song_data")):
        (cli.world.landing / folder).mkdir()
        shutil.copy(DATA / "seed" / name, cli.world.landing / folder / name)
    cli.world.deliveries.observe(cli.world.landing)
    landing, lake = ["--landing", str(cli.world.landing)], ["--lake", str(cli.world.lake)]
    events, task = cli.world.root / "lineage", "songlake/songlake.task/0193e5a2-0000-7000-8000-000000000001"
    tells = {"OPENLINEAGE_DISABLED": "", "AIRFLOW__OPENLINEAGE__TRANSPORT": transport(events), "OPENLINEAGE_PARENT_ID": task}
    for job, arguments in (("ingest", landing + lake), ("build_star", lake), ("load_postgres", lake)):
        done = cli(f"spark_jobs/{job}.py", *arguments, program="bin/spark-submit", **tells)
        assert done.code == 0, done.err
    assert cli("check", **tells).code == 0
    assert _one(cli.world.url, "SELECT count(*) FROM dwh.songplays") == 0
    assert cli("publish", **tells).code == 0
    done_jobs = [event for event in told(events) if event["eventType"] == "COMPLETE"]
    assert [event["job"]["name"] for event in done_jobs] == [
        "ingest",
        "build_star",
        "load_postgres",
        "check_quality",
        "check_quality",
        "publish",
    ]
    assert {event["run"]["facets"]["parent"]["job"]["name"] for event in done_jobs} == {"songlake.task"}
    assert (_one(cli.world.url, "SELECT count(*) FROM dwh.songplays"), _one(cli.world.url, "SELECT count(*) FROM dwh.users")) == (11, 5)
    cli.world.check()
    _recommend(cli, lake)


def _recommend(cli: Cli, lake: list[str]) -> None:
    """See that the model runs like the other jobs, and once."""
    done = cli("spark_jobs/recommend.py", *lake, program="bin/spark-submit")
    assert done.code == 0, done.err
    live = _one(cli.world.url, "SELECT count(*) FROM dwh.recommendations")
    assert f"{live} recommendations of popularity-" in done.out
    again = cli("recommend", "--json")
    assert (again.code, again.summary) == (0, {"run": None}), again.err


def test_an_unreachable_warehouse_is_told_soon_without_the_password(cli: Cli) -> None:
    cli.world.write("log_data/1.json", [event()])
    parts = urlsplit(cli.world.url)
    begun = time.monotonic()
    done = cli("run", WAREHOUSE_URL=f"postgresql://songlake:marker-secret@127.0.0.1:1{parts.path}")
    assert done.code == 5
    assert time.monotonic() - begun < 90
    assert "127.0.0.1:1" in done.err
    assert "marker-secret" not in done.err + done.out
    wrong = cli("run", WAREHOUSE_URL=cli.world.url.replace(parts.password or "", "marker-secret"))
    assert wrong.code == 5
    assert "marker-secret" not in wrong.err + wrong.out


def test_wrong_use_is_refused_with_what_to_do(cli: Cli) -> None:
    missing = cli("run", "--landing", str(cli.world.root / "nowhere"))
    assert (missing.code, "does not exist" in missing.err) == (3, True)
    unknown = cli("run", SONGLAKE_GATE__MAX_REJECTED_SHARE="x")
    assert (unknown.code, "max_rejected_share" in unknown.err.lower()) == (2, True)
    assert cli("run", "--nonsense").code == 2
    lake = cli("spark_jobs/build_star.py", "--lake", str(cli.world.root / "none"), program="bin/spark-submit")
    assert (lake.code, "There is no lake" in lake.out + lake.err) == (3, True)


def test_without_java_a_run_names_what_to_install_and_other_commands_work(cli: Cli, tmp_path: Path) -> None:
    cli.world.write("log_data/1.json", [event()])
    # As bin/songlake starts it where bin/env.sh finds no Java 17.
    bare = {name: value for name, value in cli.environment(PATH=str(tmp_path)).items() if name != "JAVA_HOME"}
    program = [sys.executable, "-m", "spark_jobs.cli"]
    start = partial(subprocess.run, env={**bare, "PYSPARK_SUBMIT_ARGS": "pyspark-shell"}, cwd=PROJECT, capture_output=True, text=True)
    refused = start([*program, "run"])
    assert (refused.returncode, "Java 17 was not found. Install it" in " ".join(refused.stderr.split())) == (2, True), refused.stderr
    assert start([*program, "status"]).returncode == 0


def test_help_of_a_job_shows_how_it_is_started(cli: Cli) -> None:
    told = cli("spark_jobs/ingest.py", "--help", program="bin/spark-submit", COLUMNS="400")
    assert (told.code, "Usage: bin/spark-submit spark_jobs/ingest.py [OPTIONS]" in told.out) == (0, True)
    assert f"here: {cli.world.landing}" in told.out


def test_a_driver_ends_with_the_airflow_task_that_submitted_it(cli: Cli) -> None:
    cli.world.write("log_data/a.json", [event()])
    submit = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    task = subprocess.Popen(
        [sys.executable, "-c", submit, str(PROJECT / "bin/spark-submit"), "spark_jobs/ingest.py"],
        env=cli.environment(AIRFLOW_CTX_TASK_ID="ingest", SONGLAKE_PAUSE_AT="events"),
        stdout=subprocess.DEVNULL,
        cwd=PROJECT,
    )
    family = wait_until(lambda: _with_driver(psutil.Process(task.pid).children(recursive=True)), seconds=240)
    task.kill()
    task.wait()
    assert wait_until(lambda: all(map(_is_over, family)), seconds=120)


def _with_driver(family: list[psutil.Process]) -> list[psutil.Process]:
    """Give the processes once the job's Python is among them."""
    return family if any("python" in _command(one) and "ingest.py" in _command(one) for one in family) else []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _is_over(process: psutil.Process) -> bool:
    """Whether a process works no more; an init that is slow to reap leaves the dead in the table."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
