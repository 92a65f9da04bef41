"""How a play found its song, or why it found none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from spark_jobs.contracts import CATALOG
from spark_jobs.trace.known import Lake, Row, fold, folded, literal, rank


@dataclass(frozen=True)
class Near:
    """A song of the same title and artist that is not the one.

    Attributes:
        song_id: The song.
        duration_ms: Its length; None where what it says now has another title or artist.
        why: Why it does not match, or is not taken.
    """

    song_id: str
    duration_ms: float | None
    why: str


@dataclass
class Match:
    """How the song was looked for.

    Attributes:
        title: The title as it is compared.
        artist: The artist as it is compared.
        duration_ms: The length as it is compared, milliseconds; None where the play has none.
        candidates: Songs that fit in all three, the smallest first, which is taken.
        near: Songs of the same title and artist that do not fit.
        why: What decided, in a sentence.
    """

    title: str
    artist: str
    duration_ms: float | None
    candidates: list[str] = field(default_factory=list)
    near: list[Near] = field(default_factory=list)
    why: str = ""


def match(lake: Lake, title: str, artist: str, seconds: float | None) -> Match:
    """Look a play's song up in the catalogue as it is now.

    Args:
        lake: The lake.
        title: The title as played.
        artist: The artist as played.
        seconds: The length.
    """
    found = Match(fold(title), fold(artist), milliseconds(seconds))
    for record, latest in _named(lake, title, artist):
        if latest is not record:
            why = f"{record['source_file']} says so, and the later {latest['source_file']} otherwise"
            found.near.append(Near(record["song_id"], None, why))
        elif (length := milliseconds(record["duration"])) == found.duration_ms:
            found.candidates.append(record["song_id"])
        else:
            found.near.append(Near(record["song_id"], length, _difference(found.duration_ms, length)))
    found.candidates.sort()
    found.near.sort(key=lambda near: near.song_id)
    found.why = _why(found)
    return found


def milliseconds(seconds: float | None) -> float | None:
    """Round a length to the millisecond, half up, as plays and songs are compared."""
    return None if seconds is None else float(math.floor(seconds * 1000 + 0.5)) if seconds * 1000 < 2.0**53 else seconds * 1000


def _named(lake: Lake, title: str, artist: str) -> list[tuple[Row, Row]]:
    """Give the records of this title and artist, of each song the latest, each with the one that says what its song is now."""
    same = f"{folded('title')} = {folded(literal(title))} AND {folded('artist_name')} = {folded(literal(artist))}"
    ids = sorted({record["song_id"] for record in lake.rows(CATALOG, same, ("song_id",))})
    if not ids:
        return []
    columns = ("song_id", "duration", "source_file", "source_modified_at", f"{same} AS named")
    records = lake.rows(CATALOG, f"song_id IN ({', '.join(map(literal, ids))})", columns)
    latest, named = dict[str, Row](), dict[str, Row]()
    for record in sorted(records, key=rank):
        latest[record["song_id"]] = record
        if record["named"]:
            named[record["song_id"]] = record
    return [(named[song_id], latest[song_id]) for song_id in ids]


def _difference(wanted: float | None, length: float | None) -> str:
    if wanted is None or length is None:
        return "the play has no length to compare"
    return f"it is {abs(length - wanted):,.0f} ms {'longer' if length > wanted else 'shorter'}"


def _why(found: Match) -> str:
    if found.candidates:
        rest = f", the smallest of {len(found.candidates)} such songs" if len(found.candidates) > 1 else ""
        return f"Title, artist and length are those of {found.candidates[0]}{rest}."
    if not found.near:
        return "No song of the catalogue has this title and artist."
    if found.duration_ms is None:
        return "The play has no length, so it matches nothing."
    return "The catalogue has this title and artist, and none of this length."
