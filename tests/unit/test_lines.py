"""Cutting a file into lines: what counts as one, where it begins, what it says, and what is refused already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spark_jobs.landing.csv_records import csv_lines
from spark_jobs.landing.fields import EVENT_FIELDS, SONG_FIELDS
from spark_jobs.landing.lines import Lines, song_lines, text_lines
from spark_jobs.landing.values import Record


class Pieces:
    """A text that is there already, in the pieces a file would come in."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = [piece.encode() for piece in pieces]

    def pieces(self, *, size: int = 0, ends: bool = True) -> Iterator[bytes]:
        yield from self._pieces


def cut(read: Callable[..., Iterator[Lines]], *pieces: str) -> list[tuple[int, str, Any, str | None]]:
    """Cut a text; give number, line, the values read already and refusal of each line."""
    rows = []
    for lines in (
        read(Pieces(*pieces)) if read is text_lines else read(Pieces(*pieces), SONG_FIELDS if read is song_lines else EVENT_FIELDS)
    ):
        for place, (number, line) in enumerate(zip(lines.numbers.to_pylist(), lines.lines.to_pylist(), strict=True)):
            record = lines.records.get(place)
            rows.append((number, line, None if record is None else record.values, lines.refused.get(place)))
    return rows


def test_plain_lines_stay_as_they_stand_and_blank_ones_are_passed_over_but_numbered() -> None:
    assert cut(text_lines, '{"ts":1}\n\n \t\n{"ts":2}') == [(1, '{"ts":1}\n', None, None), (4, '{"ts":2}\n', None, None)]


def test_line_numbers_go_on_from_piece_to_piece() -> None:
    assert [row[0] for row in cut(text_lines, '{"ts":1}\n\n', '{"ts":2}\n', '{"ts":3}\n')] == [1, 3, 4]


def test_a_line_with_nothing_but_a_byte_order_mark_is_blank() -> None:
    assert [row[:2] for row in cut(text_lines, '\ufeff{"page":"Home"}\n\ufeff\n')] == [(1, '\ufeff{"page":"Home"}\n')]


def test_a_song_file_whose_first_line_is_a_whole_object_is_read_line_by_line() -> None:
    assert cut(song_lines, '\n{"song_id":"A"}\n{"song_id":\n') == [
        (2, '{"song_id":"A"}\n', None, None),
        (3, '{"song_id":\n', None, None),
    ]


def test_a_pretty_printed_song_is_one_line_that_begins_where_its_brace_stands() -> None:
    assert cut(song_lines, '\n{\n "song_id": "A",\n "year": 1.50\n}\n{"song_id": "B"}') == [
        (2, '{\n "song_id": "A",\n "year": 1.50\n}', {"song_id": "A"}, None),
        (6, '{"song_id": "B"}', {"song_id": "B"}, None),
    ]


def test_an_array_gives_a_line_for_each_element_and_refuses_what_is_no_object() -> None:
    assert cut(song_lines, '[{"song_id":"A"},\n7,\n{"song_id":"B"}]') == [
        (1, '{"song_id":"A"}', {"song_id": "A"}, None),
        (2, "7", None, "not_one_object"),
        (3, '{"song_id":"B"}', {"song_id": "B"}, None),
    ]


def test_from_where_a_sequence_breaks_the_rest_is_one_refused_line() -> None:
    assert cut(song_lines, '[{"song_id":"A"},\n{"song_id":oops}\n{"song_id":"C"}]\n') == [
        (1, '{"song_id":"A"}', {"song_id": "A"}, None),
        (2, '{"song_id":oops}\n{"song_id":"C"}]', None, "not_one_object"),
    ]


def test_an_array_that_is_never_closed_gives_one_refused_line() -> None:
    assert cut(song_lines, '[{"song_id":"A"}') == [
        (1, '{"song_id":"A"}', {"song_id": "A"}, None),
        (1, "", None, "not_one_object"),
    ]


def test_a_file_of_white_space_holds_no_line() -> None:
    assert cut(song_lines, " \n\n") == []
    assert cut(text_lines, " \n\n") == []


def test_values_of_a_sequence_may_be_parted_by_any_white_space_but_within_arrays_only_by_that_of_json() -> None:
    assert [row[3] for row in cut(song_lines, "{\n}\v\f{}")] == [None, None]
    assert [row[3] for row in cut(song_lines, "[{},\v{}]")] == [None, "not_one_object"]


def test_one_byte_order_mark_at_the_start_of_a_line_goes_and_another_is_no_json() -> None:
    assert [row[3] for row in cut(song_lines, '{\n\ufeff"year":1}\n\ufeff{}')] == [None, None]
    assert [row[3] for row in cut(song_lines, "\ufeff\ufeff{\n}")] == ["not_one_object"]


def test_a_csv_line_of_white_space_is_no_record() -> None:
    assert [row[0] for row in cut(csv_lines, " \nts,page\n \t\n1,Home\n\ufeff \n")] == [4]


def test_csv_columns_may_stand_in_any_order_and_unknown_ones_are_named() -> None:
    [lines] = csv_lines(Pieces("page,other,ts\nNextSong,x,1\n"), EVENT_FIELDS)
    assert lines.records == {0: Record({"page": "NextSong", "ts": 1}, unknown=("other",))}


def test_a_csv_record_with_a_line_break_in_quotes_is_one_line_and_numbers_go_on_after_it() -> None:
    assert cut(csv_lines, 'ts,song\r\n1,"a ""b""\r\nc"\r\n\r\n2,d\r\n') == [
        (2, '1,"a ""b""\r\nc"', {"ts": 1, "song": 'a "b"\r\nc'}, None),
        (5, "2,d", {"ts": 2, "song": "d"}, None),
    ]


def test_a_csv_record_with_more_or_fewer_cells_than_the_header_is_refused() -> None:
    assert cut(csv_lines, "ts,page\n1\n1,Home,x\n1,Home\n") == [
        (2, "1", None, "wrong_cell_count"),
        (3, "1,Home,x", None, "wrong_cell_count"),
        (4, "1,Home", {"ts": 1, "page": "Home"}, None),
    ]


def test_a_csv_quote_that_is_never_closed_takes_the_rest_of_the_file() -> None:
    assert cut(csv_lines, 'ts,page\n1,Home\n2,"Ho\n3,Home\n') == [
        (2, "1,Home", {"ts": 1, "page": "Home"}, None),
        (3, '2,"Ho\n3,Home', None, "not_csv"),
    ]


def test_after_a_csv_record_with_text_behind_its_quote_the_next_one_counts() -> None:
    assert cut(csv_lines, 'ts,page\n1,"Home"x\n2,Home\n') == [
        (2, '1,"Home"x', None, "not_csv"),
        (3, "2,Home", {"ts": 2, "page": "Home"}, None),
    ]


def test_a_csv_header_that_cannot_be_read_makes_the_file_one_refused_line() -> None:
    assert cut(csv_lines, 'ts,"page"x\n1,Home\n') == [(1, 'ts,"page"x\n1,Home', None, "not_csv")]
