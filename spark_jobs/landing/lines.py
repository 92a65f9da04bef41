"""Cut the text of a file into text lines or JSON values; CSV has its own module. docs/adr/0006-input-rules-in-detail.md has the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.text import JSON, WHITE, Fields, is_too_deep, parse_object
from spark_jobs.landing.values import Record, record

BOM = "\ufeff"
_BOM_BYTES = BOM.encode()
_BOM_AT_LINE_START = re.compile(f"^{BOM}", re.MULTILINE)
_JSON_WHITE = re.compile(r"[ \t\n\r]*")
_ANY_WHITE = re.compile(rf"[{WHITE}]*")
_ROWS = 50_000
_MOST_CHARACTERS, _CHARACTERS_KEPT = 1 << 18, 10_000
_LONGEST_SEQUENCE = 256 << 20
"""Bytes of a file that has to be read as a whole, since that takes many times as much memory."""
_MOST_LINES = 2**31 - 1


class Unreadable(Exception):
    """Nothing of a file may be accepted; the message says why."""


class Text(Protocol):
    """A file's text as valid UTF-8, in pieces that end where a line ends."""

    def pieces(self, *, size: int = ..., ends: bool = True) -> Iterator[bytes]:
        """Give it piece by piece; with `ends`, every line end is a line feed."""


