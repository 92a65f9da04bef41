"""The real thing on one machine without Docker: PostgreSQL and Airflow's four components, restarted when they die.

`bin/songlake up` starts a supervisor that outlives it; `bin/songlake down` ends everything. All lies in one folder, Airflow's home.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg
import requests
from cryptography.fernet import Fernet
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from spark_jobs.errors import BadUsage, ServiceUnreachable
from spark_jobs.settings import PROJECT, Settings
from spark_jobs.warehouse import embedded

HOST = "127.0.0.1"
ADMIN = "admin"
COMPONENTS = {
    "api-server": ("api-server",),
    # Without their log servers, which would listen on every network: all components read the logs of this machine's disk.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
POOL = ("songlake_writer", "1", "One writer of lake and warehouse at a time")
_DATABASE = "airflow"
_PATIENCE_SECONDS = 240
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30
_STOP_SECONDS = 20


class Running(NamedTuple):
    """A stack that is up.

    Attributes:
        url: Address of the UI.
        password: Password of the user `admin`.
        is_new: Whether this call started it.
        is_first: Whether the password was made by this call.
    """

    url: str
    password: str
    is_new: bool
    is_first: bool


class _Home:
    """The files of one stack."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.logs = folder, folder / "logs"
        self.lock, self.pid = folder / "stack.lock", folder / "stack.pid"
        self.secrets, self.passwords = folder / "secrets.json", folder / "passwords.json"

    def make(self) -> bool:
        """Create what is missing; tells whether the secrets are new."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(exist_ok=True)
        if self.secrets.exists():
            return False
        made = {name: secrets.token_urlsafe(24) for name in ("admin", "database", "api", "jwt")} | {
            "fernet": Fernet.generate_key().decode()
        }
        _write_private(self.passwords, {ADMIN: made["admin"]})
        _write_private(self.secrets, made)
        return True

    def read_secrets(self) -> dict[str, str]:
        held: dict[str, str] = json.loads(self.secrets.read_text())
        return held

    def supervisor(self) -> int | None:
        """Give the process that supervises this stack: the one that holds the lock."""
        if not self.lock.exists():
            return None
        with self.lock.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(self.pid.read_text())
        return None


def _write_private(path: Path, content: dict[str, str]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)


def up(settings: Settings, tell: Callable[[str], None]) -> Running:
    """Start the stack, or find it running.

    Args:
        settings: Where everything lies, and the port of the UI.
        tell: Called with what is being done.

    Raises:
        BadUsage: The port is taken by something else.
        ServiceUnreachable: PostgreSQL or Airflow does not come up.
    """
    home = _Home(settings.airflow.home)
    url = _address(settings)
    if home.supervisor() is not None:
        return Running(url, home.read_secrets()["admin"], is_new=False, is_first=False)
    _end_leftovers(home)
    _refuse_taken_port(settings.airflow.port)
    is_first = home.make()
    settings.landing.mkdir(parents=True, exist_ok=True)
    tell("PostgreSQL")
    environment = make_environment(settings)
    tell("Airflow's database")
    _airflow(environment, home, "db", "migrate")
    _airflow(environment, home, "pools", "set", *POOL)
    tell("Airflow's four components")
    with (home.logs / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "spark_jobs.stack"],
            cwd=PROJECT,
            env=_own_environment(settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _wait_until_healthy(home, url)
    return Running(url, home.read_secrets()["admin"], is_new=True, is_first=is_first)


def down(settings: Settings) -> bool:
    """End the stack and its PostgreSQL; tells whether anything ran."""
    home = _Home(settings.airflow.home)
    supervisor = home.supervisor()
    if supervisor is not None:
        os.kill(supervisor, signal.SIGTERM)
        given_up_at = time.monotonic() + _STOP_SECONDS * 2
        while home.supervisor() is not None and time.monotonic() < given_up_at:
            time.sleep(0.1)
    left = _end_leftovers(home)
    ran = embedded.is_running(settings.postgres_home)
    if ran:
        embedded.stop(settings.postgres_home, by_hand=False)
    return supervisor is not None or left > 0 or ran


def make_environment(settings: Settings) -> dict[str, str]:
    """Start PostgreSQL if need be and give the environment of Airflow's processes, passwords included.

    What the caller's environment says already (AIRFLOW__ settings, AIRFLOW_CONN_ connections) stays.
    """
    home = _Home(settings.airflow.home)
    held, postgres = home.read_secrets(), embedded.start(settings.postgres_home)
    url = _address(settings)
    warehouse = settings.warehouse_url.get_secret_value() if settings.warehouse_url else postgres
    defaults = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__API__WORKERS": "1",
        # A task whose process vanished is tried again after a minute, not after five.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps({"conn_type": "spark", "host": "local[*]"}),
    }
    fixed = {
        "AIRFLOW_HOME": str(home.folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": held["fernet"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _metadata_database(postgres, held["database"]),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "tasks"),
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "120",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(settings.airflow.port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": held["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": held["jwt"],
        "AIRFLOW_CONN_SONGLAKE_WAREHOUSE": warehouse,
        "PATH": os.pathsep.join([str(PROJECT / "bin"), str(PROJECT / ".venv" / "bin"), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(PROJECT),
        # Processes that rename themselves leave their environment readable, by which `down` tells them.
        "SPT_NOENV": "1",
    }
    return {**defaults, **_own_environment(settings), **fixed}


def _address(settings: Settings) -> str:
    return f"http://{HOST}:{settings.airflow.port}"


def _own_environment(settings: Settings) -> dict[str, str]:
    """Give the present environment with the folders that this command was started with; the warehouse's address only as a connection."""
    folders = {
        "SONGLAKE_LANDING": settings.landing,
        "SONGLAKE_LAKE": settings.lake,
        "SONGLAKE_POSTGRES_HOME": settings.postgres_home,
        "SONGLAKE_REPORTS": settings.reports,
        "SONGLAKE_AIRFLOW__HOME": settings.airflow.home,
    }
    given = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
    given["SONGLAKE_AIRFLOW__PORT"] = str(settings.airflow.port)
    return given


