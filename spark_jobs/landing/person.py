"""Tell whether a line is a person's: its user id is theirs by value, however it is written and whether the line was accepted or refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from spark_jobs.landing.csv_records import PHYSICAL_LINE
from spark_jobs.landing.fields import EVENT_FIELDS
from spark_jobs.landing.text import clean, parse_object

_KEY = EVENT_FIELDS.wholes["user_id"]
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?")
_NAMED = re.compile(rf"""{_KEY}\\*["']?\s*:\s*\\*["']?([^"',}}\]\\]*)""")
"""What follows the key in a text, also in one that is no whole object or is JSON within JSON."""


@dataclass(frozen=True)
class Person:
    """Someone with a user id."""

    user_id: int

    def owns(self, line: str) -> bool:
        """Tell of a line of JSON.

        An object belongs to whom its last user id names. Text that is no object, and so was refused, is theirs if any user id in it is.
        """
        named = any(map(self._is, _NAMED.findall(line)))
        if not named and "\\" not in line:
            return False
        values = parse_object(line.removeprefix("\ufeff"))
        return named if values is None else self._is(values.get(_KEY))

    def owns_cells(self, record: str, header: Sequence[str] | None) -> bool:
        """Tell of a CSV record whose user id nobody could read.

        Cells too many or too few shift those after them, so every cell to which the user id may have been shifted counts. Where nobody
        knows the header any more, every cell does. Since quotes may be what is broken, each line is also read alone.
        """
        lines = PHYSICAL_LINE.findall(record)
        for cells in chain(csv.reader(lines), *(csv.reader([line]) for line in lines)):
            if header is None:
                near = cells
            elif _KEY in header:
                place = len(header) - 1 - list(reversed(header)).index(_KEY)
                shifted = place + len(cells) - len(header)
                near = cells[max(0, min(place, shifted)) : max(place, shifted) + 1]
            else:
                near = []
            if any(map(self._is, near)):
                return True
        return False

    def _is(self, value: object) -> bool:
        number = clean(value) if isinstance(value, str) else None
        return number is not None and _NUMBER.fullmatch(number) is not None and Decimal(number) == self.user_id
