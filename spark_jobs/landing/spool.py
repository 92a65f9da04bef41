"""Where a batch's packed lines lie until Spark has read them: beside the lake, where Spark's executors find them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from spark_jobs.errors import InputMissing
from spark_jobs.landing.find import LandingFile
from spark_jobs.landing.pack import PackedFile, pack
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.object_store import remove_below, write

_SPOOL = "_spool"


def clear_spool(lake: Location) -> None:
    """Remove packed lines that a killed run left, in the lake and on this machine.

    Raises:
        InputMissing: The folder for them on this machine is not this user's alone.
    """
    spool = lake / _SPOOL
    if isinstance(spool, ObjectPath):
        shutil.rmtree(_folder_here(spool), ignore_errors=True)
        remove_below(spool)
    else:
        shutil.rmtree(spool, ignore_errors=True)


@contextmanager
def open_spool(lake: Location, batch_id: str) -> Iterator[Location]:
    """Give the batch a folder for its packed lines, and clear what a killed run left.

    Raises:
        InputMissing: The folder for them on this machine is not this user's alone.
    """
    clear_spool(lake)
    folder = lake / _SPOOL / batch_id
    try:
        yield folder
    finally:
        clear_spool(lake)


def pack_into(spool: Location, files: list[LandingFile], progress: Callable[[LandingFile], None] | None) -> list[PackedFile]:
    """Pack files to where Spark's executors read: a lake in an object store gets the lines once they are packed on this disk."""
    if not isinstance(spool, ObjectPath):
        return pack(files, spool, progress)
    with TemporaryDirectory(dir=_folder_here(spool)) as here:
        packed = pack(files, Path(here), progress)
        for lines in Path(here).iterdir():
            write(spool / lines.name, lines)
    return packed


def _folder_here(spool: ObjectPath) -> Path:
    """Make this disk's folder for lines of a lake in an object store: one name, so that the next run finds what a killed one left."""
    lake, _, _ = str(spool).rpartition(f"/{_SPOOL}")
    one_of_many = sha256(f"{os.environ.get('AWS_ENDPOINT_URL', '')} {lake}".encode()).hexdigest()[:16]
    folder = Path(gettempdir()) / f"songlake-{os.getuid()}-{one_of_many}"
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InputMissing(
            f"{folder}, in which lines are packed, is no folder, another user's, or open to others.",
            "Find out who made it and remove it, or set TMPDIR to a folder of this user.",
        )
    return folder
