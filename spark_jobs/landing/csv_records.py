"""Cut CSV into its records. docs/adr/0006-input-rules-in-detail.md has the rules."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator

from spark_jobs.landing.lines import BOM, Line, Lines, Text, Unreadable, collect
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.text import WHITE, Fields
from spark_jobs.landing.values import record

_LONGEST_RECORD = 64 << 20
"""Characters; a quote that is never closed makes the rest of a file one record."""

PHYSICAL_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$")
"""A line of text with its end, as CSV counts them: at line feeds and carriage returns alone."""

csv.field_size_limit(sys.maxsize)


def csv_lines(text: Text, fields: Fields) -> Iterator[Lines]:
    """Cut CSV into its records, each with its fields under the header's names.

    Raises:
        Unreadable: A record is too long.
    """
    return collect(_records(text, fields))


def csv_header(text: Text) -> list[str] | None:
    """Give the names of the columns: the cells of the first record that is not blank; None where there is none.

    Raises:
        csv.Error: It cannot be read.
    """
    source = _PhysicalLines(text)
    return next((cells for cells in csv.reader(source, strict=True) if source.take().strip(WHITE)), None)


def _records(text: Text, fields: Fields) -> Iterator[Line]:
    source = _PhysicalLines(text)
    reader = csv.reader(source, strict=True)
    header: list[str] | None = None
    while True:
        begun = source.count + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if header is None:
                source.read_all()
            yield Line(begun, source.take(), refused=Reason.NOT_CSV)
            if header is None:
                return
            continue
        raw = source.take()
        if not raw.strip(WHITE):
            continue
        if header is None:
            header = cells
        elif len(cells) != len(header):
            yield Line(begun, raw, refused=Reason.WRONG_CELL_COUNT)
        else:
            yield Line(begun, raw, record(dict(zip(header, cells, strict=True)), fields))


class _PhysicalLines:
    """Gives a CSV reader its lines, line ends as they are, and remembers what it took for the present record."""

    def __init__(self, text: Text) -> None:
        self._lines = self._split(text)
        self._taken: list[str] = []
        self._length = self.count = 0

    @staticmethod
    def _split(text: Text) -> Iterator[str]:
        for piece in text.pieces(ends=False):
            yield from PHYSICAL_LINE.findall(piece.decode("utf-8"))

    def __iter__(self) -> _PhysicalLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if not self._taken:
            line = line.removeprefix(BOM)
        self.count += 1
        self._length += len(line)
        if self._length > _LONGEST_RECORD:
            raise Unreadable(f"a record of it is longer than {_LONGEST_RECORD >> 20} Mi characters; a quote may never be closed")
        self._taken.append(line)
        return line

    def read_all(self) -> None:
        """Take all lines that are left."""
        for _ in self:
            pass

    def take(self) -> str:
        """Give the text of the present record without the line ends behind it, and begin the next."""
        taken = "".join(self._taken)
        self._taken, self._length = [], 0
        return taken.rstrip("\r\n")
