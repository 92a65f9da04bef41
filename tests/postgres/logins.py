"""Login roles with a password, for as long as a test needs them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


@contextmanager
def login(server: str, *options: str) -> Iterator[str]:
    """Make a login role with a password; give the server's URL with that login."""
    name, password = f"user_{uuid.uuid4().hex[:12]}", "ex@mple:word"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} {}").format(sql.Identifier(name), password, sql.SQL(" ".join(options))))
        parts = urlsplit(server)
        try:
            yield parts._replace(netloc=f"{name}:ex%40mple%3Aword@{parts.hostname}:{parts.port}").geturl()
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def at(server_url: str, database_url: str) -> str:
    """The same login, at another database."""
    return urlsplit(server_url)._replace(path=urlsplit(database_url).path).geturl()


def user_of(url: str) -> sql.Identifier:
    return sql.Identifier(str(urlsplit(url).username))
