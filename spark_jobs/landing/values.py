"""Turn the fields of one object into clean, typed values. The rules: docs/adr/0006-input-rules-in-detail.md.

Most lines never come here one by one: `spark_jobs.landing.objects` reads them a block at once. These are the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from spark_jobs.landing.text import Fields, clean, unquote

_LONGEST_NUMBER = 5_000
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_WHOLE = re.compile(r"\.[0-9]{18}[0-9]*[1-9]|[eE]-[0-9]*[1-9][0-9]|[eE]\+?[0-9]{10}")
"""Numbers finer than 18 decimals, or with an exponent that is endless."""
_NO_NUMBER = frozenset(("NaN", "Infinity", "-Infinity", "+Infinity"))

KEYS_NAMED, KEY_LENGTH = 20, 100
"""How many unknown keys of a file are recorded, and how much of each; a line may have thousands, each as long as a book."""


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of one object.

    Attributes:
        values: What they hold, by column name; null where it is not there.
        misread: Columns that hold something else than such a value: a number field other text, a text field an object or an array.
        unknown: Keys that no field has, the first of them.
    """

    values: dict[str, str | int | float]
    misread: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def record(given: Mapping[str, Any], fields: Fields) -> Record:
    """Clean and type the fields of an object, whose numbers come as their text."""
    values: dict[str, str | int | float] = {}
    misread = []
    for name, key in fields.by_column.items():
        value = given.get(key)
        if value is None:
            continue
        if isinstance(value, dict | list):
            misread.append(name)
            continue
        text = clean(value if isinstance(value, str) else str(value).lower())
        if text is not None and name in fields.texts:
            text = unquote(text) if key in fields.quoted else text
            if text is not None:
                values[name] = text
        elif text is not None and text not in _NO_NUMBER:
            number = _whole(text) if name in fields.wholes else _double(text)
            if number is None:
                misread.append(name)
            else:
                values[name] = number
    return Record(values, tuple(misread), first_unknown(given.keys() - fields.known))


def first_unknown(keys: Iterable[str]) -> tuple[str, ...]:
    """Give the first of some keys that no field has, cleaned and cut to their length."""
    return tuple(sorted({clean(key[:KEY_LENGTH]) or "(blank)" for key in keys})[:KEYS_NAMED])


def _double(number: str) -> float | None:
    """Give a number's text as the nearest double, infinite beyond its range; None where it is no number."""
    return float(number) if _is_number(number) else None


def _whole(number: str) -> int | None:
    """Give a number's text as a bigint, by its decimal value; None where it is no whole number or too large."""
    if len(number) <= 18 and number.isascii() and number.isdigit():
        return int(number)
    if not _is_number(number) or _NOT_WHOLE.search(number):
        return None
    decimal = Decimal(number)
    if not -(2**63) <= decimal < 2**63 or decimal != decimal.to_integral_value():
        return None
    return int(decimal)


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None
