"""A place to stop at, for tests that kill the process between two commits."""

from __future__ import annotations

import os
import signal
import sys


def pause_at(place: str) -> None:
    """Stand still here for ever if `SONGLAKE_PAUSE_AT` names this place."""
    if os.environ.get("SONGLAKE_PAUSE_AT") == place:
        sys.stderr.write(f"paused at {place}\n")
        sys.stderr.flush()
        signal.pause()
