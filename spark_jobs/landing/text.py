"""Clean texts, and read a line as JSON. docs/adr/0006-input-rules-in-detail.md has the rules."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

WHITE = " \t\n\v\f\r"

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

    @cached_property
    def by_column(self) -> dict[str, str]:
        """All fields: column name to JSON key."""
        return {**self.texts, **self.wholes, **self.doubles}

    @cached_property
    def known(self) -> frozenset[str]:
        """The keys that are no surprise."""
        return frozenset((*self.by_column.values(), *self.ignored))


def clean(text: str) -> str | None:
    """Repair, decode, clean and trim a text; blank is None."""
    return _cleaned_before(text) if len(text) <= _SHORT else _cleaned(text)


@lru_cache(maxsize=_REMEMBERED)
def _cleaned_before(text: str) -> str | None:
    return _cleaned(text)


def _cleaned(text: str) -> str | None:
    text = repair(text)
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    if not text.isascii():
        text = _SURROGATES.sub("\ufffd", text)
    return text.replace("\0", "").strip(WHITE + "\u00a0") or None


def repair(text: str) -> str:
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
