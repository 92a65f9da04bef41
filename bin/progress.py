"""Tells how far a long step is, with nothing but the standard library: bin/setup runs before anything is installed."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

Tell = Callable[[str], None]


class Progress:
    """Shows what a step is at and for how long: one line that is written over on a terminal, a plain line now and then elsewhere.

    It is a context; `tell` is called in it, from any thread. The line of a terminal is gone afterwards.
    """

    def __init__(self, out: TextIO = sys.stdout, plain_seconds: float = 15) -> None:
        self._out = out
        self._clear, self._seconds = ("\r\033[K", 0.5) if out.isatty() else ("", plain_seconds)
        self._text = ""
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self.began = time.monotonic()

    def tell(self, text: str) -> None:
        """Say what the step is at; shown at the next tick."""
        self._text = text

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._out.write(f"{self._clear}    {text}\n")
        self._out.flush()

    def __enter__(self) -> Progress:
        """Begin to show it."""
        self._clock.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End, whatever happened."""
        self._over.set()
        self._clock.join()
        self._out.write(self._clear)
        self._out.flush()

    def _tick(self) -> None:
        while not self._over.wait(self._seconds):
            line = f"    {self._text or 'working'}, {time.monotonic() - self.began:.0f} s"
            self._out.write(self._clear + line[: shutil.get_terminal_size().columns - 1] if self._clear else f"{line}\n")
            self._out.flush()


class PackageProgress:
    """Reads what uv writes where it has no terminal, and tells in one line how far it is."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._count = "the"
        self._megabytes: dict[str, float] = {}
        self._there: set[str] = set()
        self._building = ""

    def read(self, line: str) -> None:
        """Take one line."""
        words = line.split()
        if found := re.match(r"Resolved (\d+) packages", line):
            self._count = found[1]
        elif found := re.match(r"\s*Downloading (\S+) \(([\d.]+)([KMG])iB\)", line):
            self._megabytes[found[1]] = float(found[2]) * {"K": 0.001, "M": 1.05, "G": 1074}[found[3]]
        elif words[:1] == ["Downloaded"]:
            self._there.update(words[1:])
        elif words[:1] == ["Building"]:
            self._building = f", building {words[1]}"
        elif words[:1] == ["Built"]:
            self._building = ""
        elif words[:1] == ["Prepared"]:
            return self._tell(f"installing {self._count} packages")
        elif words[:1] == ["Installed"]:
            return self._tell(f"compiling {self._count} packages")
        else:
            return None
        have = sum(size for name, size in self._megabytes.items() if name in self._there)
        return self._tell(
            f"fetching {self._count} packages, {len(self._there)} of {len(self._megabytes)} large ones here, "
            f"{have:.0f} of {sum(self._megabytes.values()):.0f} MB{self._building}"
        )
