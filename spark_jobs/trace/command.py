"""`bin/songlake trace`: find what is asked for, and print it. What is printed is personal data and goes to the terminal alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from spark_jobs.console import Stages
from spark_jobs.errors import BadUsage
from spark_jobs.settings import Settings
from spark_jobs.trace import page
from spark_jobs.trace.play import trace_play
from spark_jobs.trace.song import trace_song
from spark_jobs.trace.user import trace_user

_Trace = TypeVar("_Trace")


def show(settings: Settings, what: str, key: str | None, as_json: bool) -> None:
    """Trace a songplay, a user or a song.

    Args:
        settings: Where landing zone, lake and warehouse are.
        what: A songplay_id; or `songplay`, `user` or `song`, with the id as `key`.
        key: The id.
        as_json: One JSON object for programs.

    Raises:
        BadUsage: That names nothing that can be traced.
        InputMissing: The lake does not know it.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    if key is None:
        what, key = "songplay", what
    # What a terminal sends need not be UTF-8, as all that the lake holds is.
    key = key.encode(errors="replace").decode()
    match what:
        case "songplay":
            play = _found(trace_play, settings, key)
            page.print_json(play) if as_json else page.print_play(play)
        case "user":
            user = _found(trace_user, settings, key)
            page.print_json(user) if as_json else page.print_user(user)
        case "song":
            song = _found(trace_song, settings, key)
            page.print_json(song) if as_json else page.print_song(song)
        case _:
            raise BadUsage("Only a songplay, a user or a song can be traced.", "Write bin/songlake trace user 26; --help has more.")


def _found(trace: Callable[[Settings, str], _Trace], settings: Settings, key: str) -> _Trace:
    with Stages().stage("trace"):
        return trace(settings, key)
