"""Read JSON lines a block at once, with Arrow's reader: nearly all lines are one flat object with values of the kinds that are expected.

Arrow's reader is as strict as RFC 8259 but for a few things, which are sorted out here. Lines that it refuses or that are not so regular
are left over, to be read one by one. Measured: a million events cost 5 CPU seconds in blocks, and 19 one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from spark_jobs.landing.text import Fields, clean, unquote
from spark_jobs.landing.values import first_unknown

_OTHER_KIND = re.compile(r"Column\(/(?P<key>.*)\) changed from \w+ to \w+ in row (?P<row>\d+)", re.DOTALL)
_ROW = re.compile(r"in row (?P<row>\d+)$")
_MOST_FAILURES = 64
"""Attempts that may fail in one block; what is left after them is read line by line."""
_FEW = 256
"""Lines; where Arrow does not name the row that it cannot convert, blocks are halved down to this."""
_WHOLE = r"^[0-9]{1,18}$"
_DECIMAL = r"^-?[0-9]{1,17}(\.[0-9]{1,17})?([eE]-?[0-9]{1,2})?$"
"""Texts that Arrow turns into the same numbers as `spark_jobs.landing.values`."""


@dataclass(frozen=True)
class Group:
    """Lines that were read together.

    Attributes:
        places: Which lines of the block.
        columns: Clean, typed values by column name; null where there is none.
        unknown: Keys that no field has, the first of them; each is in one of the lines at least.
    """

    places: np.ndarray
    columns: dict[str, pa.Array]
    unknown: tuple[str, ...]


@dataclass
class _Work:
    """Lines still to be read, and the number fields that hold texts in them."""

    places: np.ndarray
    as_text: frozenset[str]


@dataclass
class ObjectReader:
    """Reads the blocks of one kind of file.

    Attributes:
        fields: The fields of that kind.
    """

    fields: Fields
    _as_text: frozenset[str] = field(default=frozenset(), init=False)

    def read(self, lines: pa.StringArray) -> tuple[list[Group], np.ndarray]:
        """Read a block of lines, each of which ends with a line feed.

        Returns:
            The lines that could be read, and the places of those that are left over.
        """
        regular = _regular(lines)
        left, groups, failures = [np.flatnonzero(~regular)], list[Group](), 0
        work = [_Work(np.flatnonzero(regular), self._as_text)]
        while work:
            now = work.pop()
            if not len(now.places):
                continue
            if failures >= _MOST_FAILURES:
                left.append(now.places)
                continue
            block = lines if len(now.places) == len(lines) else lines.take(pa.array(now.places))
            try:
                group, odd = self._read_all(block, now)
            except pa.ArrowInvalid as error:
                failures += 1
                more, odd = self._retry(block, now, str(error))
                work += more
            else:
                groups.append(group)
                self._as_text = now.as_text
            left.append(odd)
        return groups, np.concatenate(left)

    def _read_all(self, block: pa.StringArray, work: _Work) -> tuple[Group, np.ndarray]:
        """Read lines that all are regular; gives those that fit, and the places of those that do not.

        Raises:
            pa.ArrowInvalid: Some cannot be read.
        """
        columns = {column: pa.string() for column in self.fields.texts.values()}
        columns |= {column: pa.int64() for column in self.fields.wholes.values()}
        columns |= {column: pa.float64() for column in self.fields.doubles.values()}
        schema = pa.schema(columns | dict.fromkeys(work.as_text, pa.string()))
        content = _content(block)
        read = pj.read_json(
            pa.BufferReader(content),
            pj.ReadOptions(block_size=len(content) + 1),
            pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
        ).combine_chunks()
        if len(read) != len(block):
            raise pa.ArrowInvalid("some line holds more than one object")
        values, misfits = {}, np.zeros(len(block), dtype=bool)
        for name, key in self.fields.by_column.items():
            values[name], misfit = self._values(name, key, read.column(key).combine_chunks())
            misfits |= misfit
        unknown = [name for name in read.column_names if name not in self.fields.known]
        for name in unknown:
            misfits |= _is_infinite(read.column(name).combine_chunks())
        if misfits.any():
            fit = pa.array(~misfits)
            values = {name: column.filter(fit) for name, column in values.items()}
        return Group(work.places[~misfits], values, first_unknown(unknown)), work.places[misfits]

    def _values(self, name: str, key: str, given: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Clean and type one column; gives it, and which rows hold what only reading them one by one can tell."""
        if name in self.fields.texts:
            return _clean_texts(given, key in self.fields.quoted), np.zeros(len(given), dtype=bool)
        if not pa.types.is_string(given.type):
            return given, _is_infinite(given)
        kind, pattern = (pa.int64(), _WHOLE) if name in self.fields.wholes else (pa.float64(), _DECIMAL)
        texts = _clean_texts(given, unquoting=False)
        fits = pc.match_substring_regex(texts, pattern)
        misfits = pc.fill_null(pc.invert(fits), False).to_numpy(zero_copy_only=False)
        return pc.if_else(fits, texts, None).cast(kind), misfits

    def _retry(self, block: pa.StringArray, work: _Work, said: str) -> tuple[list[_Work], np.ndarray]:
        """Part lines that cannot be read together so that each part can, or come nearer to it; gives also what is left over."""
        none = np.empty(0, dtype=work.places.dtype)
        places, as_text = work.places, work.as_text
        other = _OTHER_KIND.search(said)
        key = other["key"] if other else None
        if key in {*self.fields.wholes.values(), *self.fields.doubles.values()}:
            is_text = _matches(block, rf'"{key}"\s*:\s*"')
            if not is_text.all() if key in as_text else is_text.any():
                return [_Work(places[~is_text], as_text - {key}), _Work(places[is_text], as_text | {key})], none
        elif key in self.fields.texts.values():
            no_text = _matches(block, rf'"{key}"\s*:\s*[^"n\s]')
            if no_text.any():
                return [_Work(places[~no_text], as_text)], places[no_text]
        if named := other or _ROW.search(said):
            row = min(int(named["row"]), len(places) - 1)
            return [_Work(places[row + 1 :], as_text), _Work(places[:row], as_text)], places[row : row + 1]
        if len(places) <= _FEW:
            return [], places
        middle = len(places) // 2
        return [_Work(places[middle:], as_text), _Work(places[:middle], as_text)], none


