"""A terminal that tests give to a process, and see what it shows."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Terminal:
    """A terminal that is read all the time, so that who writes to it never waits.

    Attributes:
        end: The file descriptor to write to; closed by `close`.
        seen: What was written.
    """

    def __init__(self) -> None:
        self._other, self.end = pty.openpty()
        self.seen = ""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def close(self) -> None:
        """Close it; `seen` is then all that was written."""
        with suppress(OSError):
            os.close(self.end)
        self._reading.join()

    def _read(self) -> None:
        # That nobody can write any more is told as an error.
        with suppress(OSError):
            while part := os.read(self._other, 10_000):
                self.seen += part.decode()
        os.close(self._other)


@contextmanager
def opened_terminal() -> Iterator[Terminal]:
    """Give a terminal that is closed after the block."""
    terminal = Terminal()
    try:
        yield terminal
    finally:
        terminal.close()
