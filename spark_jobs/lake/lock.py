"""One writer at a time on a lake."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spark_jobs.errors import InputMissing, LockHeld
from spark_jobs.lake.object_lock import object_lock
from spark_jobs.lake.remembered import remembering
from spark_jobs.locations import Location, ObjectPath


@contextmanager
def lake_lock(lake: Location, owner: str) -> Iterator[None]:
    """Hold the lake's lock; on a disk the system frees it when the process ends, however it ends.

    Raises:
        LockHeld: Another process writes this lake; the sentence names it.
        InputMissing: The lake's folder cannot be made or written.
        ServiceUnreachable: The object store does not answer or refuses.
    """
    if isinstance(lake, ObjectPath):
        with object_lock(lake, owner), remembering():
            yield
    else:
        with _folder_lock(lake, owner):
            yield


@contextmanager
def _folder_lock(lake: Path, owner: str) -> Iterator[None]:
    try:
        lake.mkdir(parents=True, exist_ok=True)
        held = os.open(lake / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputMissing(
            f"The lake's folder {lake} cannot be written ({error.strerror}).", "Give this user the right to write it, or name another."
        ) from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(held, 200, 0).decode("utf-8", "replace").strip() or "another process"
            raise LockHeld(f"The lake in {lake} is being written by {holder}.", "Wait until it is done, then run this again.") from None
        os.ftruncate(held, 0)
        os.pwrite(held, f"{owner} (pid {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(held)
