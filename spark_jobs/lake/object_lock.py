"""One writer at a time on a lake in an object store: an object that names the holder, changed only by conditional writes."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from time import sleep

import psutil

from spark_jobs import object_store
from spark_jobs.errors import LockHeld, SonglakeError
from spark_jobs.locations import ObjectPath

_RENEWED_EVERY, _LEASE = 10.0, 45.0
"""Seconds between two signs of life, and how long one is good for."""
_TRIES = 5
_held_here: set[ObjectPath] = set()


@dataclass(frozen=True)
class _Holder:
    """Who holds the lock, as the object says: a command, and the process, told from others of that number by its start after boot."""

    owner: str
    host: str
    pid: int
    started: float
    sign: str = ""

    @classmethod
    def named_in(cls, content: bytes) -> _Holder | None:
        """Read an object's content; None if the lock is free."""
        return cls(**json.loads(content)) if content else None

    def __str__(self) -> str:
        return f"{self.owner} (pid {self.pid} on {self.host})"

    def content(self) -> bytes:
        """Give the object's next content; none is written twice, so its etag is new each time."""
        return json.dumps({**self.__dict__, "sign": secrets.token_hex(8)}).encode()

    def wrote(self, content: bytes) -> bool:
        """Whether an object's content is a sign of this holder."""
        holder = _Holder.named_in(content)
        return holder is not None and replace(holder, sign=self.sign) == self

    def is_dead(self, place: ObjectPath) -> bool:
        """Whether it was a process of this machine that has ended, or this one, which could not free the lock when it was done."""
        if self.host != socket.gethostname():
            return False
        try:
            is_other = _started(psutil.Process(self.pid)) != self.started
            return is_other or (self.pid == os.getpid() and place not in _held_here)
        except psutil.NoSuchProcess:
            return True


def _started(process: psutil.Process) -> float:
    """Seconds from boot to a process's start, which stay as they are when the clock is set, as the time of its start would not."""
    return round(process.create_time() - psutil.boot_time(), 2)


@contextmanager
def object_lock(lake: ObjectPath, owner: str) -> Iterator[None]:
    """Hold the lake's lock, showing a sign of life every few seconds.

    A holder that shows none any more is followed: at once where its process has ended on this machine, else after its lease and a while
    of watching, which needs no clocks that agree.

    Raises:
        LockHeld: Another process writes this lake; the sentence names it. Or this one was taken for dead and followed.
        InputMissing: There is no such bucket.
        ServiceUnreachable: The object store does not answer or refuses.
    """
    me = _Holder(owner, socket.gethostname(), os.getpid(), _started(psutil.Process()))
    place = lake / ".lock"
    life = _Life(place, me, _take(lake, me))
    _held_here.add(place)
    signs = threading.Thread(target=life.go_on, daemon=True)
    signs.start()
    try:
        yield
    finally:
        life.ended.set()
        signs.join()
        _held_here.discard(place)
        life.free()
    if life.lost:
        raise LockHeld(f"This run showed no sign of life for {_LEASE:.0f} s, and another took over the lake in {lake}.", "Run this again.")


def _take(lake: ObjectPath, me: _Holder) -> str:
    """Take the lock; gives the etag of the object that says so."""
    place = lake / ".lock"
    for _ in range(_TRIES):
        if etag := object_store.create(place, me.content()):
            return etag
        try:
            content, held = object_store.read(place)
        except FileNotFoundError:
            continue
        holder = _Holder.named_in(content)
        if holder is not None and not holder.is_dead(place) and _shows_life(place, held):
            raise LockHeld(f"The lake in {lake} is being written by {holder}.", "Wait until it is done, then run this again.")
        if etag := object_store.replace(place, me.content(), held):
            return etag
    raise LockHeld(f"Several runs want to write the lake in {lake} at once.", "Let one run work at a time, then run this again.")


def _shows_life(place: ObjectPath, held: str) -> bool:
    """Whether the last sign is recent, or the next one comes while we watch: the store's clock need not be ours."""
    if 0 <= time.time() - object_store.written_at(place).timestamp() < _LEASE:
        return True
    sleep(2 * _RENEWED_EVERY)
    return object_store.read(place)[1] != held


class _Life:
    """The holder's signs of life."""

    def __init__(self, place: ObjectPath, me: _Holder, etag: str) -> None:
        self._place, self._me, self._etag = place, me, etag
        self.ended, self.lost = threading.Event(), False

    def go_on(self) -> None:
        """Renew the object until told to end, and once more then, which tells whether it was held to the end; or until it is another's."""
        ended = False
        while not (self.lost or ended):
            ended = self.ended.wait(_RENEWED_EVERY)
            with suppress(SonglakeError):  # the store may answer next time
                self._renew()

    def free(self) -> None:
        """Leave the lock to whoever comes next, unless it is theirs already; where the store is away it lapses."""
        if not self.lost:
            with suppress(SonglakeError):
                object_store.replace(self._place, b"", self._etag)

    def _renew(self) -> None:
        """Show a sign of life, or learn that the object is another's. It is not where it holds a sign of ours whose answer was lost."""
        etag = object_store.replace(self._place, self._me.content(), self._etag)
        if etag is None:
            with suppress(FileNotFoundError):
                content, held = object_store.read(self._place)
                etag = held if self._me.wrote(content) else None
        self.lost, self._etag = etag is None, etag or self._etag
