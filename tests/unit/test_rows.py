"""From lines to typed rows: most are read a block at once, the others one by one, and nobody can tell which."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spark_jobs.landing.fields import EVENT_FIELDS, SONG_FIELDS
from spark_jobs.landing.lines import BOM, Lines, text_lines
from spark_jobs.landing.objects import ObjectReader
from spark_jobs.landing.rows import RowMaker
from spark_jobs.landing.text import Fields, parse_object
from spark_jobs.landing.values import Record, record


def lines_of(*texts: str) -> Lines:
    """Cut some lines of one file."""

    class Whole:
        def pieces(self, *, size: int = 0, ends: bool = True) -> Any:
            yield "\n".join(texts).encode()

    [lines] = text_lines(Whole())
    return lines


def rows_of(*texts: str, fields: Fields = EVENT_FIELDS) -> list[dict[str, Any]]:
    """Make rows of some lines, in their order, without what is null and without the line itself."""
    made = RowMaker(fields).rows([(0, lines_of(*texts))])
    rows = pa.Table.from_batches(made.batches).sort_by("line_number").to_pylist()
    return [
        {name: value for name, value in row.items() if value is not None and name not in ("file_id", "line_number", "line")} for row in rows
    ]


def read_at_once(*texts: str) -> list[int]:
    """Tell which lines are read as a block."""
    groups, _ = ObjectReader(EVENT_FIELDS).read(lines_of(*texts).lines)
    return sorted(int(place) for group in groups for place in group.places)


def one_by_one(text: str, fields: Fields = EVENT_FIELDS) -> dict[str, Any]:
    """Make the row of a line by reading it alone."""
    values = parse_object(text.removeprefix(BOM))
    if values is None:
        return {"refused": "not_one_object"}
    read = record(values, fields)
    return read.values | ({"misread": list(read.misread)} if read.misread else {})


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('{"artist":"BjÃ¶rk"}', {"artist": "Björk"}),
        ('{"artist":"Bj\\u00f6rk"}', {"artist": "Björk"}),
        ('{"artist":"A &amp; B"}', {"artist": "A & B"}),
        ('{"artist":"\\tA"}', {"artist": "A"}),
        ('{"artist":"a\\u0000b\\ud83d\\ude00"}', {"artist": "ab\U0001f600"}),
        ('{"artist":" A ","song":"  "}', {"artist": "A"}),
        ('{"userAgent":"\\" Mozilla \\""}', {"user_agent": "Mozilla"}),
        ('{"userId":" 26 ","ts":-0}', {"user_id": 26, "ts": 0}),
        ('{"userId":""}', {}),
        ('{"length":"218.93179","registration":1.540919166796E12}', {"length": 218.93179, "registration": 1540919166796.0}),
    ],
)
def test_the_usual_is_read_a_block_at_once_and_comes_clean_and_typed(line: str, row: dict[str, Any]) -> None:
    assert read_at_once(line) == [0]
    assert rows_of(line) == [row] == [one_by_one(line)]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('{"artist":["A"]}', {"misread": ["artist"]}),
        ('{"artist":  {}}', {"misread": ["artist"]}),
        ('{"length":[1]}', {"misread": ["length"]}),
        ('{"artist":"[A]","x":{"artist":[1]}}', {"artist": "[A]"}),
        ('{"artist":1.50,"song":true}', {"artist": "1.50", "song": "true"}),
        ('{"page":"Home","page":"NextSong","Page":"x"}', {"page": "NextSong"}),
        ('{"ts":1541105830796.0,"sessionId":"2.6E1","userId":"+26"}', {"ts": 1541105830796, "session_id": 26, "user_id": 26}),
        ('{"ts":1.5,"userId":"x","status":99999999999999999999}', {"misread": ["ts", "user_id", "status"]}),
        ('{"length":NaN,"registration":-Infinity,"ts":"NaN"}', {}),
        ('{"length":1e400}', {"length": float("inf")}),
        ('{"artist":"\\ud800"}', {"artist": "\ufffd"}),
        ('\ufeff{"page":"Home"}', {"page": "Home"}),
        (' {"page":"Home"} \t', {"page": "Home"}),
        ("{}{}", {"refused": "not_one_object"}),
        ('{"length":Inf}', {"refused": "not_one_object"}),
        ('{"length":+Infinity}', {"refused": "not_one_object"}),
        ('{"length":-NaN}', {"refused": "not_one_object"}),
        ('{"x":Inf}', {"refused": "not_one_object"}),
        ('{"ts":01}', {"refused": "not_one_object"}),
        ("{'ts':1}", {"refused": "not_one_object"}),
        ('{"artist":"a\tb"}', {"refused": "not_one_object"}),
        ('{"ts":1}\0', {"refused": "not_one_object"}),
        ("\ufeff\ufeff{}", {"refused": "not_one_object"}),
        ("é", {"refused": "not_one_object"}),
        ("7", {"refused": "not_one_object"}),
    ],
)
def test_the_unusual_is_read_by_itself_and_leaves_its_neighbours_alone(line: str, row: dict[str, Any]) -> None:
    usual = '{"page":"Home","length":1.5,"userId":"7"}'
    assert 1 not in read_at_once(usual, line, usual)
    assert rows_of(usual, line, usual) == [one_by_one(usual), row, one_by_one(usual)]
    assert one_by_one(line) == row


def test_users_may_be_numbers_in_one_line_and_texts_in_the_next() -> None:
    lines = [f'{{"userId":{user},"ts":{ts}}}' for ts, user in enumerate(["26", '""', '"27"', "null", "28"] * 50)]
    assert read_at_once(*lines) == list(range(250))
    assert [row.get("user_id") for row in rows_of(*lines)] == [26, None, 27, None, 28] * 50


def test_a_block_in_which_too_much_is_odd_is_read_line_by_line_in_the_end() -> None:
    lines = ['{"ts":1,"ts":2}', '{"ts":3}'] * 100
    assert len(read_at_once(*lines)) < 200
    assert [row["ts"] for row in rows_of(*lines)] == [2, 3] * 100


def test_where_arrow_does_not_say_which_number_it_cannot_read_blocks_are_halved() -> None:
    lines = [f'{{"ts":{ts}}}' for ts in range(1000)]
    lines[700] = '{"ts":700.0}'
    assert 500 <= len(read_at_once(*lines)) < 1000
    assert [row["ts"] for row in rows_of(*lines)] == list(range(1000))


def test_keys_that_no_field_has_are_named_for_their_file_also_where_several_are_read_together() -> None:
    files = [
        lines_of('{"song_id":"A"}'),
        lines_of('{"song_id":"B","new":null,"Ã¶":1}', '{"other":{"a":1}}'),
        lines_of('{"num_songs":1,"new":1}'),
    ]
    made = RowMaker(SONG_FIELDS).rows(list(enumerate(files)))
    assert made.unknown == {1: ("new", "other", "ö"), 2: ("new",)}
    assert pa.Table.from_batches(made.batches).num_rows == 4


def test_of_many_unknown_keys_twenty_are_named_and_long_ones_are_cut() -> None:
    made = RowMaker(EVENT_FIELDS).rows([(3, lines_of(json.dumps({"": 1, "x" * 5_000: 1} | {f"k{n:03}": n for n in range(200)})))])
    assert made.unknown == {3: ("(blank)", *(f"k{n:03}" for n in range(19)))}
    assert record({"x" * 5_000: 1}, EVENT_FIELDS) == Record({}, unknown=("x" * 100,))


@pytest.mark.parametrize("deep", [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
@pytest.mark.parametrize(("depth", "refused"), [(499, False), (500, True), (100_000, True)])
def test_a_line_may_be_nested_500_deep_whatever_the_strings_in_it_hold(deep: tuple[str, str], depth: int, refused: bool) -> None:
    [row] = rows_of(f'{{"artist":"{"[{" * 300}","x":{deep[0] * depth}1{deep[1] * depth}}}')
    assert ("refused" in row) == refused


_NUMBERS = st.sampled_from(
    [
        "0",
        "-0",
        "7",
        "26.0",
        "2.6e1",
        "-1",
        "1.5",
        "1e400",
        "1e-400",
        "NaN",
        "-Infinity",
        "Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "9223372036854775807",
        "9223372036854775808",
        "0.1",
        "123456789012345678901234567890",
        "1541105830796",
        "1541105830796.0",
        "1e18",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        "[1]",
        "1.0000000000000000000",
        "0e-10",
        "-NaN",
        "Inf",
    ]
)
_TEXTS = st.one_of(
    st.text(max_size=12),
    _NUMBERS,
    st.sampled_from(
        [" 26 ", "26\u00a0", "&amp;", "BjÃ¶rk", '"q"', "[", "a:[b", "\u2028", "\uff11\uff12", "1_0", "0x1", "1e5", "-0.5", "\u0663"]
    ),
).map(json.dumps)
_RAW = st.text(max_size=8).filter(lambda text: "\n" not in text and "\r" not in text)
_KEYS = st.sampled_from([*EVENT_FIELDS.known, "new", "Page", ""])
_FIELDS = st.lists(st.tuples(_KEYS, st.one_of(_NUMBERS, _TEXTS)), max_size=6)
_OBJECTS = _FIELDS.map(lambda pairs: "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}")
_UTF8 = st.builds(lambda text: text.encode().decode("unicode_escape", "replace") if "\\u" in text else text, _OBJECTS)


def _writable(text: str) -> bool:
    return (
        bool(text.strip(" \t\v\f\ufeff"))
        and not set("\n\r") & set(text)
        and not any("\ud800" <= character <= "\udfff" for character in text)
    )


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(_OBJECTS, _UTF8, _RAW).filter(_writable), min_size=1, max_size=12))
@example(['{"ts": 1}{"ts": 1}', '{"ts": 2}', '{"ts": 3'])
@example(['{"page": 1}', '{"page": "x"}', '{"page": null, "userId": "1"}', '{"userId": 2}'])
def test_read_together_or_one_by_one_the_rows_are_the_same(lines: Sequence[str]) -> None:
    assert list(map(_comparable, rows_of(*lines))) == [_comparable(one_by_one(line)) for line in lines]


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: np.float64(value).hex() if isinstance(value, float) else value for name, value in row.items()}
