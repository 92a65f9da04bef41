r"""Clean the texts of a line that is more than plain ASCII. docs/adr/0006-input-rules-in-detail.md has the rules.

Few lines need this: those with characters beyond ASCII, `\u` escapes, entities or nesting, long ones, and CSV records. Their
fields leave here as strings in a JSON object of their own, the record, for which Spark has nothing left to clean. All other lines never
pass through Python one by one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

WHITE = " \t\n\v\f\r"
NESTED = "nested"
"""Key of a record that tells that a text field held an object or an array."""
UNKNOWN = "unknown"
"""Key of a record whose value is an object of the line's keys that no field has."""

_UNKNOWN_NAMED, _UNKNOWN_LENGTH = 100, 100
"""How many unknown keys of a line are told, and how much of each; a line may have thousands, each as long as a book."""

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&#39;", "'"), ("&#039;", "'"), ("&amp;", "&"))
_SURROGATES = re.compile("[\ud800-\udfff]")
_DEEPEST = 500
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(r"[][{}]")
JSON = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
"""Reads numbers as the text that stands in the file."""

# Artists, titles and browsers come again and again; the cache is bounded, in number and length, because names need not.
_REMEMBERED, _SHORT = 100_000, 200


@dataclass(frozen=True)
class Fields:
    """The fields that lines of a kind have: column name to JSON key.

    Attributes:
        texts: Text fields.
        wholes: Number fields that must be whole.
        doubles: Other number fields.
        quoted: Text fields whose whole text may be wrapped in literal double quotes, which go.
        ignored: JSON keys that are known and not needed.
    """

    texts: dict[str, str]
    wholes: dict[str, str]
    doubles: dict[str, str]
    quoted: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All JSON keys."""
        return (*self.texts.values(), *self.wholes.values(), *self.doubles.values())

    @cached_property
    def known(self) -> frozenset[str]:
        """The keys that are no surprise."""
        return frozenset((*self.keys, *self.ignored))


def clean(text: str) -> str | None:
    """Repair, decode, clean and trim a text; blank is None."""
    return _cleaned_before(text) if len(text) <= _SHORT else _cleaned(text)


@lru_cache(maxsize=_REMEMBERED)
def _cleaned_before(text: str) -> str | None:
    return _cleaned(text)


def _cleaned(text: str) -> str | None:
    text = _repair(text)
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    if not text.isascii():
        text = _SURROGATES.sub("\ufffd", text)
    return text.replace("\0", "").strip(WHITE + "\u00a0") or None


def _repair(text: str) -> str:
    """Undo UTF-8 that was decoded as Latin-1, as often as it was; only where that loses nothing."""
    while not text.isascii():
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    return text


def unquote(text: str | None) -> str | None:
    """Take away literal double quotes wrapped round a whole clean text."""
    if text is not None and len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].strip(WHITE + "\u00a0") or None
    return text


def parse_object(line: str) -> dict[str, Any] | None:
    """Read a line that must be exactly one JSON object, numbers as their text; None if it is not."""
    try:
        value = JSON.decode(line.strip(WHITE))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not is_too_deep(line) else None


def is_too_deep(json_text: str) -> bool:
    """Tell whether valid JSON has more than 500 brackets within each other; how many Python can read depends on who calls it."""
    if json_text.count("{") + json_text.count("[") <= _DEEPEST:
        return False
    depths = accumulate(1 if bracket in "{[" else -1 for bracket in _BRACKETS.findall(_STRINGS.sub("", json_text)))
    return max(depths, default=0) > _DEEPEST


def record(values: Mapping[str, Any], fields: Fields) -> str:
    """Give the fields of an object as a JSON object of clean texts; absent and blank ones are left out."""
    cleaned: dict[str, str | dict[str, str]] = {}
    for key in fields.keys:
        value = values.get(key)
        if value is None:
            continue
        if isinstance(value, dict | list):
            # Number fields refuse the brackets as other text; text fields need to be told.
            cleaned[key] = "{}"
            if key in fields.texts.values():
                cleaned[NESTED] = "true"
            continue
        text = clean(value if isinstance(value, str) else str(value).lower())
        text = unquote(text) if key in fields.quoted else text
        if text is not None:
            cleaned[key] = text
    unknown = values.keys() - fields.known
    if unknown:
        cleaned[UNKNOWN] = {clean(key[:_UNKNOWN_LENGTH]) or "(blank)": "" for key in sorted(unknown)[:_UNKNOWN_NAMED]}
    return json.dumps(cleaned, ensure_ascii=False)
