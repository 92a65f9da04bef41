"""What a trace tells of cleaning: every difference between what stands in the file and what the lake holds, and no other."""

from __future__ import annotations

from spark_jobs.landing.fields import EVENT_FIELDS
from spark_jobs.trace.cleaning import changes

NUMBER_AS_TEXT = "a number or a boolean is taken as its text"
HELD = dict.fromkeys(EVENT_FIELDS.by_column) | {"artist": "50", "song": "true", "length": 1.5, "session_id": 1}


def test_a_number_where_text_belongs_is_told_as_a_boolean_is_and_numbers_as_they_were_are_not() -> None:
    found = changes('{"artist": 50, "song": true, "length": 1.5, "sessionId": 1}', None, HELD, EVENT_FIELDS)
    assert {change.column: (change.raw, change.cleaned, change.how) for change in found} == {
        "artist": ("50", "50", NUMBER_AS_TEXT),
        "song": ("true", "true", NUMBER_AS_TEXT),
    }


def test_cells_of_csv_are_texts_where_text_belongs_and_numbers_where_a_number_belongs() -> None:
    assert changes("50,true,1.5,1", ["artist", "song", "length", "sessionId"], HELD, EVENT_FIELDS) == []
