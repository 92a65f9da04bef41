"""What cleaning did to a line: what stands in the file, what the lake holds, and by which rule."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from spark_jobs.landing.csv_records import PHYSICAL_LINE
from spark_jobs.landing.text import WHITE, Fields, clean, repair, unquote

_NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "+Infinity")
_RULES = {
    "length": "a length that is not finite and greater than 0 counts as none",
    "registration": "a registration outside 1970 to 2100 counts as none",
    "year": "the year 0 means unknown",
    "artist_latitude": "coordinates off the earth, or one without the other, count as none",
    "artist_longitude": "coordinates off the earth, or one without the other, count as none",
}
"""Why a value that could be read is null in the lake, by column."""


class _Number(str):
    """A number or a constant as it is written in JSON, without quotes."""

    __slots__ = ()


_JSON = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number)


@dataclass(frozen=True)
class Change:
    """What became of one field.

    Attributes:
        column: The lake's column.
        raw: What stands in the file, as JSON writes it; in CSV the cell as a text.
        cleaned: What the lake holds.
        how: The rules that made the difference.
    """

    column: str
    raw: str
    cleaned: str | int | float | None
    how: str


def changes(raw_line: str, header: Sequence[str] | None, row: dict[str, Any], fields: Fields) -> list[Change]:
    """Compare a line with the row that was made from it; fields that are as they were are left out.

    Args:
        raw_line: The line as it stands in the file.
        header: Names of the columns, if the file is CSV.
        row: The lake's row.
        fields: The fields of lines of that kind.
    """
    given = _fields_of(raw_line, header, fields)
    found = []
    for column, key in fields.by_column.items():
        raw, cleaned = given.get(key), row[column]
        how = _how(column, raw, cleaned, fields)
        if how:
            found.append(Change(column, raw if isinstance(raw, _Number) else json.dumps(raw, ensure_ascii=False), cleaned, how))
    return found


def _fields_of(raw_line: str, header: Sequence[str] | None, fields: Fields) -> dict[str, Any]:
    """Give what stands under each key; a cell of CSV where a number belongs is taken as one, since nothing tells it from a text."""
    if header is not None:
        cells = next(csv.reader(PHYSICAL_LINE.findall(raw_line)), [])
        numbers = {*fields.wholes.values(), *fields.doubles.values()}
        return {key: _Number(cell) if key in numbers else cell for key, cell in zip(header, cells, strict=False)}
    with suppress(ValueError, RecursionError):
        value = _JSON.decode(raw_line.lstrip("\ufeff").strip(WHITE))
        return value if isinstance(value, dict) else {}
    return {}


def _how(column: str, raw: Any, cleaned: str | int | float | None, fields: Fields) -> str:
    """Name the rules that made one value of the other; empty where it is the same."""
    is_no_text = isinstance(raw, _Number | bool)
    if raw is None or (raw == cleaned and not (is_no_text and column in fields.texts)):
        return ""
    text = raw if isinstance(raw, str) else str(raw).lower()
    if column in fields.texts:
        kinds = ["a number or a boolean is taken as its text"] if is_no_text else []
        kinds += _text_rules(text, fields.texts[column] in fields.quoted)
    elif cleaned is None:
        kinds = [
            "blank means none" if clean(text) is None else "no number means none" if clean(text) in _NO_NUMBERS else _RULES.get(column, "")
        ]
    elif isinstance(raw, _Number):
        same = text == str(cleaned) if column in fields.wholes else True
        kinds = [] if same else ["the number counts by its value"]
    else:
        kinds = ["the text is taken as the number that it names"]
    return "; ".join(kinds)


def _text_rules(text: str, may_be_quoted: bool) -> list[str]:
    repaired, cleaned = repair(text), clean(text)
    rules = {
        "UTF-8 that was read as Latin-1 is repaired": repaired != text,
        "entities are decoded": any(f"&{name};" in repaired for name in ("lt", "gt", "quot", "apos", "#39", "#039", "amp")),
        "NUL is removed": "\0" in repaired,
        "half characters become U+FFFD": any("\ud800" <= character <= "\udfff" for character in repaired),
        "white space at the ends is trimmed": cleaned is not None and repaired != repaired.strip(WHITE + "\u00a0"),
        "blank means none": cleaned is None,
        "quotes round the whole are dropped": may_be_quoted and unquote(cleaned) != cleaned,
    }
    return [rule for rule, applies in rules.items() if applies]
