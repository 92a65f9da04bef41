"""The fields of event and song lines: column name to JSON key."""

from __future__ import annotations

from spark_jobs.landing.text import Fields

EVENT_FIELDS = Fields(
    texts={
        "page": "page",
        "level": "level",
        "song": "song",
        "artist": "artist",
        "auth": "auth",
        "first_name": "firstName",
        "last_name": "lastName",
        "gender": "gender",
        "location": "location",
        "method": "method",
        "user_agent": "userAgent",
    },
    wholes={"ts": "ts", "session_id": "sessionId", "item_in_session": "itemInSession", "user_id": "userId", "status": "status"},
    doubles={"length": "length", "registration": "registration"},
    quoted=("userAgent",),
)

SONG_FIELDS = Fields(
    texts={name: name for name in ("song_id", "title", "artist_id", "artist_name", "artist_location")},
    wholes={"year": "year"},
    doubles={name: name for name in ("duration", "artist_latitude", "artist_longitude")},
    ignored=("num_songs",),
)

FIELDS = {"events": EVENT_FIELDS, "songs": SONG_FIELDS}
"""By kind of file."""
