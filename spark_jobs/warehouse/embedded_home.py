"""The folder of an embedded PostgreSQL, and what lies in it.

data/           PostgreSQL's own files
pgpass          port, user and password, readable by the owner alone, in libpq's format
postgres.log    what the server says
stopped         there after somebody stopped it by hand
lock            held while somebody starts or stops it
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spark_jobs.errors import ServiceUnreachable

HOST = "127.0.0.1"
USER = "songlake"
DATABASE = "songlake"
ELSEWHERE = "name a folder by SONGLAKE_POSTGRES_HOME, or a server of your own by WAREHOUSE_URL"


class Login(NamedTuple):
    """What opens the server."""

    port: int
    password: str

    def url(self, database: str = DATABASE) -> str:
        """Write it as a URL, password included."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{database}"


class Home:
    """The folder, made when it is first locked."""

    def __init__(self, folder: Path) -> None:
        """Name the files; nothing is made."""
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.stopped = self.folder / "stopped"
        self.pgpass = self.folder / "pgpass"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time start or stop the server; the others wait.

        Raises:
            ServiceUnreachable: The folder is not ours to use.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise ServiceUnreachable(
                f"PostgreSQL cannot keep its files in {self.folder}: {error.strerror}.", f"Make that folder yours, {ELSEWHERE}."
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read_login(self) -> Login | None:
        """Read port and password; None if there are none.

        Raises:
            ServiceUnreachable: They belong to another account.
        """
        try:
            _, port, _, _, password = self.pgpass.read_text().strip().split(":")
            return Login(int(port), password)
        except (FileNotFoundError, ValueError):
            return None
        except PermissionError:
            raise ServiceUnreachable(f"{self.pgpass} belongs to another account.", f"Run as that account, {ELSEWHERE}.") from None

    def write_login(self, login: Login) -> None:
        """Keep port and password."""
        fresh = self.pgpass.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        write_private(fresh, f"{HOST}:{login.port}:*:{USER}:{login.password}\n")
        fresh.replace(self.pgpass)


def write_private(path: Path, text: str) -> None:
    """Make a file that its owner alone can read, from its first moment on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
