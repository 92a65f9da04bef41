"""What the warehouse must hold, computed from the landing zone by plain Python.

This is the independent witness of the first promise in the design: it is written from the design's input rules, ADR 0006 and
the star schema's table of rules alone, shares no code with the product and imports nothing but the standard library. Where
the two differ, one of them is wrong, or the rules have a gap.

    warehouse_of(landing).tables["songplays"]        # one delivery

    deliveries = Deliveries()                        # several, the landing zone changing in between
    deliveries.observe(landing)
    deliveries.observe(landing)
    deliveries.warehouse().files

Texts are compared by code point, which is the order of their UTF-8 bytes.
"""

import csv
import gzip
import json
import math
import os
import re
import stat
import sys
import zlib
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, NamedTuple

KIND_OF_FOLDER = {"song_data": "songs", "song-data": "songs", "log_data": "events", "log-data": "events"}
RECOGNISED = re.compile(r".*\.(json|jsonl|ndjson|csv)(\.gz)?", re.IGNORECASE | re.DOTALL)
PASSED_OVER = re.compile(r"[_.].*|.*\.(tmp|part|crdownload)", re.IGNORECASE | re.DOTALL)
MARKS_OF_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")  # UTF-32's little-endian mark begins with UTF-16's

BOM = "\ufeff"
ASCII_SPACE = " \t\n\v\f\r"
LINE_END = re.compile(r"\r\n|\r|\n")
LINE_WITH_END = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
BOM_AT_LINE_START = re.compile(r"(?<![^\r\n])\ufeff")
JSON_RUN = re.compile(r"[ \t\n\r]*")
ASCII_RUN = re.compile(r"[ \t\n\v\f\r]*")
JSON_VALUE = json.JSONDecoder(parse_int=str, parse_float=str)  # digits are never converted: they may be millions

ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#39;": "'", "&#039;": "'", "&amp;": "&"}
SURROGATE = re.compile("[\ud800-\udfff]")
NUMBER = re.compile(r"([+-]?)(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))(?:[eE]([+-]?)([0-9]+))?")
NOT_FINITE = {"NaN", "Infinity", "-Infinity", "+Infinity"}
LONGEST_LINE, KEPT_OF_LONG_LINE = 2**18, 10_000  # characters
MAX_BIGINT, MAX_INT = 2**63 - 1, 2**31 - 1
DEEPEST, LONGEST_NUMBER, LONGEST_PATH = 500, 5000, 2000  # brackets within each other, characters, bytes
YEAR_2000, YEAR_2100 = 946_684_800_000, 4_102_444_800_000  # epoch milliseconds
YEAR_1900, YEAR_9999 = -2_208_988_800_000_000, 253_370_764_800_000_000  # epoch microseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WHITE_RUN = re.compile("[ \t\n\v\f\r\u00a0]+")

Record = dict[str, str | None]
"""One line's fields by name, each as text: a string's content, or the source text of a number, boolean, object or array."""


# Accepted events and songs. The order of the columns is also the order in which contents are compared.
Event = namedtuple(
    "Event",
    "ts session_id item_in_session user_id page level song artist length"
    " auth first_name last_name gender location method status registration user_agent",
)
Song = namedtuple("Song", "song_id title artist_id artist_name duration year artist_location artist_latitude artist_longitude")
Row = Event | Song


class Line(NamedTuple):
    """A counted line: its text, with marks and line ends around it or not, and either its record or the reason why there is none."""

    raw: str
    record: Record | None
    reason: str = ""


class Reject(NamedTuple):
    """A refused line."""

    source_file: str
    kind: str
    raw_line: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class FileRow:
    """The latest version of one file: `lines = accepted + repeated + rejected`; `modified_at` in epoch microseconds."""

    kind: str
    status: str
    size: int
    modified_at: int
    lines: int = 0
    accepted: int = 0
    repeated: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Warehouse:
    """Everything the pipeline must hold: files and their accepted rows by path, rejects, winning events and songs, star tables by key."""

    files: dict[str, FileRow]
    accepted: dict[str, list[Row]]
    rejects: list[Reject]
    events: list[Event]
    songs: list[Song]
    tables: dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class _Version:
    """What one file says now: its row, its refused lines, and each identity's content."""

    file: FileRow
    rejects: list[Reject] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)


