"""Why a line is refused: the name stands in the lake, the sentence is what an analyst reads."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A reason for refusing a line; `Reason.sentence` explains it. Details: docs/adr/0006-input-rules-in-detail.md."""

    sentence: str

    def __new__(cls, name: str, sentence: str) -> Reason:
        """Keep the sentence beside the name."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.sentence = sentence
        return member

    NOT_ONE_OBJECT = "not_one_object", "the line is not JSON, or not exactly one JSON object"
    NOT_CSV = "not_csv", "the record is not CSV: its quotes do not fit"
    LINE_TOO_LONG = "line_too_long", "the line has more than 262,144 characters; the first 10,000 are kept"
    WRONG_CELL_COUNT = "wrong_cell_count", "the record has more or fewer cells than the header"
    TS_INVALID = "ts_invalid", "ts is missing, not whole, or outside 2000 to 2100"
    SESSION_ID_INVALID = "session_id_invalid", "sessionId is missing, negative, too large or not a whole number"
    ITEM_IN_SESSION_INVALID = "item_in_session_invalid", "itemInSession is missing, negative, too large or not a whole number"
    USER_ID_INVALID = "user_id_invalid", "userId is not a whole number from 0 on"
    NUMBER_INVALID = "number_invalid", "a number field holds something that is not such a number"
    TEXT_INVALID = "text_invalid", "a text field holds an object or an array"
    LEVEL_INVALID = "level_invalid", "level is neither free nor paid"
    PAGE_MISSING = "page_missing", "page is missing"
    PLAY_WITHOUT_USER = "play_without_user", "a NextSong names no user"
    PLAY_WITHOUT_LEVEL = "play_without_level", "a NextSong names no level"
    PLAY_WITHOUT_SONG = "play_without_song", "a NextSong names no song"
    PLAY_WITHOUT_ARTIST = "play_without_artist", "a NextSong names no artist"
    SONG_ID_MISSING = "song_id_missing", "song_id is missing"
    SONG_ID_TOO_LONG = "song_id_too_long", "song_id has more than 200 characters"
    ARTIST_ID_MISSING = "artist_id_missing", "artist_id is missing"
    ARTIST_ID_TOO_LONG = "artist_id_too_long", "artist_id has more than 200 characters"
    ARTIST_NAME_MISSING = "artist_name_missing", "artist_name is missing"
    DURATION_INVALID = "duration_invalid", "duration is missing, not a number, or not finite and greater than 0"


SENTENCES = {reason.value: reason.sentence for reason in Reason}
"""What each reason means, by its name."""
