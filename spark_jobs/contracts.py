"""Every table, declared once: columns, types, nullability, key, partitioning, and a sentence on each.

Spark schemas, Delta tables, staging tables, the data dictionary and the column lists of checks and publish come from here;
`sql/ddl` is proven equal by a test. Imports nothing of Spark, so that Airflow, the gate and `status` can read it cheaply.

Tables that PostgreSQL alone has are in `spark_jobs/warehouse/contracts.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """A column's type; the value is its name in PostgreSQL."""

    TEXT = "text"
    TEXTS = "text[]"
    BIGINT = "bigint"
    INT = "integer"
    DOUBLE = "double precision"
    TIMESTAMP = "timestamp with time zone"
    DATE = "date"
    BOOLEAN = "boolean"
    JSON = "jsonb"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: Its name, the same in Delta and PostgreSQL.
        type: Its type.
        about: What it holds, with units.
        nullable: False where a null is a broken promise.
        collation: PostgreSQL collation, where it is not the database's own.
    """

    name: str
    type: Type
    about: str
    nullable: bool = True
    collation: str | None = None


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: Its name.
        about: What it holds.
        grain: What one row is.
        key: Columns that name a row; unique and not null.
        columns: All columns in order.
        partitioned_by: Delta partition columns; they are not carried to PostgreSQL.
        sources: Lake tables it is derived from (star tables only).
    """

    name: str
    about: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def warehouse_columns(self) -> tuple[Column, ...]:
        """The columns that PostgreSQL holds: all but the Delta partition column of star tables."""
        return tuple(column for column in self.columns if not (self.sources and column.name in self.partitioned_by))


def required(name: str, type_: Type, about: str) -> Column:
    """Declare a column that is never null."""
    return Column(name, type_, about, nullable=False)


_LINEAGE = (
    required("source_file", Type.TEXT, "path of the file, relative to the landing root"),
    required("source_modified_at", Type.TIMESTAMP, "when that file was last modified (microseconds)"),
    required("batch_id", Type.TEXT, "ingest batch that read the file"),
)

_EVENT_VALUES = (
    required("ts", Type.BIGINT, "when it happened, milliseconds since 1970 UTC"),
    required("session_id", Type.BIGINT, "listening session"),
    required("item_in_session", Type.INT, "position in the session, from 0"),
    Column("user_id", Type.BIGINT, "who; null means logged out"),
    required("page", Type.TEXT, "page of the player; `NextSong` is a play"),
    Column("level", Type.TEXT, "`free` or `paid` at that moment"),
    Column("song", Type.TEXT, "title as the player sent it"),
    Column("artist", Type.TEXT, "artist as the player sent it"),
    Column("length", Type.DOUBLE, "length of the song in seconds, finite and > 0"),
    Column("auth", Type.TEXT, "`Logged In`, `Logged Out`, ..."),
    Column("first_name", Type.TEXT, "personal data"),
    Column("last_name", Type.TEXT, "personal data"),
    Column("gender", Type.TEXT, "as the player sent it"),
    Column("location", Type.TEXT, "city and state"),
    Column("method", Type.TEXT, "HTTP method"),
    Column("status", Type.INT, "HTTP status"),
    Column("registration", Type.DOUBLE, "when the user registered, milliseconds since 1970 UTC, 1970 to 2100"),
    Column("user_agent", Type.TEXT, "browser, without quotes wrapped round it"),
)

EVENT_IDENTITY = ("ts", "user_id", "session_id", "item_in_session")
EVENT_VALUES = tuple(column.name for column in _EVENT_VALUES)
"""Order in which two contents of one event are compared; the greater wins."""

EVENTS = Table(
    name="events",
    about="What each event file says now, cleaned.",
    grain="one event in one file",
    key=("source_file", *EVENT_IDENTITY),
    columns=(*_EVENT_VALUES, required("event_date", Type.DATE, "UTC date of ts"), *_LINEAGE),
    partitioned_by=("event_date",),
)

_SONG_VALUES = (
    required("song_id", Type.TEXT, "song, at most 200 characters"),
    Column("title", Type.TEXT, "title; null where the source has a blank one"),
    required("artist_id", Type.TEXT, "artist, at most 200 characters"),
    required("artist_name", Type.TEXT, "the artist's name as this record writes it"),
    required("duration", Type.DOUBLE, "seconds, finite and > 0"),
    Column("year", Type.INT, "year of release; null where the source says 0"),
    Column("artist_location", Type.TEXT, "where the artist comes from"),
    Column("artist_latitude", Type.DOUBLE, "degrees, -90 to 90"),
    Column("artist_longitude", Type.DOUBLE, "degrees, -180 to 180"),
)

SONG_VALUES = tuple(column.name for column in _SONG_VALUES)

CATALOG = Table(
    name="catalog",
    about="What each song file says now, cleaned.",
    grain="one song in one file",
    key=("source_file", "song_id"),
    columns=(*_SONG_VALUES, *_LINEAGE),
)

REJECTS = Table(
    name="rejects",
    about="Every line that was refused, with the reasons.",
    grain="one refused line of one file",
    key=("source_file", "line_number"),
    columns=(
        required("kind", Type.TEXT, "`events` or `songs`"),
        required("line_number", Type.INT, "number of the line in the file where the refused text begins, from 1"),
        required("raw_line", Type.TEXT, "the line as it stands in the file"),
        required("reasons", Type.TEXTS, "every reason that applies"),
        *_LINEAGE,
    ),
)

