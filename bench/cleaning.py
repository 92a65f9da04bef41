"""What the peers know of the generator's files: their keys, and how a text is cleaned."""

from __future__ import annotations

EVENT_KEYS = (
    "ts", "sessionId", "itemInSession", "userId", "page", "level", "song", "artist", "length", "auth", "firstName", "lastName",
    "gender", "location", "method", "status", "registration", "userAgent",
)  # fmt: skip
SONG_KEYS = ("song_id", "title", "artist_id", "artist_name", "duration", "year", "artist_location", "artist_latitude", "artist_longitude")
NOT_PLAIN = "[^ -~]|&"
"""Pattern of the texts that `clean` may change beyond their ends."""
BLANKS = r"[ \t\n\x0b\f\r\x{a0}]+"
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&#39;", "'"), ("&#039;", "'"), ("&amp;", "&"))


def clean(text: str) -> str:
    """Repair mojibake, decode entities, trim."""
    while not text.isascii():
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text.strip(" \t\n\v\f\r\u00a0")
