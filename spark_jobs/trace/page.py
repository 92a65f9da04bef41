"""Print a trace: headings and lines for a person, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.text import Text

from spark_jobs.console import out, print_table, visible
from spark_jobs.trace.live import Live
from spark_jobs.trace.matching import Match
from spark_jobs.trace.play import PlayTrace
from spark_jobs.trace.song import SongTrace
from spark_jobs.trace.source import THE_ROW, Source
from spark_jobs.trace.user import UserTrace

_RAW_SHOWN = 2_000


def print_json(trace: Any) -> None:
    """Print a trace as one JSON object."""
    sys.stdout.write(json.dumps(asdict(trace), default=str) + "\n")


def print_play(trace: PlayTrace) -> None:
    """Print the trace of a songplay."""
    heading(f"Songplay {trace.songplay_id}")
    for note in trace.notes:
        line(note)
    print_sources(trace.source, trace.others)
    if trace.match is not None:
        _print_match(trace.match)
        line(f"song_id in the star: {trace.song_id or 'none'}")
    if trace.live is not None:
        print_live(trace.live)


def print_user(trace: UserTrace) -> None:
    """Print the trace of a user."""
    heading(f"User {trace.user_id}")
    _print_row(trace.row, trace.notes)
    if trace.source is not None:
        print_sources(trace.source, trace.others, "The event that made the row")
    if trace.before:
        title = f"{trace.before_count:,} events of that day came before, the last {len(trace.before)}:"
        rows = [
            [str(row["ts"]), str(row["session_id"]), str(row["item_in_session"]), row["page"], told(row["level"]), row["source_file"]]
            for row in trace.before
        ]
        print_table(title, ["ts", "session", "item", "page", "level", "file"], rows)
    if trace.levels:
        rows = [[row["level"], told(row["valid_from"]), told(row["valid_to"])] for row in trace.levels]
        print_table("Levels, as seen on plays", ["level", "from", "to"], rows)
    if trace.counts:
        print_table("Plays in the warehouse", ["what", "value"], [[name, told(value)] for name, value in trace.counts.items()])
    print_live(trace.live)


def print_song(trace: SongTrace) -> None:
    """Print the trace of a song."""
    heading(f"Song {trace.song_id}")
    _print_row(trace.record, trace.notes)
    print_sources(trace.source, trace.others)
    heading("Its artist")
    artist = trace.artist
    line(
        f"{trace.record['artist_id']} has {artist.records:,} songs; its row is taken from the record of {artist.song_id} in {artist.file}."
    )
    line("Taken is one with coordinates, else with a location, else of the latest year, of the smallest song id.")
    if artist.row is not None:
        line("; ".join(f"{name}: {told(value)}" for name, value in artist.row.items() if name != "artist_id"))
    if trace.match is not None:
        _print_match(trace.match)
    if trace.counts:
        print_table("Plays that have it", ["what", "value"], [[name, told(value)] for name, value in trace.counts.items()])
    if trace.near:
        rows = [
            [told(row["length"]), told(row["ms_off"]), told(row["song_id"]), str(row["plays"]), row["first_songplay_id"]]
            for row in trace.near
        ]
        print_table("Plays of its title and artist that have it not", ["length (s)", "ms off", "song", "plays", "the first"], rows)
    print_live(trace.live)


def _print_row(row: dict[str, Any], notes: list[str]) -> None:
    for note in notes:
        line(note)
    line("; ".join(f"{name}: {told(value)}" for name, value in row.items()))


def print_sources(source: Source, others: list[Source], title: str = "Where it comes from") -> None:
    """Print the file that decides, its lines, what cleaning changed, and the other files."""
    heading(title)
    where = next((f", line {found.number}" for found in source.lines if found.became == THE_ROW), "")
    read = f", begun {source.ingested_at:%Y-%m-%d %H:%M:%S}" if source.ingested_at else ""
    line(f"{source.file}{where}", style="bold")
    line(f"modified {moment(source.modified_at)}, read by ingest batch {source.ingest_batch}{read}")
    if source.note:
        line(source.note)
    for found in source.lines:
        if found.became == THE_ROW:
            line(shortened(found.raw))
        else:
            line(f"line {found.number}: {found.became}" + (f" ({found.why})" if found.why else ""))
    if source.changes:
        rows = [[change.column, shortened(change.raw), told(change.cleaned), change.how] for change in source.changes]
        print_table("What cleaning changed", ["column", "in the file", "in the lake", "rule"], rows)
    elif source.lines:
        line("Cleaning changed nothing.")
    line(f"Why this file: {source.why}")
    if others:
        rows = [[other.file, moment(other.modified_at), _otherwise(other), other.why] for other in others]
        print_table("Other files that speak of it", ["file", "modified", "says", "why not"], rows)


def _otherwise(other: Source) -> str:
    return "the same" if not other.differs else "; ".join(f"{name}: {told(value)}" for name, value in other.differs.items())


def _print_match(match: Match) -> None:
    heading("How song and plays match")
    length = "no length" if match.duration_ms is None else f"{match.duration_ms:,.0f} ms"
    line(f"compared: title {match.title!r}, artist {match.artist!r}, {length}")
    line(match.why)
    if len(match.candidates) > 1:
        line(f"candidates: {', '.join(match.candidates)}")
    if match.near:
        rows = [[near.song_id, told(near.duration_ms), near.why] for near in match.near]
        print_table("Same title and artist", ["song", "length (ms)", "why not"], rows)


def print_live(live: Live) -> None:
    """Print what is live, and the load that brought it with its checks."""
    heading("In the warehouse")
    for sentence in live.said:
        line(sentence)
    if live.differs:
        rows = [[name, told(lake), told(warehouse)] for name, (lake, warehouse) in live.differs.items()]
        print_table("Not the same", ["column", "lake", "warehouse"], rows)
    if live.load is None:
        return
    load = live.load
    times = [("begun", load.started_at), ("checked", load.checked_at), ("published", load.published_at)]
    line(f"{load.batch_id}: {load.status}; " + ", ".join(f"{what} {at:%Y-%m-%d %H:%M:%S}" for what, at in times if at is not None))
    told_of = [check for check in load.checks if check["result"] != "passed"]
    line(f"{len(load.checks) - len(told_of)} of {len(load.checks)} checks passed.")
    if told_of:
        rows = [[check["check"], check["result"], check["detail"] or ""] for check in told_of]
        print_table("Checks that did not pass", ["check", "result", "detail"], rows)


def heading(text: str) -> None:
    """Print a heading, with an empty line before it."""
    out.print()
    line(text, style="bold underline")


def line(text: str, style: str = "") -> None:
    """Print a line whole, with nothing in it that the terminal would obey."""
    out.print(Text(visible(text), style=style), soft_wrap=True)


def shortened(raw: str) -> str:
    """Give a line, cut where it is very long."""
    return raw if len(raw) <= _RAW_SHOWN else f"{raw[:_RAW_SHOWN]} ... ({len(raw):,} characters; --json shows all)"


def told(value: object) -> str:
    """Write a value for a person."""
    return "none" if value is None else moment(value) if isinstance(value, datetime) else str(value)


def moment(value: datetime | None) -> str:
    """Write a time, to the second unless it has a fraction."""
    if value is None:
        return "never"
    return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value:%f}".rstrip("0") if value.microsecond else "")