def _metadata_database(postgres: str, password: str) -> str:
    """Make Airflow's own database and role in the embedded PostgreSQL, and give its address."""
    address = conninfo_to_dict(postgres)
    role = sql.Identifier(_DATABASE)
    with psycopg.connect(postgres, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
    return f"postgresql+psycopg2://{_DATABASE}:{password}@{address['host']}:{address['port']}/{_DATABASE}"


def _airflow(environment: dict[str, str], home: _Home, *arguments: str) -> None:
    with (home.logs / "set-up.log").open("ab") as log:
        done = subprocess.run([_program(), *arguments], cwd=PROJECT, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise ServiceUnreachable(f"'airflow {' '.join(arguments[:2])}' ended with {done.returncode}.", f"See {home.logs / 'set-up.log'}.")


def _program() -> str:
    return str(Path(sys.executable).parent / "airflow")


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise BadUsage(
                f"Port {port} of {HOST} is taken, and Airflow's UI is to listen there.",
                "Stop what listens there, or choose another: SONGLAKE_AIRFLOW__PORT=8081 make up, or airflow.port in conf/songlake.yaml.",
            ) from None


def _wait_until_healthy(home: _Home, url: str) -> None:
    given_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        health = read_health(url)
        missing = [name for name in ("metadatabase", "scheduler", "triggerer", "dag_processor") if health.get(name) != "healthy"]
        if not missing:
            return
        if time.monotonic() > given_up_at:
            raise ServiceUnreachable(f"Airflow is not healthy: {', '.join(missing)}.", f"See the logs in {home.logs}; 'make down' ends it.")
        time.sleep(_LOOK_SECONDS)


def read_health(url: str) -> dict[str, str]:
    """Ask Airflow how its components are; empty while it does not answer."""
    try:
        answer: dict[str, dict[str, Any]] = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
    except requests.RequestException:
        return {}
    return {name: str(part.get("status")) for name, part in answer.items()}


def _end_leftovers(home: _Home) -> int:
    """End processes of this stack that outlived their supervisor; they are told by their environment."""
    found = list(_processes_of(home))
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=_STOP_SECONDS)
    return len(found)


def _processes_of(home: _Home) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("AIRFLOW_HOME") == str(home.folder):
                yield process
        except psutil.Error:
            continue


class _Component:
    """One of Airflow's processes, with the group of processes it starts."""

    def __init__(self, name: str, home: _Home) -> None:
        self.name, self._home = name, home
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at, self._pause = 0.0, 1.0

    @property
    def was_started(self) -> bool:
        """Whether it was started at least once."""
        return self._process is not None

    def keep_running(self, environment: Callable[[], dict[str, str]]) -> None:
        """Start it if it does not run, the later the more often it has died lately."""
        if self._process is not None and self._process.poll() is None:
            return
        now = time.monotonic()
        if self._process is not None:
            self._end_group(signal.SIGKILL)
            if now < self._started_at + self._pause:
                return
            self._pause = 1.0 if now > self._started_at + 10 * _LONGEST_PAUSE_SECONDS else min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            _say(f"{self.name} had ended with {self._process.returncode}; starting it again")
        self._started_at = now
        with (self._home.logs / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), *COMPONENTS[self.name]], cwd=PROJECT, env=environment(), stdout=log, stderr=log, start_new_session=True
            )

    def ask_to_end(self) -> None:
        """Ask it to stop."""
        if self._process is not None:
            self._process.terminate()

    def end(self, patience_seconds: float) -> None:
        """Wait until it has stopped, and stop it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, patience_seconds))
        except subprocess.TimeoutExpired:
            _say(f"{self.name} did not stop in {_STOP_SECONDS} s and is killed")
        self._end_group(signal.SIGKILL)

    def _end_group(self, how: signal.Signals) -> None:
        assert self._process is not None  # noqa: S101 - callers started it
        try:
            os.killpg(self._process.pid, how)
        except ProcessLookupError:
            return


def supervise(settings: Settings) -> None:
    """Keep PostgreSQL and Airflow's components running until told to stop."""
    home = _Home(settings.airflow.home)
    with home.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        home.pid.write_text(str(os.getpid()))
        with _stop_asked() as stop:
            components = [_Component(name, home) for name in COMPONENTS]
            while not stop:
                _look_after(components, settings)
                time.sleep(_LOOK_SECONDS)
            given_up_at = time.monotonic() + _STOP_SECONDS
            for component in components:
                component.ask_to_end()
            for component in components:
                component.end(given_up_at - time.monotonic())


def _look_after(components: list[_Component], settings: Settings) -> None:
    try:
        if not embedded.is_running(settings.postgres_home):
            _say("PostgreSQL had ended; starting it again")
            embedded.start(settings.postgres_home)
        for component in components:
            # Tasks report to the API server; one that starts before it would fail.
            if component.was_started or component.name == "api-server" or read_health(_address(settings)):
                component.keep_running(lambda: make_environment(settings))
    except (ServiceUnreachable, psycopg.Error) as error:
        _say(f"PostgreSQL cannot be used: {error}")


@contextmanager
def _stop_asked() -> Iterator[list[int]]:
    """Give a list that fills when a signal asks to stop."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: asked.append(received))
    yield asked


def _say(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    from spark_jobs.settings import load

    supervise(load())
