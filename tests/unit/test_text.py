"""Texts that are more than plain ASCII: repaired, decoded, cleaned and trimmed, and nothing else."""

from __future__ import annotations

import pytest

from spark_jobs.landing.text import clean, parse_object, unquote


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Björk", "Björk"),
        ("BjÃ¶rk", "Björk"),
        ("BjÃ\u0083Â¶rk", "Björk"),
        ("Ã", "Ã"),
        ("BjÃ¶rk ♥", "BjÃ¶rk ♥"),
    ],
    ids=["right already", "once", "twice", "no valid UTF-8 behind it", "not all of it Latin-1"],
)
def test_mojibake_is_repaired_only_where_nothing_is_lost(raw: str, text: str) -> None:
    assert clean(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Simon &amp; Garfunkel", "Simon & Garfunkel"),
        ("&lt;b&gt; &quot;q&quot; &apos;a&apos; &#39;b&#39; &#039;c&#039;", "<b> \"q\" 'a' 'b' 'c'"),
        ("&amp;lt;", "&lt;"),
        ("&AMP; &nbsp; &eacute;", "&AMP; &nbsp; &eacute;"),
    ],
    ids=["ampersand", "all that are known", "decoded once", "others stay"],
)
def test_entities_are_decoded_once(raw: str, text: str) -> None:
    assert clean(raw) == text


def test_nul_goes_and_lone_surrogates_become_replacement_characters() -> None:
    assert clean("a\0b\ud800c") == "ab\ufffdc"


def test_ascii_white_space_and_no_break_spaces_are_trimmed_at_both_ends_only() -> None:
    assert clean("\u00a0\t\n\v\f\r a \u00a0 b \u00a0") == "a \u00a0 b"
    assert clean("\u2003a\u2003") == "\u2003a\u2003"


@pytest.mark.parametrize("raw", ["", "  ", "\u00a0", "\0", " \0 "])
def test_blank_text_is_none(raw: str) -> None:
    assert clean(raw) is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [('"Mozilla/5.0"', "Mozilla/5.0"), ('" Mozilla "', "Mozilla"), ('""', None), ('"', '"'), ('"a', '"a'), ('""a""', '"a"'), (None, None)],
)
def test_quotes_round_a_whole_text_go_once(raw: str | None, text: str | None) -> None:
    assert unquote(raw) == text


def test_a_line_of_exactly_one_object_is_read_with_numbers_as_written() -> None:
    assert parse_object(' {"ts": 1.50, "n": 1E3, "x": NaN, "b": true} \r\n') == {"ts": "1.50", "n": "1E3", "x": "NaN", "b": True}


def test_the_last_of_two_equal_keys_wins() -> None:
    assert parse_object('{"page": "Home", "page": "NextSong", "Page": "x"}') == {"page": "NextSong", "Page": "x"}


@pytest.mark.parametrize("line", ["", "[]", "1", '"a"', "{", "{} {}", "{'a': 1}", '{"a": 01}', '{"a": 1,}', "[" * 100_000])
def test_anything_else_is_not_one_object(line: str) -> None:
    assert parse_object(line) is None