@dataclass(frozen=True)
class Lines:
    """Some lines of one file. What stands in neither mapping is still to be read, as one JSON object.

    Attributes:
        numbers: Where each begins in the file, from 1.
        lines: The text as it stands there; may end with its line end. One that is still to be read does, with a line feed.
        records: The fields of lines that are read already, by the line's place in `lines`.
        refused: Why lines are refused already, by place.
    """

    numbers: pa.Array
    lines: pa.Array
    records: dict[int, Record] = field(default_factory=dict)
    refused: dict[int, Reason] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many lines these are."""
        return len(self.lines)


def without_long_texts(lines: Lines) -> Lines:
    """Refuse what is too long for a line, whatever it says, and keep the beginning of its text.

    A hundred lines are in Spark's memory at once, and a thousand rows in the JDBC writer's.
    """
    if lines.lines.nbytes <= _MOST_CHARACTERS:
        return lines
    doubtful = np.flatnonzero(pc.greater(pc.binary_length(lines.lines), _MOST_CHARACTERS).to_numpy(zero_copy_only=False))
    if not len(doubtful):
        return lines
    texts, records, refused = lines.lines.to_pylist(), dict(lines.records), dict(lines.refused)
    for place in map(int, doubtful):
        text = texts[place].lstrip(BOM).rstrip("\r\n")
        if len(text) > _MOST_CHARACTERS:
            texts[place], refused[place] = text[:_CHARACTERS_KEPT].rstrip("\r\n"), Reason.LINE_TOO_LONG
            records.pop(place, None)
    return Lines(lines.numbers, pa.array(texts, pa.string()), records, refused)


def text_lines(text: Text) -> Iterator[Lines]:
    """Cut text into its non-blank lines, which are still to be read.

    Raises:
        Unreadable: There are more lines than can be numbered.
    """
    before = 0
    for piece in text.pieces():
        if before + piece.count(b"\n") >= _MOST_LINES:
            raise Unreadable(f"it has more than {_MOST_LINES:,} lines")
        lines, count = _split(piece, before)
        before += count
        if len(lines):
            yield lines


def _split(piece: bytes, before: int) -> tuple[Lines, int]:
    """Cut a piece at its line feeds without copying it; returns the non-blank lines and the number of all."""
    if not piece.endswith(b"\n"):
        piece += b"\n"
    # A file of one line, as songs come: what is quick for many lines costs more than reading the file.
    if piece[:1] == b"{" and piece.find(b"\n") == len(piece) - 1:
        return Lines(pa.array([before + 1], pa.int32()), pa.array([piece], pa.string())), 1
    content = np.frombuffer(piece, dtype=np.uint8)
    ends = np.flatnonzero(content == ord("\n")) + 1
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    numbers = pa.array(np.arange(before + 1, before + 1 + len(ends), dtype=np.int32))
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(piece))
    # Nearly every line begins with its brace; only the others can be blank.
    doubtful = np.flatnonzero(content[offsets[:-1]] != ord("{"))
    blank = [int(i) for i in doubtful if not piece[offsets[i] : offsets[i + 1]].removeprefix(_BOM_BYTES).strip(WHITE.encode())]
    if blank:
        kept = pa.array(np.isin(np.arange(len(ends)), blank, invert=True))
        numbers, lines = numbers.filter(kept), lines.filter(kept)
    return Lines(numbers, lines), len(ends)


def song_lines(text: Text, fields: Fields) -> Iterator[Lines]:
    """Cut a song file: line by line if its first non-blank line is a whole object, else value by value.

    Raises:
        Unreadable: It has to be read value by value and is too large for that.
    """
    pieces = text.pieces()
    head: list[bytes] = []
    for piece in pieces:
        head.append(piece)
        _refuse_long_sequence(head)
        first = next((line for line in piece.split(b"\n") if line.removeprefix(_BOM_BYTES).strip(WHITE.encode())), None)
        if first is not None:
            break
    else:
        return
    if parse_object(first.decode("utf-8").removeprefix(BOM)) is not None:
        yield from text_lines(_Pieces(chain(head, pieces)))
    else:
        yield from collect(_values(_BOM_AT_LINE_START.sub("", _whole(chain(head, pieces)).decode("utf-8")), fields))


@dataclass(frozen=True)
class _Pieces:
    """A text that was begun to be read."""

    all: Iterator[bytes]

    def pieces(self, *, size: int = 0, ends: bool = True) -> Iterator[bytes]:
        return self.all


def _whole(pieces: Iterator[bytes]) -> bytes:
    read = []
    for piece in pieces:
        read.append(piece)
        _refuse_long_sequence(read)
    return b"".join(read)


def _refuse_long_sequence(read: list[bytes]) -> None:
    if sum(map(len, read)) > _LONGEST_SEQUENCE:
        raise Unreadable(f"its records are not one a line, and it has more than {_LONGEST_SEQUENCE >> 20} MiB of text")


@dataclass(frozen=True)
class Line:
    """One line of a file; the fields are those of `Lines`."""

    number: int
    line: str
    record: Record | None = None
    refused: Reason | None = None


def collect(lines: Iterator[Line]) -> Iterator[Lines]:
    """Put single lines into arrays, some ten thousand at a time."""
    waiting: list[Line] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) == _ROWS:
            yield _arrays(waiting)
            waiting = []
    if waiting:
        yield _arrays(waiting)


def _arrays(lines: list[Line]) -> Lines:
    return Lines(
        pa.array([line.number for line in lines], pa.int32()),
        pa.array([line.line for line in lines], pa.string()),
        {place: line.record for place, line in enumerate(lines) if line.record is not None},
        {place: line.refused for place, line in enumerate(lines) if line.refused is not None},
    )


def _values(text: str, fields: Fields) -> Iterator[Line]:
    """Read a sequence of JSON values, arrays taken apart; from where it breaks the rest is one refused line."""
    counter = _LineCounter(text)
    at, inside, first = 0, False, False
    while (at := _skip(text, at, _JSON_WHITE if inside else _ANY_WHITE)) < len(text) or inside:
        if inside and text[at : at + 1] == "]":
            at, inside = at + 1, False
        elif not inside and text[at] == "[":
            at, inside, first = at + 1, True, True
        else:
            after_comma = inside and not first and text[at : at + 1] == ","
            begin = _skip(text, at + 1, _JSON_WHITE) if after_comma else at
            try:
                if inside and not first and not after_comma:
                    raise ValueError
                value, end = JSON.raw_decode(text, begin)
                if is_too_deep(text[begin:end]):
                    raise ValueError
            except (ValueError, RecursionError):
                yield Line(counter.at(begin), text[begin:].rstrip("\r\n"), refused=Reason.NOT_ONE_OBJECT)
                return
            clean, refused = (record(value, fields), None) if isinstance(value, dict) else (None, Reason.NOT_ONE_OBJECT)
            yield Line(counter.at(begin), text[begin:end], clean, refused)
            at, first = end, False


def _skip(text: str, at: int, white: re.Pattern[str]) -> int:
    match = white.match(text, at)
    return match.end() if match else at


class _LineCounter:
    """Tells the line number of rising positions in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position, self._number = 0, 1

    def at(self, position: int) -> int:
        self._number += self._text.count("\n", self._position, position)
        self._position = position
        return self._number
