"""Places to stop at, for tests that look at, or kill, a process between two commits."""

from __future__ import annotations

import os
import signal
import sys
from threading import Lock

_ONE_AT_A_TIME = Lock()


def pause_at(place: str) -> None:
    """Stop this whole process, as SIGSTOP does, if `SONGLAKE_PAUSE_AT` (names between commas) has this place; SIGCONT lets it go on."""
    if place in os.environ.get("SONGLAKE_PAUSE_AT", "").split(","):
        with _ONE_AT_A_TIME:
            sys.stderr.write(f"paused at {place}\n")
            sys.stderr.flush()
            signal.raise_signal(signal.SIGSTOP)
