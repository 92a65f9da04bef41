"""A server that answers nobody any more, such as one that was stopped or swaps: the wait for it ends."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from spark_jobs.errors import ServiceUnreachable
from spark_jobs.warehouse.connection import Connection, connect, session_name

LOOK_SECONDS = 20.0
"""Pause between two looks; the third in a row that nobody answers ends the wait, after some 75 seconds."""
_LOOKS = 3


@contextmanager
def broken_off_in_silence(connection: Connection, url: str) -> Iterator[None]:
    """Break a connection off once the server answers no other either; whoever waits on it gets psycopg's OperationalError.

    A statement may take long, so its length says nothing; and a machine that was stopped still acknowledges what it is sent, so
    TCP's own probes find it alive. Only whether the server lets somebody in tells.
    """
    over = threading.Event()

    def look() -> None:
        silent = 0
        while silent < _LOOKS and not over.wait(LOOK_SECONDS):
            silent = silent + 1 if _is_silent(url) else 0
        if not over.is_set() and not connection.closed:
            with socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

    watch = threading.Thread(target=look, name="silence", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()


def _is_silent(url: str) -> bool:
    """Whether the server says nothing at all; a refusal is an answer."""
    try:
        connect(url, application_name=session_name("watch")).close()
    except ServiceUnreachable as error:
        return isinstance(error.__context__, psycopg.errors.ConnectionTimeout)
    return False
