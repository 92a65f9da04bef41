"""Trace a songplay: the line it came from, who else spoke of it, its song, and the loads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from spark_jobs.contracts import EVENT_VALUES, EVENTS, REJECTS, SONGPLAYS, Table
from spark_jobs.errors import BadUsage, InputMissing
from spark_jobs.lake import snapshot
from spark_jobs.landing.find import find_files, new_files
from spark_jobs.settings import Settings
from spark_jobs.trace.known import Lake, Row, day_of, literal, rank
from spark_jobs.trace.live import Live, live_row, warehouse
from spark_jobs.trace.matching import Match, match
from spark_jobs.trace.source import Landing, Source, add_lines, source_of

_ID = re.compile(r"(?P<ts>\d{1,16})-(?P<session_id>\d{1,19})-(?P<item_in_session>\d{1,10})-(?P<user_id>\d{1,19})")
_SHOWN = 5
STALE = "The star is behind the lake; the next run brings it up to date."


@dataclass
class PlayTrace:
    """Where a songplay came from.

    Attributes:
        songplay_id: The play.
        event: What the lake holds of the event, by column.
        source: The file that decides.
        others: The other files that speak of the event, the latest first.
        live: The row in the warehouse; None where the event is no play.
        match: How its song was looked for; the same.
        song_id: The song that the star has for it.
        notes: What else a person should know.
    """

    songplay_id: str
    event: dict[str, Any]
    source: Source
    others: list[Source]
    live: Live | None = None
    match: Match | None = None
    song_id: str | None = None
    notes: list[str] = field(default_factory=list)


def trace_play(settings: Settings, songplay_id: str) -> PlayTrace:
    """Trace one songplay.

    Raises:
        BadUsage: It is no songplay_id.
        InputMissing: The lake does not know it.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    identity = _identity(songplay_id)
    songplay_id = "-".join(map(str, identity.values()))
    lake, landing, day = Lake(settings.lake), Landing(settings.landing, settings.links_into), day_of(identity["ts"])
    same = " AND ".join(f"{name} = {value}" for name, value in identity.items())
    rows = sorted(lake.rows(EVENTS, f"event_date = {literal(day)} AND {same}"), key=rank, reverse=True)
    if not rows:
        raise _unknown(settings, lake, songplay_id, identity["ts"])
    source, others = sources(lake, EVENTS, rows, EVENT_VALUES)
    add_lines(source, landing, lake, EVENTS, rows[0])
    found = PlayTrace(songplay_id, {name: rows[0][name] for name in EVENT_VALUES}, source, others)
    if rows[0]["page"] != "NextSong":
        found.notes.append(f"This event is no play: its page is {rows[0]['page']}, and only NextSong makes a songplay.")
        return found
    star = lake.rows(SONGPLAYS, f"start_date = {literal(day)} AND songplay_id = {literal(songplay_id)}")
    with warehouse(settings) as connection:
        found.live = live_row(connection, SONGPLAYS, songplay_id, star[0] if star else None)
    found.match = match(lake, rows[0]["song"], rows[0]["artist"], rows[0]["length"])
    found.song_id = star[0]["song_id"] if star else None
    if SONGPLAYS in snapshot.stale_star_tables(settings.lake):
        found.notes.append(STALE)
    return found


def sources(lake: Lake, table: Table, rows: list[Row], values: tuple[str, ...]) -> tuple[Source, list[Source]]:
    """Tell which file decides what a row holds, and what the others said.

    Args:
        lake: The lake.
        table: The table of the rows.
        rows: All rows with one identity, the one that counts first.
        values: Columns to compare.
    """
    first, *others = rows
    source, beaten = source_of(lake, table, first), []
    source.why = "It is the only file that speaks of it."
    for row in others:
        other = source_of(lake, table, row)
        other.differs = {name: row[name] for name in values if row[name] != first[name]}
        earlier = row["source_modified_at"] != first["source_modified_at"]
        other.why = "It was modified earlier." if earlier else "It was modified at the same time, and its path comes first."
        beaten.append(other)
    if beaten:
        by_time = others[0]["source_modified_at"] != first["source_modified_at"]
        source.why = "It was modified last." if by_time else "None was modified later, and of these its path comes last."
    return source, beaten


def _identity(songplay_id: str) -> dict[str, int]:
    parsed = _ID.fullmatch(songplay_id)
    if parsed is None or int(parsed["ts"]) >= 4_102_444_800_000:
        raise BadUsage(
            "That is no songplay_id: they are written {ts}-{session_id}-{item_in_session}-{user_id}.",
            "Take one from dwh.songplays, such as 1541203806000-1000001-4-50; for others: trace user ID, trace song ID.",
        )
    return {name: int(value) for name, value in parsed.groupdict().items()}


def _unknown(settings: Settings, lake: Lake, songplay_id: str, ts: int) -> InputMissing:
    """Say that nothing is known, and where else it may be."""
    what = f"No event of the lake is songplay {songplay_id}."
    where = f"kind = 'events' AND strpos(raw_line, '{ts}') > 0"
    refused = lake.rows(REJECTS, where, ("source_file", "line_number", "reasons"), f"ORDER BY source_file, line_number LIMIT {_SHOWN}")
    if refused:
        lines = "; ".join(f"{row['source_file']} line {row['line_number']} ({', '.join(row['reasons'])})" for row in refused)
        return InputMissing(what, f"Refused lines name its time: {lines}. See bin/songlake rejects.")
    return InputMissing(what, f"{waiting(settings)}See that the id is right; a line may have been refused: bin/songlake rejects.")


def waiting(settings: Settings) -> str:
    """Say that files wait to be read, if some do."""
    try:
        landing = find_files(settings.landing, settings.links_into)
    except InputMissing:
        return ""
    count = len(new_files(landing, snapshot.read_files(settings.lake)))
    return f"{count:,} files wait for the next run (bin/songlake status). " if count else ""
