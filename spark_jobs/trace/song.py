"""Trace a song: the record that counts, its artist's, and the plays that match it or nearly do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spark_jobs.contracts import ARTISTS, CATALOG, SONG_VALUES, SONGS
from spark_jobs.errors import InputMissing, SonglakeError
from spark_jobs.lake import snapshot
from spark_jobs.settings import Settings
from spark_jobs.trace.known import Lake, Row, literal, rank
from spark_jobs.trace.live import Live, live_row, warehouse
from spark_jobs.trace.matching import Match, match, milliseconds
from spark_jobs.trace.play import STALE, sources, waiting
from spark_jobs.trace.source import Landing, Source, add_lines
from spark_jobs.warehouse import provenance
from spark_jobs.warehouse.connection import Connection


@dataclass
class ArtistSource:
    """The record that the artist's row was taken from.

    Attributes:
        row: The artist's row in the star; None where it is not there yet.
        song_id: The song whose record it is.
        file: The file of that record.
        modified_at: When that was last modified.
        records: How many songs of the artist there are.
    """

    row: Row | None
    song_id: str
    file: str
    modified_at: datetime
    records: int


@dataclass
class SongTrace:
    """Where the row of a song came from.

    Attributes:
        song_id: The song.
        record: What the lake holds of it, by column.
        source: The file that decides.
        others: The other files that speak of the song.
        artist: Where the artist's row came from.
        match: How plays are compared with it; None where it has no title, and so matches nothing.
        counts: plays, listeners, first_play, last_play of the plays that have it, as live.
        near: Live plays of its title and artist without it: length, song_id, plays, first_songplay_id, ms_off.
        live: The row in the warehouse.
        notes: What else a person should know.
    """

    song_id: str
    record: dict[str, Any]
    source: Source
    others: list[Source]
    artist: ArtistSource
    match: Match | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    near: list[dict[str, Any]] = field(default_factory=list)
    live: Live = field(default_factory=Live)
    notes: list[str] = field(default_factory=list)


def trace_song(settings: Settings, song_id: str) -> SongTrace:
    """Trace one song.

    Raises:
        InputMissing: The lake does not know it.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    lake = Lake(settings.lake)
    rows = sorted(lake.rows(CATALOG, f"song_id = {literal(song_id)}"), key=rank, reverse=True)
    if not rows:
        fix = f"{waiting(settings)}See that the id is right; its line may have been refused: bin/songlake rejects --file '*song*'."
        raise InputMissing("The lake knows no song of that id.", fix)
    source, others = sources(lake, CATALOG, rows, SONG_VALUES)
    add_lines(source, Landing(settings.landing, settings.links_into), lake, CATALOG, rows[0])
    record = {name: rows[0][name] for name in SONG_VALUES}
    found = SongTrace(song_id, record, source, others, _artist(lake, record["artist_id"]))
    if record["title"] is None:
        found.notes.append("The song has no title, so no play matches it.")
    else:
        found.match = match(lake, record["title"], record["artist_name"], record["duration"])
        if found.match.candidates[0] != song_id:
            found.notes.append(f"Its plays are given to {found.match.candidates[0]}: of songs that are alike the smallest id is taken.")
    if SONGS in snapshot.stale_star_tables(settings.lake):
        found.notes.append(STALE)
    star = lake.rows(SONGS, f"song_id = {literal(song_id)}")
    with warehouse(settings) as connection:
        found.live = live_row(connection, SONGS, song_id, star[0] if star else None)
        _add_plays(found, connection)
    return found


def _artist(lake: Lake, artist_id: str) -> ArtistSource:
    """Find the record that the artist is taken whole from: with coordinates, with location, of the latest year, of the smallest song."""
    ids = {row["song_id"] for row in lake.rows(CATALOG, f"artist_id = {literal(artist_id)}", ("song_id",))}
    rows = lake.rows(CATALOG, f"song_id IN ({', '.join(map(literal, sorted(ids)))})")
    latest = {row["song_id"]: row for row in sorted(rows, key=rank)}
    records = [row for row in latest.values() if row["artist_id"] == artist_id]
    best = min(
        records,
        key=lambda row: (
            row["artist_latitude"] is None,
            row["artist_location"] is None,
            row["year"] is None,
            -(row["year"] or 0),
            row["song_id"],
        ),
    )
    star = lake.rows(ARTISTS, f"artist_id = {literal(artist_id)}")
    return ArtistSource(star[0] if star else None, best["song_id"], best["source_file"], best["source_modified_at"], len(records))


def _add_plays(found: SongTrace, connection: Connection | str) -> None:
    if isinstance(connection, str):
        return
    record, duration = found.record, milliseconds(found.record["duration"])
    try:
        found.counts, near = provenance.of_song(connection, found.song_id, record["title"], record["artist_name"])
    except SonglakeError as error:
        found.notes.append(f"Its plays are not known. {error}")
        return
    for plays in near:
        length = milliseconds(plays["length"])
        found.near.append({**plays, "ms_off": None if length is None or duration is None else length - duration})