def _content(block: pa.StringArray) -> pa.Buffer:
    """Give the texts of an array as they lie one after the other in memory."""
    _, offsets, content = block.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[block.offset : block.offset + len(block) + 1]
    return content.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))


def _regular(lines: pa.StringArray) -> np.ndarray:
    """Tell which lines may be one flat object: they begin and end with its braces, hold no nesting and no control characters.

    A line with a bracket behind a colon within a text looks nested; it is merely read with more care than it needs.
    """
    content = np.frombuffer(_content(lines), dtype=np.uint8)
    ends = np.frombuffer(lines.buffers()[1], dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    ends = ends - ends[0]
    begins, ends = ends[:-1], ends[1:]
    regular: np.ndarray = (ends - begins > 2) & (content[begins] == ord("{")) & (content[ends - 2] == ord("}")) & (content[ends - 1] == 10)
    # Opening brackets differ in one bit from each other. What is nested stands behind a colon, with white space between or not.
    brackets = np.flatnonzero(content & 0xDF == ord("["))
    one, two = content[brackets - 1], content[brackets - 2]
    nested = brackets[(one == ord(":")) | ((one == ord(" ")) & ((two == ord(":")) | (two == ord(" "))))]
    control = np.flatnonzero(content < 0x20)
    control = control[content[control] != 10]
    regular[np.searchsorted(ends, np.concatenate((nested, control)), side="right")] = False
    return regular


def _clean_texts(texts: pa.StringArray, unquoting: bool) -> pa.Array:
    """Clean texts; what is more than plain ASCII comes again and again, so each such text is cleaned once."""
    content = np.frombuffer(_content(texts), dtype=np.uint8)
    if not unquoting and not ((content >= 0x80) | (content < 0x20) | (content == ord("&"))).any():
        trimmed = pc.ascii_trim(texts, " ")
        return pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    encoded = texts.dictionary_encode()
    cleaned = map(clean, encoded.dictionary.to_pylist())
    return pa.array(map(unquote, cleaned) if unquoting else cleaned, pa.string()).take(encoded.indices)


def _is_infinite(numbers: pa.Array) -> np.ndarray:
    """Tell where a number is NaN or infinite, of which Arrow reads more spellings than there are."""
    if not pa.types.is_floating(numbers.type):
        return np.zeros(len(numbers), dtype=bool)
    infinite: np.ndarray = pc.fill_null(pc.invert(pc.is_finite(numbers)), False).to_numpy(zero_copy_only=False)
    return infinite


def _matches(block: pa.StringArray, pattern: str) -> np.ndarray:
    found: np.ndarray = pc.match_substring_regex(block, pattern).to_numpy(zero_copy_only=False)
    return found
