"""Servers and databases that live as long as one test, and ports that are free."""

from __future__ import annotations

import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from spark_jobs.warehouse import embedded


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
                connection.execute("SELECT pg_reload_conf()")
            yield home, url
        finally:
            embedded.stop(home)


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
    """A port that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
