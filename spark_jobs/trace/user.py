"""Trace a user: the event that made the present row, the events before it, levels and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spark_jobs.contracts import EVENT_IDENTITY, EVENT_VALUES, EVENTS, USERS
from spark_jobs.errors import BadUsage, InputMissing, SonglakeError
from spark_jobs.lake import snapshot
from spark_jobs.settings import Settings
from spark_jobs.trace.known import Lake, Row, literal, rank
from spark_jobs.trace.live import Live, live_row, warehouse
from spark_jobs.trace.play import STALE, sources, waiting
from spark_jobs.trace.source import Landing, Source, add_lines
from spark_jobs.warehouse import provenance
from spark_jobs.warehouse.connection import Connection

_SHOWN = 10
_SEEN = ("ts", "session_id", "item_in_session", "page", "level", "source_file")


@dataclass
class UserTrace:
    """Where the row of a user came from.

    Attributes:
        user_id: The user.
        row: What the star holds.
        source: The file that decides about their latest event; None where the lake has it no more.
        others: The other files that speak of that event.
        before: Their last events of that day before it, the latest first, and the file that decides about each.
        before_count: How many events of that day came before it.
        live: The row in the warehouse.
        counts: plays, matched, days, first_play, last_play, as live.
        levels: level, valid_from, valid_to, as live.
        notes: What else a person should know.
    """

    user_id: int
    row: Row
    source: Source | None = None
    others: list[Source] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)
    before_count: int = 0
    live: Live = field(default_factory=Live)
    counts: dict[str, Any] = field(default_factory=dict)
    levels: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def trace_user(settings: Settings, user_id: str) -> UserTrace:
    """Trace one user. Of the lake's events only the day of their latest one is read.

    Raises:
        BadUsage: It is no user id.
        InputMissing: The star does not know it.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    if not (user_id.isascii() and user_id.isdigit()) or int(user_id) >= 2**63:
        raise BadUsage("That is no user_id: they are whole numbers from 0 on.", "Take one from dwh.users, such as 26.")
    lake = Lake(settings.lake)
    star = lake.rows(USERS, f"user_id = {int(user_id)}")
    notes = [STALE] if USERS in snapshot.stale_star_tables(settings.lake) else []
    if not star:
        fix = f"{waiting(settings)}See that the id is right; their lines may have been refused: bin/songlake rejects."
        raise InputMissing(f"The star's table users has no user {int(user_id)}.", " ".join([*notes, fix]))
    found = UserTrace(int(user_id), star[0], notes=notes)
    _add_events(found, lake, Landing(settings.landing, settings.links_into))
    with warehouse(settings) as connection:
        found.live = live_row(connection, USERS, found.user_id, found.row)
        _add_counts(found, connection)
    return found


def _add_events(found: UserTrace, lake: Lake, landing: Landing) -> None:
    """Find the latest event and those before it: by time, session and position in it, each as its latest file says."""
    day = found.row["last_seen_at"].date()
    rows = lake.rows(EVENTS, f"event_date = {literal(day)} AND user_id = {found.user_id}")
    events: dict[tuple[int, ...], list[Row]] = {}
    for row in sorted(rows, key=lambda row: (_place(row), rank(row)), reverse=True):
        events.setdefault(_place(row), []).append(row)
    if not events:
        found.notes.append("The lake has no event of the time that their row was made from.")
        return
    latest, *before = events.values()
    found.source, found.others = sources(lake, EVENTS, latest, EVENT_VALUES)
    add_lines(found.source, landing, lake, EVENTS, latest[0])
    found.before_count = len(before)
    found.before = [{name: same[0][name] for name in _SEEN} for same in before[:_SHOWN]]


def _place(row: Row) -> tuple[int, ...]:
    return tuple(row[name] for name in EVENT_IDENTITY if name != "user_id")


def _add_counts(found: UserTrace, connection: Connection | str) -> None:
    if isinstance(connection, str):
        return
    try:
        found.counts, found.levels = provenance.of_user(connection, found.user_id)
    except SonglakeError as error:
        found.notes.append(f"Plays and levels are not known. {error}")
