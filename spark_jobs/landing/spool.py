"""Where a batch's packed lines lie until Spark has read them: beside the lake, where Spark's executors find them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from spark_jobs.landing.find import LandingFile
from spark_jobs.landing.pack import PackedFile, pack
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.object_store import remove_below, write

_SPOOL = "_spool"


def clear_spool(lake: Location) -> None:
    """Remove packed lines that a killed run left."""
    spool = lake / _SPOOL
    if isinstance(spool, ObjectPath):
        remove_below(spool)
    else:
        shutil.rmtree(spool, ignore_errors=True)


@contextmanager
def open_spool(lake: Location, batch_id: str) -> Iterator[Location]:
    """Give the batch a folder for its packed lines, and clear what a killed run left."""
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
    with TemporaryDirectory(prefix="songlake-") as here:
        packed = pack(files, Path(here), progress)
        for lines in Path(here).iterdir():
            write(spool / lines.name, lines)
    return packed