class Deliveries:
    """The landing zone as seen at one moment after another."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._versions: dict[str, _Version] = {}

    def observe(self, landing: Path) -> None:
        """Take what the landing zone holds now: new and changed files are read, unreadable ones tried again, others kept."""
        for path, location, kind, status in _walk(landing):
            size, modified_at = status.st_size, min(max(status.st_mtime_ns // 1000, YEAR_1900), YEAR_9999 - 1)
            seen = self._versions.get(path)
            if seen and seen.file.status == "loaded" and (seen.file.size, seen.file.modified_at) == (size, modified_at):
                continue
            try:
                if not _is_inside(landing, location):
                    raise PermissionError
                text = _text_of(Path(location))
            except (OSError, EOFError, ValueError, zlib.error):
                self._versions[path] = _Version(FileRow(kind, "unreadable", size, modified_at))
            else:
                self._versions[path] = _version(path, kind, text, size, modified_at)

    def warehouse(self) -> Warehouse:
        """Derive everything from what the files said last."""
        paths = sorted(self._versions)
        events = _winners(self._versions, "events")
        songs = _winners(self._versions, "songs")
        return Warehouse(
            files={path: self._versions[path].file for path in paths},
            accepted={path: self._versions[path].accepted for path in paths},
            rejects=[reject for path in paths for reject in self._versions[path].rejects],
            events=events,
            songs=songs,
            tables=_star(events, songs),
        )


def warehouse_of(landing: Path) -> Warehouse:
    """Compute the warehouse that one delivery of the landing zone makes."""
    deliveries = Deliveries()
    deliveries.observe(landing)
    return deliveries.warehouse()


# --- files ---


Found = tuple[str, str, str, os.stat_result]
"""A file's path relative to the landing root as it is spelt, where it is, its kind and its stat."""


