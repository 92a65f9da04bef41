"""The one way to the warehouse: connect, or say in two sentences why not; and the same address for Spark's JDBC.

The address holds a password, so it is never printed: `describe` gives what may be shown.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from typing import NamedTuple
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from spark_jobs.errors import BadUsage, ServiceUnreachable

Connection = psycopg.Connection[tuple[object, ...]]

CONNECT_TIMEOUT_SECONDS = 5
LOCK_TIMEOUT_SECONDS = 30
"""How long any statement waits for a lock, unless its transaction says otherwise."""
SILENCE_SECONDS = 120
"""How long Spark waits for an answer; no batch of its rows takes a fraction of that."""
_NAME_BYTES = 63

_URL_PARTS = ("host", "port", "dbname", "user", "password")
_OURS = ("application_name", "connect_timeout")
_JDBC_NAMES = {"target_session_attrs": "targetServerType"}
_JDBC_SERVER_TYPES = {
    "read-write": "primary",
    "primary": "primary",
    "read-only": "secondary",
    "standby": "secondary",
    "prefer-standby": "preferSecondary",
}


class _Cause(NamedTuple):
    """A refusal that PostgreSQL or the network words this way, and the two sentences for it."""

    wording: str
    what: str
    fix: str


_START = "Start it, or correct host and port in WAREHOUSE_URL."
_LOGIN = "Correct user and password in WAREHOUSE_URL (percent-encode special characters)."
_CAUSES = (
    _Cause("password authentication failed|no password supplied|role .* does not exist", "refuses the login", _LOGIN),
    _Cause(
        "no pg_hba.conf entry|pg_hba.conf rejects",
        "does not let this machine in",
        "Have its administrator add a line to pg_hba.conf for it.",
    ),
    _Cause(
        "permission denied for database|CONNECT privilege",
        "does not let this user into the database",
        "Grant songlake_writer (or songlake_reader, to read) to it, or correct the name in WAREHOUSE_URL.",
    ),
    _Cause("database .* does not exist", "has no such database", "Create it (createdb), or correct the name in WAREHOUSE_URL."),
    _Cause(
        "too many (clients|connections)|remaining connection slots",
        "has no connection left",
        "Close sessions that are not needed or raise max_connections, then run again.",
    ),
    _Cause(
        "starting up|shutting down|in recovery|not (yet )?accepting",
        "is starting, stopping or a standby",
        "Wait until it is up, or point WAREHOUSE_URL at the primary server.",
    ),
    _Cause("SSL|certificate", "and this machine cannot agree on encryption", "Correct sslmode and its certificates in WAREHOUSE_URL."),
    _Cause("resolve host|translate host", "cannot be found by that name", "Correct the host in WAREHOUSE_URL."),
    _Cause("timeout|timed out|unreachable|No route", "does not answer", _START),
    _Cause("refused|No such file", "is not running there", _START),
)


def connect(url: str, *, application_name: str) -> Connection:
    """Connect to the warehouse, in autocommit mode and with UTC as time zone.

    Args:
        url: `postgresql://user:password@host:port/database`.
        application_name: What others see in pg_stat_activity, best from `session_name`.

    Raises:
        BadUsage: The address cannot be read.
        ServiceUnreachable: PostgreSQL does not answer, refuses, or takes no writes.
    """
    parts = _parse(url)
    parts |= {"application_name": application_name, "connect_timeout": str(CONNECT_TIMEOUT_SECONDS)}
    try:
        connection = psycopg.connect(autocommit=True, **parts)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise _unreachable(url, str(error)) from None
    try:
        _prepare(connection, url)
    except psycopg.Error as error:
        connection.close()
        raise _unreachable(url, str(error)) from None
    except BaseException:
        connection.close()
        raise
    return connection


def session_name(command: str) -> str:
    """Name a session so that whoever waits for it finds the process: `songlake run pid=123 host=x`."""
    name = f"songlake {command} pid={os.getpid()} host={socket.gethostname()}"
    return name.encode()[:_NAME_BYTES].decode(errors="ignore")


def describe(url: str) -> str:
    """Write the address as it may be shown: `user@host:port/database`, never the password."""
    parts = _parse(url)
    return f"{_user(parts)}@{_hosts(parts) or 'localhost'}/{parts.get('dbname') or _user(parts)}"


def jdbc_options(url: str, *, application_name: str = "songlake") -> dict[str, str]:
    """Give Spark's JDBC writer the same address.

    The password is an option of its own, which Spark redacts; the URL holds none. Further parameters of the address, such as sslmode,
    are passed on.

    Returns:
        `url`, `user`, `password`, `driver`.

    Raises:
        BadUsage: The address cannot be read, or names no host that TCP can reach.
    """
    parts = _parse(url)
    hosts = _hosts(parts)
    if not hosts or hosts.startswith("/"):
        raise BadUsage(
            "WAREHOUSE_URL names no host, and Spark reaches PostgreSQL over TCP only.",
            "Write postgresql://user:password@host:port/database.",
        )
    further = {_JDBC_NAMES.get(name, name): str(value) for name, value in parts.items() if name not in _URL_PARTS + _OURS}
    if "targetServerType" in further:
        further["targetServerType"] = _JDBC_SERVER_TYPES.get(further["targetServerType"], "any")
    further = {
        "reWriteBatchedInserts": "true",
        "ApplicationName": application_name,
        "connectTimeout": str(CONNECT_TIMEOUT_SECONDS),
        "socketTimeout": str(SILENCE_SECONDS),
        "options": f"-c search_path=pg_catalog -c lock_timeout={LOCK_TIMEOUT_SECONDS}s {further.pop('options', '')}".strip(),
        # Errors would quote the rows of the batch, which are people's.
        "logServerErrorDetail": "false",
        **further,
    }
    user = _user(parts)
    return {
        "url": f"jdbc:postgresql://{hosts}/{quote(parts.get('dbname') or user, safe='')}?{urlencode(further, quote_via=quote)}",
        "user": user,
        "password": parts.get("password") or os.environ.get("PGPASSWORD", ""),
        "driver": "org.postgresql.Driver",
    }


def _parse(url: str) -> dict[str, str]:
    """Take the address apart as libpq does. What cannot be read is not repeated: it could hold the password."""
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    try:
        found = conninfo_to_dict(plain) if plain.startswith("postgresql://") else None
    except psycopg.Error:
        found = None
    if found is None or not re.fullmatch(r"[\d,]*", str(found.get("port") or "")):
        raise BadUsage(
            "WAREHOUSE_URL is not an address that PostgreSQL can read.",
            "Write it as postgresql://user:password@host:port/database, with special characters of the password percent-encoded.",
        )
    return {name: str(value) for name, value in found.items() if value is not None}


def _user(parts: dict[str, str]) -> str:
    return parts.get("user") or os.environ.get("PGUSER") or getpass.getuser()


def _hosts(parts: dict[str, str]) -> str:
    """Join hosts and ports as an address shows them; IPv6 in brackets."""
    hosts = parts.get("host", "").split(",")
    ports = parts.get("port", "5432").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    bracketed = [f"[{host}]" if ":" in host and not host.startswith("[") else host for host in hosts]
    return ",".join(f"{host}:{port or 5432}" for host, port in zip(bracketed, ports, strict=False) if host)


def _unreachable(url: str, message: str) -> ServiceUnreachable:
    where = f"PostgreSQL at {describe(url)}"
    for cause in _CAUSES:
        if re.search(cause.wording, message):
            return ServiceUnreachable(f"{where} {cause.what}.", cause.fix)
    # libpq's own words, whose last line names the reason; the password is never among them, but be sure.
    reason = message.strip().splitlines()[-1].split(" failed: ")[-1].strip().rstrip(".")
    password = _parse(url).get("password")
    reason = reason.replace(password, "***") if password else reason
    return ServiceUnreachable(f"{where} cannot be used: {reason}.", "Mend that, or correct WAREHOUSE_URL.")


def _prepare(connection: Connection, url: str) -> None:
    """Set what every session needs in one round trip, and refuse a server that takes no writes.

    Names without a schema are PostgreSQL's own, so that nobody's function in `public` is called in place of one of them.
    Keep-alive probes let PostgreSQL notice within two minutes that a writer's machine has vanished; its lock would stay for hours.
    """
    row = connection.execute(
        """
        SELECT
            pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
            set_config('TimeZone', 'UTC', false), set_config('search_path', 'pg_catalog', false),
            set_config('tcp_keepalives_idle', '60', false), set_config('tcp_keepalives_interval', '10', false),
            set_config('tcp_keepalives_count', '6', false), set_config('lock_timeout', %s, false)
        """,
        [f"{LOCK_TIMEOUT_SECONDS}s"],
    ).fetchone()
    in_recovery, read_only = row[:2] if row else (False, False)
    if in_recovery:
        raise ServiceUnreachable(
            f"PostgreSQL at {describe(url)} is a standby and takes no writes.", "Point WAREHOUSE_URL at the primary server."
        )
    if read_only:
        raise ServiceUnreachable(
            f"PostgreSQL at {describe(url)} is set to read-only.",
            "Set default_transaction_read_only to off for this user, database or server.",
        )
