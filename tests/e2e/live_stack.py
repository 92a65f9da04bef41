"""A whole Songlake with Airflow in a throw-away home, started as a person starts it, and a mail server that keeps what it gets."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import psutil
import requests
from aiosmtpd.controller import Controller

from tests.scratch import free_port, wait_until
from tests.sparkenv import PROJECT
from tests.world import World


class MailServer:
    """A real SMTP server on a free port."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 kept"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    @property
    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mails]

    def body(self, number: int) -> str:
        """The HTML of a mail."""
        part = self.mails[number].get_body(("html",))  # type: ignore[attr-defined]
        return str(part.get_content())


@dataclass
class Stack:
    """Songlake under Airflow."""

    home: Path
    port: int
    smtp_port: int
    settings: dict[str, str] = field(default_factory=dict)
    _token: str = ""

    @property
    def airflow(self) -> Path:
        return self.home / "airflow"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def world(self) -> World:
        from spark_jobs.warehouse import embedded

        address = embedded.url(self.home / "postgres")
        assert address is not None
        return World(self.home, address)

    @property
    def password(self) -> str:
        return str(json.loads((self.airflow / "passwords.json").read_text())["admin"])

    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SPARK", "PYSPARK", "SONGLAKE", "AIRFLOW", "OPENLINEAGE", "WAREHOUSE"))
        }
        smtp = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": self.smtp_port,
            "extra": {"disable_ssl": True, "disable_tls": True, "retry_limit": 1},
        }
        return {
            **kept,
            "SONGLAKE_LANDING": str(self.home / "landing"),
            "SONGLAKE_LAKE": str(self.home / "lake"),
            "SONGLAKE_POSTGRES_HOME": str(self.home / "postgres"),
            "SONGLAKE_REPORTS": str(self.home / "reports"),
            "SONGLAKE_AIRFLOW__HOME": str(self.airflow),
            "SONGLAKE_AIRFLOW__PORT": str(self.port),
            "SONGLAKE_AIRFLOW__RETRY_SECONDS": "2",
            "SONGLAKE_SETTLE_SECONDS": "6",
            "SONGLAKE_ALERTS__MAIL_TO": '["oncall@example.org"]',
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            **self.settings,
        }

    def songlake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run bin/songlake on this stack's folders."""
        return subprocess.run(
            [str(PROJECT / "bin/songlake"), *arguments], env=self.environment(), cwd=PROJECT, capture_output=True, text=True, timeout=400
        )

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Ask Airflow's public API."""
        if not self._token:
            login = {"username": "admin", "password": self.password}
            self._token = requests.post(f"{self.url}/auth/token", json=login, timeout=30).json()["access_token"]
        answer = requests.request(
            method,
            f"{self.url}/api/v2{path}",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=30,
            **({"json": body} if method != "GET" else {"params": body}),
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def shown(self, path: str) -> str:
        """What Airflow's public API shows there, also where it refuses."""
        return requests.get(f"{self.url}/api/v2{path}", headers={"Authorization": f"Bearer {self._token}"}, timeout=30).text

    def runs(self, dag: str = "songlake") -> list[dict[str, Any]]:
        """The DAG's runs, newest first."""
        return list(self.api("GET", f"/dags/{dag}/dagRuns", order_by="-run_after", limit=50)["dag_runs"])

    def states(self, run_id: str, dag: str = "songlake") -> dict[str, str | None]:
        """Task to its state."""
        return {task["task_id"]: task["state"] for task in self.api("GET", f"/dags/{dag}/dagRuns/{run_id}/taskInstances")["task_instances"]}

    def trigger(self, dag: str = "songlake", **conf: Any) -> str:
        """Start a run as a person does."""
        return str(self.api("POST", f"/dags/{dag}/dagRuns", logical_date=None, conf=conf)["dag_run_id"])

    def clear(self, run_id: str, *tasks: str, dag: str = "songlake") -> None:
        """Let tasks of a run start again, as a person does."""
        chosen = {"dag_run_id": run_id, "task_ids": tasks, "only_failed": False, "reset_dag_runs": True}
        self.api("POST", f"/dags/{dag}/clearTaskInstances", dry_run=False, **chosen)

    def started_by(self, run_id: str, dag: str) -> str | None:
        """The run of another DAG that the asset of this run of the pipeline has started."""
        for run in self.runs(dag):
            events = self.api("GET", f"/dags/{dag}/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")["asset_events"]
            if (run_id, "publish") in {(event["source_run_id"], event["source_task_id"]) for event in events}:
                return str(run["dag_run_id"])
        return None

    def wait_for_run(self, run_id: str, dag: str = "songlake", seconds: float = 420) -> str:
        """Wait until a run has ended; gives its state."""
        return str(wait(lambda: self._ended(run_id, dag), f"run {run_id} to end", seconds))

    def _ended(self, run_id: str, dag: str) -> str | None:
        state = self.api("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"]
        return str(state) if state in ("success", "failed") else None

    def waiting_run(self) -> str:
        """The run that waits for files."""

        def look() -> str | None:
            found = [
                run["dag_run_id"]
                for run in self.runs()
                if run["state"] == "running" and self.states(run["dag_run_id"])["wait_for_files"] == "deferred"
            ]
            return found[0] if found else None

        return str(wait(look, "a run that waits for files", 300))

    def processes(self) -> list[psutil.Process]:
        """All processes of this stack but PostgreSQL's."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("AIRFLOW_HOME") == str(self.airflow):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def process(self, *words: str) -> psutil.Process | None:
        """The oldest process of this stack whose command line holds all these words."""

        def holds(process: psutil.Process) -> bool:
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                return False
            return all(word in line for word in words)

        found = sorted((process for process in self.processes() if holds(process)), key=lambda process: process.create_time())
        return found[0] if found else None


class Watch(threading.Thread):
    """Looks every two seconds, as long as the stack works, at what its processes open to others and show in their arguments."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.stack = stack
        self.over = threading.Event()
        self.addresses: set[tuple[str, str]] = set()
        """Program and address of every socket that listened."""
        self.arguments: set[str] = set()
        """Every command line of this machine."""

    def run(self) -> None:
        while not self.over.wait(2):
            with suppress(psutil.Error, OSError):
                self._look()

    def _look(self) -> None:
        postmaster = int((self.stack.home / "postgres/data/postmaster.pid").read_text().split()[0])
        ours = {process.pid: process.name() for process in [*self.stack.processes(), psutil.Process(postmaster)]}
        listening = [one for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.pid in ours]
        self.addresses |= {(ours[one.pid], one.laddr.ip) for one in listening}
        self.arguments |= {" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])}


def wait(look: Callable[[], Any], what: str, seconds: float) -> Any:
    """Wait until something is there, and give it."""

    def answered() -> Any:
        with suppress(requests.ConnectionError, requests.Timeout):
            return look()

    found = wait_until(answered, seconds, every=1)
    assert found, f"waited {seconds:.0f} s for {what}"
    return found