def _walk(landing: Path) -> Iterator[Found]:
    """Find every recognised file; the stat of a loop, a link to nothing or out of the landing zone is that of the link."""
    root = os.path.realpath(landing)

    def walk(folder: str, kind: str | None, above: set[str]) -> Iterator[Found]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if PASSED_OVER.fullmatch(entry.name):
                continue
            recognised = RECOGNISED.fullmatch(entry.name) is not None
            try:
                status = entry.stat()
            except OSError:
                recognised = True
                status = entry.stat(follow_symlinks=False)
            if entry.is_symlink() and stat.S_IFMT(status.st_mode) != stat.S_IFLNK and not _is_inside(landing, entry.path):
                recognised, status = True, entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                real = os.path.realpath(entry.path)
                if real not in above:
                    yield from walk(entry.path, KIND_OF_FOLDER.get(entry.name, kind), above | {real})
                    continue
                recognised, status = True, entry.stat(follow_symlinks=False)
            path = _spelt(os.path.relpath(entry.path, root))
            recognised &= len(path.encode()) <= LONGEST_PATH
            if kind and recognised and (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                yield path, entry.path, kind, status

    yield from walk(root, None, {root, *map(str, Path(root).parents)})


def _spelt(path: str) -> str:
    r"""Spell bytes that are not UTF-8 as `\xff`, and a backslash as `\x5c`."""
    return re.sub("[\udc80-\udcff\\\\]", lambda character: f"\\x{ord(character[0]) & 0xFF:02x}", path)


def _is_inside(landing: Path, path: str) -> bool:
    """Tell whether a path, links followed, stays below the landing root."""
    return Path(os.path.realpath(landing / path)).is_relative_to(os.path.realpath(landing))


def _text_of(path: Path) -> str:
    """Read a file as text; raises OSError, EOFError, zlib.error or ValueError where it is broken as a whole."""
    content = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        content = gzip.decompress(content)
    one_is_nul = len(content) > 1 and (content[0] == 0) != (content[1] == 0)
    if one_is_nul or content.startswith(MARKS_OF_OTHER_ENCODINGS):
        raise ValueError("UTF-16 or UTF-32")
    return content.decode("utf-8", "replace")


def _version(path: str, kind: str, text: str, size: int, modified_at: int) -> _Version:
    """Judge every line of a readable file; within the file an identity counts once, with its greatest content."""
    read: Callable[[Record], tuple[Any, set[str]]] = _event if kind == "events" else _song
    rejects: list[Reject] = []
    accepted: dict[tuple[Any, ...], Row] = {}
    lines = repeated = 0
    row: Any
    for line in _lines(path, kind, text):
        lines += 1
        row, reasons = (None, {line.reason}) if line.record is None else read(line.record)
        raw = line.raw.lstrip(BOM).rstrip("\r\n")
        if len(raw) > LONGEST_LINE:
            raw, reasons = raw[:KEPT_OF_LONG_LINE].rstrip("\r\n"), {"line_too_long"}
        if reasons:
            rejects.append(Reject(path, kind, raw, tuple(sorted(reasons))))
            continue
        identity = _identity(row)
        repeated += identity in accepted
        accepted[identity] = max(accepted.get(identity, row), row, key=_content)
    file = FileRow(kind, "loaded", size, modified_at, lines, len(accepted), repeated, len(rejects))
    return _Version(file, rejects, list(accepted.values()))


def _identity(row: Row) -> tuple[Any, ...]:
    return (row.song_id,) if isinstance(row, Song) else (row.ts, row.user_id, row.session_id, row.item_in_session)


def _content(row: Row) -> tuple[tuple[Any, ...], ...]:
    """Order contents column by column, null lowest, text by its UTF-8 bytes."""
    return tuple((0,) if v is None else (1, v.encode() if isinstance(v, str) else v) for v in row)


def _winners(versions: dict[str, _Version], kind: str) -> list[Any]:
    """Take each identity from the file with the greatest (modified_at, path)."""
    held = [(version.file.modified_at, path, version) for path, version in versions.items() if version.file.kind == kind]
    winners: dict[tuple[Any, ...], Any] = {}
    for _, _, version in sorted(held, key=lambda file: file[:2]):
        winners.update((_identity(row), row) for row in version.accepted)
    return sorted(winners.values(), key=_content)


# --- lines ---


def _lines(path: str, kind: str, text: str) -> Iterator[Line]:
    """Yield the counted lines of a file, with their text as it stands in the file but for byte order mark and line end."""
    if re.search(r"\.csv(\.gz)?$", path.lower()):
        return _csv_lines(text)
    text = BOM_AT_LINE_START.sub("", text)
    lines = [line for line in LINE_END.split(text) if line.strip(ASCII_SPACE)]
    if kind == "songs" and lines and _only_object(lines[0]).record is None:
        return _json_values(LINE_END.sub("\n", text))
    return map(_only_object, lines)


class Nested(str):
    """Stands for an object or an array; no number can be read from it, and no text field may hold it."""


def _only_object(line: str) -> Line:
    """Take a text line as exactly one JSON object."""
    text = line.strip(ASCII_SPACE)
    try:
        found, end = _value_line(text, 0)
    except (ValueError, RecursionError):
        return Line(line, None, "not_one_object")
    return Line(line, found.record if end == len(text) else None, "not_one_object")


def _json_values(text: str) -> Iterator[Line]:
    """Take a text as a sequence of JSON values, arrays giving one line an element; from a break on the rest is one line."""
    at = 0
    try:
        while (at := _skip(text, at, ASCII_RUN)) < len(text):
            if text[at] != "[":
                line, at = _value_line(text, at)
                yield line
                continue
            at = _skip(text, at + 1)
            while text[at : at + 1] != "]":
                line, at = _value_line(text, at)
                yield line
                at = _skip(text, at)
                if text[at : at + 1] == ",":
                    at = _skip(text, at + 1)
                    if text[at : at + 1] == "]":
                        raise ValueError("a comma before the end of an array")
                elif text[at : at + 1] != "]":
                    raise ValueError("neither a comma nor the end of an array")
            at += 1
    except (ValueError, RecursionError):
        yield Line(text[at:], None, "not_one_object")


def _value_line(text: str, at: int) -> tuple[Line, int]:
    """Read the JSON value at a position as one line; raises ValueError or RecursionError where there is none."""
    record: Record | None = None
    if text[at : at + 1] == "{":
        record, end = _members(text, at)
    else:
        _, end = JSON_VALUE.raw_decode(text, at)
    if _depth(text[at:end]) > DEEPEST:
        raise ValueError("too many brackets within each other")
    return Line(text[at:end], record, "" if record is not None else "not_one_object"), end


def _depth(text: str) -> int:
    """Count the brackets of valid JSON that are open at the same time, at most; those in strings do not count."""
    if text.count("{") + text.count("[") <= DEEPEST:
        return 0
    depth = deepest = at = 0
    while at < len(text):
        if text[at] == '"':
            _, at = scanstring(text, at + 1, True)
            continue
        depth += (text[at] in "{[") - (text[at] in "}]")
        deepest, at = max(deepest, depth), at + 1
    return deepest


def _members(text: str, at: int) -> tuple[Record, int]:
    """Read the object at a position, keeping the source text of what is no string; of a key given twice the last wins."""
    record: Record = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        return record, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise ValueError("no key")
        key, at = scanstring(text, at + 1, True)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise ValueError("no colon after a key")
        at = _skip(text, at + 1)
        value, end = JSON_VALUE.raw_decode(text, at)
        record[key] = value if value is None or text[at] == '"' else Nested("{}") if text[at] in "{[" else text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            return record, at + 1
        if text[at : at + 1] != ",":
            raise ValueError("neither a comma nor the end of an object")
        at = _skip(text, at + 1)


def _skip(text: str, at: int, white: re.Pattern[str] = JSON_RUN) -> int:
    """Pass over white space, by default the one that JSON knows."""
    run = white.match(text, at)
    return run.end() if run else at


def _csv_lines(text: str) -> Iterator[Line]:
    """Yield the records under the header; blank lines outside quotes are none."""
    lines = LINE_WITH_END.findall(text)
    header: list[str] | None = None
    at = 0
    while at < len(lines):
        if not lines[at].removeprefix(BOM).strip(ASCII_SPACE):
            at += 1
            continue
        cells, end = _csv_record(lines, at)
        if cells is None and header is None:
            end = len(lines)
        raw = "".join(lines[at:end])
        at = end
        if cells is None:
            yield Line(raw, None, "not_csv")
        elif header is None:
            header = cells
        elif len(cells) != len(header):
            yield Line(raw, None, "wrong_cell_count")
        else:
            yield Line(raw, dict(zip(header, cells, strict=True)))


def _csv_record(lines: list[str], at: int) -> tuple[list[str] | None, int]:
    """Read the record that begins on a line: its cells, None where the reader refuses it, and the line after it."""
    end = at

    def feed() -> Iterator[str]:
        nonlocal end
        while end < len(lines):
            end += 1
            yield lines[end - 1].removeprefix(BOM) if end - 1 == at else lines[end - 1]

    limit = csv.field_size_limit(sys.maxsize)  # the rules know no longest cell
    try:
        return next(csv.reader(feed(), strict=True)), end
    except csv.Error:
        return None, end
    finally:
        csv.field_size_limit(limit)


# --- values ---


def _clean(value: str | None) -> str | None:
    """Repair, decode, clean and trim a text; blank becomes null."""
    if value is None:
        return None
    while not value.isascii():
        try:
            value = value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    if "&" in value:
        for entity, character in ENTITIES.items():
            value = value.replace(entity, character)
    return SURROGATE.sub("\ufffd", value.replace("\0", "")).strip(ASCII_SPACE + "\u00a0") or None


NOT_WHOLE = re.compile(r"\.[0-9]{18}[0-9]*[1-9]|[eE]-[0-9]*[1-9][0-9]|[eE]\+?[0-9]{10}")


def _number(text: str | None) -> re.Match[str] | None:
    """Take a cleaned text as a number's, null for NaN and the infinities; raises ValueError for other text."""
    if text is None or text in NOT_FINITE:
        return None
    match = NUMBER.fullmatch(text)
    if match is None or len(text) > LONGEST_NUMBER:
        raise ValueError("not a number")
    return match


def _double(text: str | None) -> float | None:
    """Take a cleaned text as the nearest double; raises ValueError where it is no number."""
    match = _number(text)
    return None if match is None else float(match[0])


def _whole(text: str | None, least: int, most: int) -> int | None:
    """Take a cleaned text as a whole number, decided exactly; raises ValueError for any other and for one outside the range."""
    match = _number(text)
    if match is None:
        return None
    if NOT_WHOLE.search(match[0]):
        raise ValueError("finer than 18 decimals, or with an endless exponent")
    sign, whole, fraction, only_fraction, exponent_sign, exponent = (group or "" for group in match.groups())
    fraction += only_fraction
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    exponent = exponent.lstrip("0") or "0"
    power = int(exponent) if len(exponent) < 19 else 10**19  # beyond any file's length, so beyond any digits that could offset it
    zeros = (-power if exponent_sign == "-" else power) - len(fraction) + len(digits) - len(significant)
    if significant and (zeros < 0 or len(significant) + zeros > 19):
        raise ValueError("not whole, or beyond every range")
    number = int(sign + significant + "0" * zeros) if significant else 0
    if not least <= number <= most:
        raise ValueError("outside its range")
    return number


def _event(record: Record) -> tuple[Event, set[str]]:
    """Read an event, with every reason against it."""
    reasons: set[str] = set()
    text = {key: _clean(value) for key, value in record.items()}.get
    if any(isinstance(record.get(key), Nested) for key in EVENT_TEXTS):
        reasons.add("text_invalid")
    take = _taker(reasons)
    ts = take("ts_invalid", lambda: _whole(text("ts"), YEAR_2000, YEAR_2100 - 1), required=True)
    session_id = take("session_id_invalid", lambda: _whole(text("sessionId"), 0, MAX_BIGINT), required=True)
    item = take("item_in_session_invalid", lambda: _whole(text("itemInSession"), 0, MAX_INT), required=True)
    user_id = take("user_id_invalid", lambda: _whole(text("userId"), 0, MAX_BIGINT))
    length = take("number_invalid", lambda: _double(text("length")))
    registration = take("number_invalid", lambda: _double(text("registration")))
    status = take("number_invalid", lambda: _whole(text("status"), -MAX_INT - 1, MAX_INT))
    page, level, song, artist = text("page"), text("level"), text("song"), text("artist")
    if level not in ("free", "paid", None):
        reasons.add("level_invalid")
    if page is None:
        reasons.add("page_missing")
    if page == "NextSong":
        absent = {
            "play_without_user": user_id is None and "user_id_invalid" not in reasons,
            "play_without_level": level is None,
            "play_without_song": song is None,
            "play_without_artist": artist is None,
        }
        reasons |= {reason for reason, applies in absent.items() if applies}
    if length is not None and not 0 < length < math.inf:
        length = None
    if registration is not None and not 0 <= registration < YEAR_2100:
        registration = None
    agent = text("userAgent")
    if agent is not None and len(agent) > 1 and agent[0] == agent[-1] == '"':
        agent = agent[1:-1].strip(ASCII_SPACE + "\u00a0") or None
    facts = [ts, session_id, item, user_id, page, level, song, artist, length]
    facts += map(text, ("auth", "firstName", "lastName", "gender", "location", "method"))
    return Event._make([*facts, status, registration, agent]), reasons


def _song(record: Record) -> tuple[Song, set[str]]:
    """Read a song record, with every reason against it."""
    reasons: set[str] = set()
    text = {key: _clean(value) for key, value in record.items()}.get
    if any(isinstance(record.get(key), Nested) for key in SONG_TEXTS):
        reasons.add("text_invalid")
    take = _taker(reasons)
    song_id, artist_id, artist_name = text("song_id"), text("artist_id"), text("artist_name")
    duration = take("duration_invalid", lambda: _double(text("duration")), required=True)
    year = take("number_invalid", lambda: _whole(text("year"), -MAX_INT - 1, MAX_INT))
    latitude = take("number_invalid", lambda: _double(text("artist_latitude")))
    longitude = take("number_invalid", lambda: _double(text("artist_longitude")))
    for name, value in (("song_id", song_id), ("artist_id", artist_id), ("artist_name", artist_name)):
        if value is None:
            reasons.add(f"{name}_missing")
        elif len(value) > 200 and name != "artist_name":
            reasons.add(f"{name}_too_long")
    if duration is not None and not 0 < duration < math.inf:
        reasons.add("duration_invalid")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        latitude = longitude = None
    place = text("artist_location"), latitude, longitude
    return Song(song_id, text("title"), artist_id, artist_name, duration, year or None, *place), reasons


def _taker(reasons: set[str]) -> Callable[..., Any]:
    """Make a reader of values that notes a reason where a value is invalid, or missing though required, and then gives null."""

    def take(reason: str, read: Callable[[], Any], *, required: bool = False) -> Any:
        try:
            value = read()
        except ValueError:
            reasons.add(reason)
            return None
        if value is None and required:
            reasons.add(reason)
        return value

    return take


EVENT_TEXTS = ("page", "level", "song", "artist", "auth", "firstName", "lastName", "gender", "location", "method", "userAgent")
SONG_TEXTS = ("song_id", "title", "artist_id", "artist_name", "artist_location")

# --- star ---


def _star(events: list[Event], songs: list[Song]) -> dict[str, list[tuple[Any, ...]]]:
    """Derive the star tables from the winning events and songs."""
    plays = [event for event in events if event.page == "NextSong"]
    return {
        "songplays": _songplays(plays, songs),
        "users": _users(events),
        "songs": sorted((s.song_id, s.title, s.artist_id, s.year, s.duration) for s in songs),
        "artists": _artists(songs),
        "time": [_time(_moment(ts * 1000)) for ts in sorted({play.ts for play in plays})],
        "user_levels": _user_levels(plays),
    }


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _folded(text: str) -> str:
    return WHITE_RUN.sub(" ", text.lower())


def _rounded(value: float) -> float:
    """Round half up, in double arithmetic, with what overflows left infinite."""
    return float(math.floor(value + 0.5)) if math.isfinite(value) else value


def _songplays(plays: Iterable[Event], songs: Iterable[Song]) -> list[tuple[Any, ...]]:
    """One row a play, with the smallest song_id of those that match."""
    by_name: dict[tuple[str, str, float], Song] = {}
    for song in sorted(songs, key=lambda song: song.song_id, reverse=True):
        if song.title is not None:
            by_name[_folded(song.title), _folded(song.artist_name), _rounded(song.duration * 1000)] = song
    rows = []
    for e in plays:
        match = None
        if e.length is not None and e.song is not None and e.artist is not None:
            match = by_name.get((_folded(e.song), _folded(e.artist), _rounded(e.length * 1000)))
        key = f"{e.ts}-{e.session_id}-{e.item_in_session}-{e.user_id}"
        ids = (match.song_id, match.artist_id) if match else (None, None)
        place = (e.session_id, e.location, e.user_agent, e.item_in_session)
        rows.append((key, _moment(e.ts * 1000), e.user_id, e.level, *ids, *place, e.song, e.artist, e.length))
    return sorted(rows, key=lambda row: row[0])


def _users(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """One row a user, as the latest event shows them."""
    latest: dict[int, Event] = {}
    for event in sorted(events, key=lambda e: (e.ts, e.session_id, e.item_in_session)):
        if event.user_id is not None:
            latest[event.user_id] = event
    rows = []
    for user_id, e in sorted(latest.items()):
        registered_at = None if e.registration is None else _moment(int(_rounded(e.registration * 1000)))
        rows.append((user_id, e.first_name, e.last_name, e.gender, e.level, registered_at, _moment(e.ts * 1000)))
    return rows


def _artists(songs: Iterable[Song]) -> list[tuple[Any, ...]]:
    """One row an artist, whole from one record: coordinates first, then location, then latest year, then smallest song_id."""

    def preference(s: Song) -> tuple[Any, ...]:
        return s.artist_latitude is None, s.artist_location is None, s.year is None, -(s.year or 0), s.song_id

    chosen: dict[str, Song] = {}
    for song in sorted(songs, key=preference):
        chosen.setdefault(song.artist_id, song)
    return [(artist_id, s.artist_name, s.artist_location, s.artist_latitude, s.artist_longitude) for artist_id, s in sorted(chosen.items())]


def _time(start: datetime) -> tuple[Any, ...]:
    _, week, weekday = start.isocalendar()
    return start, start.hour, start.day, week, start.month, start.year, weekday


def _user_levels(plays: Iterable[Event]) -> list[tuple[Any, ...]]:
    """One row for each stretch of a user's plays on one level; it lasts until the next stretch begins."""
    islands: dict[int, list[tuple[str | None, datetime]]] = {}
    for play in sorted(plays, key=lambda e: (e.ts, e.session_id, e.item_in_session)):
        if play.user_id is not None:
            own = islands.setdefault(play.user_id, [])
            if not own or own[-1][0] != play.level:
                own.append((play.level, _moment(play.ts * 1000)))
    rows: list[tuple[Any, ...]] = []
    for user_id, own in sorted(islands.items()):
        ends = [start for _, start in own[1:]] + [None]
        rows.extend((user_id, level, start, end) for (level, start), end in zip(own, ends, strict=True))
    return rows