FILES = Table(
    name="files",
    about="The only record of what was ingested; its commit makes a batch count.",
    grain="one file of the landing zone, as it was last read",
    key=("path",),
    columns=(
        required("path", Type.TEXT, "path relative to the landing root"),
        required("kind", Type.TEXT, "`events` or `songs`"),
        required("status", Type.TEXT, "`loaded` or `unreadable`"),
        Column("cause", Type.TEXT, "why it is unreadable"),
        required("size", Type.BIGINT, "bytes"),
        required("modified_at", Type.TIMESTAMP, "when it was last modified (microseconds)"),
        required("lines", Type.BIGINT, "lines read = accepted + repeated + rejected"),
        required("accepted", Type.BIGINT, "lines that became rows"),
        required("repeated", Type.BIGINT, "valid lines whose identity came before in the same file"),
        required("rejected", Type.BIGINT, "lines refused with a reason"),
        required("batch_id", Type.TEXT, "ingest batch that read this version"),
        required("ingested_at", Type.TIMESTAMP, "when that batch began"),
        Column("unknown_keys", Type.TEXTS, "keys of its lines that no column is made from, the first 20 by name"),
    ),
)

_START_DATE = required("start_date", Type.DATE, "UTC date of start_time")

SONGPLAYS = Table(
    name="songplays",
    about="Every play of a song.",
    grain="one event with page `NextSong`",
    key=("songplay_id",),
    columns=(
        Column("songplay_id", Type.TEXT, "`{ts}-{session_id}-{item_in_session}-{user_id}`: stable, readable, time-ordered", False, "C"),
        required("start_time", Type.TIMESTAMP, "when the play began (UTC, milliseconds)"),
        required("user_id", Type.BIGINT, "who listened"),
        required("level", Type.TEXT, "the user's level at that moment, `free` or `paid`"),
        Column("song_id", Type.TEXT, "the song, where the catalogue has it"),
        Column("artist_id", Type.TEXT, "the artist of that song"),
        required("session_id", Type.BIGINT, "listening session"),
        Column("location", Type.TEXT, "where the user was"),
        Column("user_agent", Type.TEXT, "browser"),
        required("item_in_session", Type.INT, "position in the session"),
        required("song_title", Type.TEXT, "title as played, also where no song matches"),
        required("artist_name", Type.TEXT, "artist as played, also where no song matches"),
        Column("length", Type.DOUBLE, "seconds"),
        _START_DATE,
    ),
    partitioned_by=("start_date",),
    sources=("events", "catalog"),
)

USERS = Table(
    name="users",
    about="Everyone with an event, as their latest event says.",
    grain="one user",
    key=("user_id",),
    columns=(
        required("user_id", Type.BIGINT, "user"),
        Column("first_name", Type.TEXT, "personal data"),
        Column("last_name", Type.TEXT, "personal data"),
        Column("gender", Type.TEXT, "as the player sent it"),
        Column("level", Type.TEXT, "`free` or `paid` at the latest event"),
        Column("registered_at", Type.TIMESTAMP, "when they registered"),
        required("last_seen_at", Type.TIMESTAMP, "time of the latest event"),
    ),
    sources=("events",),
)

SONGS = Table(
    name="songs",
    about="The catalogue's songs.",
    grain="one song",
    key=("song_id",),
    columns=(
        required("song_id", Type.TEXT, "song"),
        Column("title", Type.TEXT, "title; null where the source has a blank one"),
        required("artist_id", Type.TEXT, "artist"),
        Column("year", Type.INT, "year of release; null where unknown"),
        required("duration", Type.DOUBLE, "seconds"),
    ),
    sources=("catalog",),
)

ARTISTS = Table(
    name="artists",
    about="The catalogue's artists, each taken whole from one song record.",
    grain="one artist",
    key=("artist_id",),
    columns=(
        required("artist_id", Type.TEXT, "artist"),
        required("name", Type.TEXT, "name"),
        Column("location", Type.TEXT, "where the artist comes from"),
        Column("latitude", Type.DOUBLE, "degrees"),
        Column("longitude", Type.DOUBLE, "degrees"),
    ),
    sources=("catalog",),
)

TIME = Table(
    name="time",
    about="The moments at which plays began, taken apart (UTC).",
    grain="one distinct start_time of songplays (millisecond)",
    key=("start_time",),
    columns=(
        required("start_time", Type.TIMESTAMP, "the moment"),
        required("hour", Type.INT, "0 to 23"),
        required("day", Type.INT, "day of the month"),
        required("week", Type.INT, "ISO week, 1 to 53"),
        required("month", Type.INT, "1 to 12"),
        required("year", Type.INT, "calendar year"),
        required("weekday", Type.INT, "ISO weekday, 1 = Monday"),
        _START_DATE,
    ),
    partitioned_by=("start_date",),
    sources=("events",),
)

LAKE = (EVENTS, CATALOG, REJECTS, FILES)
STAR = (ARTISTS, SONGS, USERS, TIME, SONGPLAYS)
"""In the order publish applies upserts: what is referred to comes before what refers."""

STAGED = (*STAR, FILES)
"""Tables that load_postgres carries to `staging`."""

DELETED = required("deleted", Type.BOOLEAN, "true: the key goes; false: the row is as here")
"""Column that staging tables have besides those of their table."""
