"""Open landing files, on disk or in an object store. What is opened is what was found."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO

from spark_jobs import object_store
from spark_jobs.landing.find import LandingFile, moment
from spark_jobs.locations import ObjectPath

_SIDE_BY_SIDE = 16
"""Objects fetched at the same time; twice as many are held in memory, each of at most 4 MiB."""

Fetched = Future[BinaryIO]
"""An object's content, on its way."""


class Changed(Exception):
    """A file changed or went away while it was read; the next run takes it."""


@contextmanager
def opened(file: LandingFile, fetched: Fetched | None = None) -> Iterator[BinaryIO]:
    """Open a file for as long as it is as it was found.

    Args:
        file: The file.
        fetched: Its content, if it was fetched ahead.

    Raises:
        Changed: It is another file by now, or was written while it was open.
        FileNotFoundError: It is gone, or an object with other content by now.
        OSError: It cannot be read.
        ServiceUnreachable: The object store does not answer.
    """
    if isinstance(file.location, ObjectPath):
        with fetched.result() if fetched else _fetch(file) as raw:
            yield raw
        return
    with open(file.location, "rb", opener=_without_waiting) as raw:
        refuse_change(file, raw)
        yield raw
        refuse_change(file, raw)


def refuse_change(file: LandingFile, raw: BinaryIO) -> None:
    """Refuse what was opened on disk if it is not what was found.

    Raises:
        Changed: It is another file, or was written since.
    """
    status = os.fstat(raw.fileno())
    is_another = file.inode is not None and file.inode != (status.st_dev, status.st_ino)
    if is_another or (status.st_size, moment(status)) != (file.size, file.modified_at):
        raise Changed


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe put in its place meanwhile would keep the run waiting for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def fetch_ahead(files: Iterable[LandingFile]) -> Iterator[tuple[LandingFile, Fetched | None]]:
    """Give the files in their order, those of an object store with their content on its way.

    One after the other, each small object would cost an answer's time; so some are fetched while others are read.
    """
    pool, ahead = ThreadPoolExecutor(_SIDE_BY_SIDE), deque[tuple[LandingFile, Fetched | None]]()
    try:
        for file in files:
            is_object = isinstance(file.location, ObjectPath) and file.cause is None
            ahead.append((file, pool.submit(_fetch, file) if is_object else None))
            if len(ahead) > 2 * _SIDE_BY_SIDE:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _fetch(file: LandingFile) -> BinaryIO:
    assert isinstance(file.location, ObjectPath)  # noqa: S101 - callers asked
    return object_store.open_listed(file.location, file.size, file.etag or "")
