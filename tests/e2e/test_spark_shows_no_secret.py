"""What Spark shows and keeps while it writes to the warehouse: its pages, its answers, its event log, its command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests

from tests.e2e.conftest import Cli, kill_group, wait_for
from tests.scratch import free_port
from tests.sparkenv import PROJECT
from tests.world import event, song

PAGES = ("jobs", "stages", "storage", "environment", "executors", "SQL")


def test_spark_shows_the_password_nowhere_while_it_writes_by_jdbc(cli: Cli, tmp_path: Path) -> None:
    secret = str(urlsplit(cli.world.url).password)
    cli.world.write("log_data/1.json", [event()])
    cli.world.write("song_data/1.json", [song()])
    port, events = free_port(), tmp_path / "events"
    events.mkdir()
    shown = {
        "spark.ui.enabled": "true",
        "spark.ui.port": str(port),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events.as_uri(),
    }
    options = [word for name, value in shown.items() for word in ("--conf", f"{name}={value}")]
    folders = ["--landing", str(cli.world.landing), "--lake", str(cli.world.lake)]
    process = subprocess.Popen(
        [PROJECT / "bin/spark-submit", *options, "spark_jobs/pipeline.py", *folders],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=cli.environment(SONGLAKE_PAUSE_AT="publish"),
        cwd=PROJECT,
        start_new_session=True,
    )
    try:
        wait_for(process, "paused at publish")
        seen = {page: requests.get(f"http://127.0.0.1:{port}/{page}/", timeout=30).text for page in PAGES}
        (application,) = requests.get(f"http://127.0.0.1:{port}/api/v1/applications", timeout=30).json()
        answers = f"http://127.0.0.1:{port}/api/v1/applications/{application['id']}"
        for name in ("environment", "sql?details=true&length=1000", "jobs"):
            seen[name] = requests.get(f"{answers}/{name}", timeout=30).text
        seen |= {str(path): path.read_bytes().decode(errors="replace") for path in events.rglob("*") if path.is_file()}
        started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        ours = [one for one in started if one.status() != psutil.STATUS_ZOMBIE]
        seen |= {f"arguments of {one.pid}": " ".join(one.cmdline()) for one in ours}
        listening = {connection.laddr.ip for one in ours for connection in one.net_connections("tcp") if connection.status == "LISTEN"}
    finally:
        kill_group(process)
    assert ["spark.authenticate", "true"] in json.loads(seen["environment"])["sparkProperties"]
    assert "staging.songplays" in "".join(seen.values()), "the writes by JDBC are shown"
    assert [name for name, text in seen.items() if secret in text] == []
    assert listening
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
