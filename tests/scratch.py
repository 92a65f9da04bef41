"""Servers and databases that live as long as one test, ports that are free, and waiting for what comes."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from spark_jobs.warehouse import embedded

_HELD: list[socket.socket] = []


@contextmanager
def scratch_server() -> Iterator[tuple[Path, str]]:
    """Start a PostgreSQL of one's own; gives its home, and the URL of its superuser."""
    # Not under pytest's tmp_path: only its owner may enter that, and PostgreSQL runs as another user when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="songlake-postgres-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        url = embedded.start(home)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                # Nothing outlives the run, so nothing waits for the disk.
                connection.execute("ALTER SYSTEM SET fsync = off")
                # It would lock tables, count as a reader and take dead rows away at moments of its own.
                connection.execute("ALTER SYSTEM SET autovacuum = off")
                connection.execute("SELECT pg_reload_conf()")
            yield home, url
        finally:
            embedded.stop(home)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Give an empty or new folder a small file system of its own; the test is skipped where this user may not mount one."""
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a folder's file system but for so many bytes, by a file that may be removed."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(filler, max(0, filler.stat().st_size - leave))
    return filler


@contextmanager
def scratch_database(server: str, template: str = "template1") -> Iterator[str]:
    """Create a database under a name of its own and give its URL; drop it at the end, whoever is connected."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def free_port() -> int:
    """A port that nobody else is given as long as this process lives: it is bound here, and refuses, until a server listens there."""
    holder = socket.socket()
    # As servers ask for it themselves, they may bind it too; the system gives it to nobody who asks for any port.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _HELD.append(holder)
    return int(holder.getsockname()[1])


def wait_until(look: Callable[[], Any], seconds: float, every: float = 0.2) -> Any:
    """Look until something is there, and give it; give the last look's answer once the time is over."""
    given_up_at = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < given_up_at:
        time.sleep(every)
    return found
