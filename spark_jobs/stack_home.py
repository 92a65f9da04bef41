"""What one stack consists of: its files, its processes, and the environment of Airflow's components."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from cryptography.fernet import Fernet
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from spark_jobs.lineage import ELSEWHERE
from spark_jobs.locations import location
from spark_jobs.settings import PROJECT, Settings
from spark_jobs.warehouse import embedded

HOST = "127.0.0.1"
ADMIN = "admin"
SUPERVISOR = "spark_jobs.stack_supervisor"
MARKER = "AIRFLOW_SONGLAKE_STACK"
"""A variable that all processes of a stack have, and no shell."""

_DATABASE = "airflow"


class StackHome:
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
        """Give the secrets by name."""
        held: dict[str, str] = json.loads(self.secrets.read_text())
        return held

    def supervisor(self) -> psutil.Process | None:
        """Give the process that supervises this stack: the one that holds the lock."""
        if not self.lock.exists():
            return None
        with self.lock.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return self._named_process()
        return None

    def _named_process(self) -> psutil.Process | None:
        """Find the process whose number the lock's holder wrote, sure that it is such a one."""
        try:
            process = psutil.Process(int(self.pid.read_text()))
            return process if SUPERVISOR in process.cmdline() else None
        except (OSError, ValueError, psutil.Error):
            return None

    def processes(self) -> list[psutil.Process]:
        """List Airflow's processes of this stack, told by their environment, whoever their parent is now."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARKER) == str(self.folder):
                    found.append(process)
            except psutil.Error:
                continue
        return found


def _write_private(path: Path, content: dict[str, str]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)


def end_processes(processes: list[psutil.Process], patience_seconds: float) -> None:
    """Kill processes, and wait until they have ended."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=patience_seconds)


def make_environment(settings: Settings) -> dict[str, str]:
    """Start PostgreSQL if need be and give the environment of Airflow's processes, passwords included.

    What the caller's environment says already (AIRFLOW__ settings, AIRFLOW_CONN_ connections) stays.
    """
    home = StackHome(settings.airflow.home)
    held, postgres = home.read_secrets(), embedded.start(settings.postgres_home)
    url = address(settings)
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
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "songlake",
        "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": '[{"scope": {}, "controls": {"include_source_code": false}}]',
        **_lineage_to_files(home.logs / "lineage"),
    }
    fixed = {
        "AIRFLOW_HOME": str(home.folder),
        MARKER: str(home.folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": held["fernet"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _metadata_database(postgres, held["database"]),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "tasks"),
        # Whatever imports a DAG file, as each task does, gives up after so long; Airflow's own half a minute is short for a busy machine.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "120",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(settings.airflow.port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": held["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": held["jwt"],
        "AIRFLOW_CONN_SONGLAKE_WAREHOUSE": warehouse,
        "PATH": os.pathsep.join([str(PROJECT / "bin"), str(PROJECT / ".venv" / "bin"), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(PROJECT),
        # Processes that rename themselves leave their environment readable, by which the stack tells its own.
        "SPT_NOENV": "1",
    }
    environment = {**defaults, **own_environment(settings), **fixed}
    # Whoever needs the warehouse's address takes it from the connection.
    environment.pop("WAREHOUSE_URL", None)
    return environment


def _lineage_to_files(folder: Path) -> dict[str, str]:
    """Let lineage go to files, unless one of OpenLineage's own variables says where it goes."""
    if any(name.startswith(ELSEWHERE) for name in os.environ):
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(folder / "event")})}


def address(settings: Settings) -> str:
    """Give the address of the UI."""
    return f"http://{HOST}:{settings.airflow.port}"


def own_environment(settings: Settings) -> dict[str, str]:
    """Give the present environment with the folders and the port that this command was started with."""
    chosen = {
        "SONGLAKE_LANDING": settings.landing,
        "SONGLAKE_LAKE": settings.lake,
        "SONGLAKE_POSTGRES_HOME": settings.postgres_home,
        "SONGLAKE_REPORTS": settings.reports,
        "SONGLAKE_AIRFLOW__HOME": settings.airflow.home,
        "SONGLAKE_AIRFLOW__PORT": settings.airflow.port,
    }
    return {**os.environ, **{name: str(value) for name, value in chosen.items()}}


def as_started(settings: Settings, supervisor: psutil.Process) -> Settings:
    """Give the settings with the port and the folders of files and reports that the stack of this supervisor was started with."""
    told = {**own_environment(settings), **supervisor.environ()}
    started = {
        "landing": location(told["SONGLAKE_LANDING"]),
        "reports": Path(told["SONGLAKE_REPORTS"]),
        "airflow": settings.airflow.model_copy(update={"port": int(told["SONGLAKE_AIRFLOW__PORT"])}),
    }
    return settings.model_copy(update=started)


def _metadata_database(postgres: str, password: str) -> str:
    """Make Airflow's own database and role in the embedded PostgreSQL, and give its address.

    A role that is there gets this password: the secrets are made anew where only Airflow's folder was removed.
    """
    address = conninfo_to_dict(postgres)
    role = sql.Identifier(_DATABASE)
    with psycopg.connect(postgres, autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_DATABASE]).fetchone()
        how = sql.SQL("ALTER ROLE {} PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(how.format(role, sql.Literal(password)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
    return f"postgresql+psycopg2://{_DATABASE}:{password}@{address['host']}:{address['port']}/{_DATABASE}"
