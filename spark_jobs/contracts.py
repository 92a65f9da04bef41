"""Every table, declared once: columns, types, nullability, key, partitioning, and a sentence on each.

Spark schemas, Delta tables, staging tables, the data dictionary and the column lists of checks and publish come from here;
`sql/ddl` is proven equal by a test. Imports nothing of Spark, so that Airflow, the gate and `status` can read it cheaply.
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


def _required(name: str, type_: Type, about: str) -> Column:
    return Column(name, type_, about, nullable=False)


_LINEAGE = (
    _required("source_file", Type.TEXT, "path of the file, relative to the landing root"),
    _required("source_modified_at", Type.TIMESTAMP, "when that file was last modified (microseconds)"),
    _required("batch_id", Type.TEXT, "ingest batch that read the file"),
)

_EVENT_VALUES = (
    _required("ts", Type.BIGINT, "when it happened, milliseconds since 1970 UTC"),
    _required("session_id", Type.BIGINT, "listening session"),
    _required("item_in_session", Type.INT, "position in the session, from 0"),
    Column("user_id", Type.BIGINT, "who; null means logged out"),
    _required("page", Type.TEXT, "page of the player; `NextSong` is a play"),
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
    columns=(*_EVENT_VALUES, _required("event_date", Type.DATE, "UTC date of ts"), *_LINEAGE),
    partitioned_by=("event_date",),
)

_SONG_VALUES = (
    _required("song_id", Type.TEXT, "song, at most 200 characters"),
    Column("title", Type.TEXT, "title; null where the source has a blank one"),
    _required("artist_id", Type.TEXT, "artist, at most 200 characters"),
    _required("artist_name", Type.TEXT, "the artist's name as this record writes it"),
    _required("duration", Type.DOUBLE, "seconds, finite and > 0"),
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
        _required("kind", Type.TEXT, "`events` or `songs`"),
        _required("line_number", Type.INT, "number of the line in the file where the refused text begins, from 1"),
        _required("raw_line", Type.TEXT, "the line as it stands in the file"),
        _required("reasons", Type.TEXTS, "every reason that applies"),
        *_LINEAGE,
    ),
)

FILES = Table(
    name="files",
    about="The only record of what was ingested; its commit makes a batch count.",
    grain="one file of the landing zone, as it was last read",
    key=("path",),
    columns=(
        _required("path", Type.TEXT, "path relative to the landing root"),
        _required("kind", Type.TEXT, "`events` or `songs`"),
        _required("status", Type.TEXT, "`loaded` or `unreadable`"),
        Column("cause", Type.TEXT, "why it is unreadable"),
        _required("size", Type.BIGINT, "bytes"),
        _required("modified_at", Type.TIMESTAMP, "when it was last modified (microseconds)"),
        _required("lines", Type.BIGINT, "lines read = accepted + repeated + rejected"),
        _required("accepted", Type.BIGINT, "lines that became rows"),
        _required("repeated", Type.BIGINT, "valid lines whose identity came before in the same file"),
        _required("rejected", Type.BIGINT, "lines refused with a reason"),
        _required("batch_id", Type.TEXT, "ingest batch that read this version"),
        _required("ingested_at", Type.TIMESTAMP, "when that batch began"),
        Column("unknown_keys", Type.TEXTS, "keys of its lines that no column is made from, the first 20 by name"),
    ),
)

_START_DATE = _required("start_date", Type.DATE, "UTC date of start_time")

SONGPLAYS = Table(
    name="songplays",
    about="Every play of a song.",
    grain="one event with page `NextSong`",
    key=("songplay_id",),
    columns=(
        Column("songplay_id", Type.TEXT, "`{ts}-{session_id}-{item_in_session}-{user_id}`: stable, readable, time-ordered", False, "C"),
        _required("start_time", Type.TIMESTAMP, "when the play began (UTC, milliseconds)"),
        _required("user_id", Type.BIGINT, "who listened"),
        _required("level", Type.TEXT, "the user's level at that moment, `free` or `paid`"),
        Column("song_id", Type.TEXT, "the song, where the catalogue has it"),
        Column("artist_id", Type.TEXT, "the artist of that song"),
        _required("session_id", Type.BIGINT, "listening session"),
        Column("location", Type.TEXT, "where the user was"),
        Column("user_agent", Type.TEXT, "browser"),
        _required("item_in_session", Type.INT, "position in the session"),
        _required("song_title", Type.TEXT, "title as played, also where no song matches"),
        _required("artist_name", Type.TEXT, "artist as played, also where no song matches"),
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
        _required("user_id", Type.BIGINT, "user"),
        Column("first_name", Type.TEXT, "personal data"),
        Column("last_name", Type.TEXT, "personal data"),
        Column("gender", Type.TEXT, "as the player sent it"),
        Column("level", Type.TEXT, "`free` or `paid` at the latest event"),
        Column("registered_at", Type.TIMESTAMP, "when they registered"),
        _required("last_seen_at", Type.TIMESTAMP, "time of the latest event"),
    ),
    sources=("events",),
)

SONGS = Table(
    name="songs",
    about="The catalogue's songs.",
    grain="one song",
    key=("song_id",),
    columns=(
        _required("song_id", Type.TEXT, "song"),
        Column("title", Type.TEXT, "title; null where the source has a blank one"),
        _required("artist_id", Type.TEXT, "artist"),
        Column("year", Type.INT, "year of release; null where unknown"),
        _required("duration", Type.DOUBLE, "seconds"),
    ),
    sources=("catalog",),
)

ARTISTS = Table(
    name="artists",
    about="The catalogue's artists, each taken whole from one song record.",
    grain="one artist",
    key=("artist_id",),
    columns=(
        _required("artist_id", Type.TEXT, "artist"),
        _required("name", Type.TEXT, "name"),
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
        _required("start_time", Type.TIMESTAMP, "the moment"),
        _required("hour", Type.INT, "0 to 23"),
        _required("day", Type.INT, "day of the month"),
        _required("week", Type.INT, "ISO week, 1 to 53"),
        _required("month", Type.INT, "1 to 12"),
        _required("year", Type.INT, "calendar year"),
        _required("weekday", Type.INT, "ISO weekday, 1 = Monday"),
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

DELETED = _required("deleted", Type.BOOLEAN, "true: the key goes; false: the row is as here")
"""Column that staging tables have besides those of their table."""

KEPT_PLAY_RUNS = Table(
    name="kept_play_runs",
    about="What the view play_runs answers from over many plays; empty while it computes them.",
    grain="one run of plays of one user in the same UTC hour, session and level",
    key=("started_at", "user_id", "session_id", "item_in_session"),
    columns=(
        _required("started_at", Type.TIMESTAMP, "when the first play began"),
        _required("user_id", Type.BIGINT, "who listened"),
        _required("session_id", Type.BIGINT, "listening session"),
        _required("item_in_session", Type.INT, "position of the first play in the session"),
        _required("level", Type.TEXT, "level of the plays"),
        _required("ended_at", Type.TIMESTAMP, "the latest that one of the plays ended if heard out"),
        _required("plays", Type.BIGINT, "plays, at least 1"),
        _required("milliseconds", Type.BIGINT, "lengths of the plays, each to the millisecond; more than a day counts a day"),
    ),
)

KEPT_SONG_MONTHS = Table(
    name="kept_song_months",
    about="What the view song_months answers from over many plays; empty while it computes them.",
    grain="plays in one UTC month at one level with the same title, artist name and length, matched to the same song or to none",
    key=("month", "level", "digest"),
    columns=(
        _required("month", Type.DATE, "first day of the UTC month"),
        _required("level", Type.TEXT, "level of the plays"),
        _required("digest", Type.TEXT, "SHA-256 of the five columns that follow, in their place in the key"),
        _required("song_title", Type.TEXT, "title as played"),
        _required("artist_name", Type.TEXT, "artist as played"),
        Column("length", Type.DOUBLE, "seconds"),
        Column("song_id", Type.TEXT, "the song, where the catalogue has it"),
        Column("artist_id", Type.TEXT, "the artist of that song"),
        _required("plays", Type.BIGINT, "plays, at least 1"),
    ),
)

MARTS = (KEPT_PLAY_RUNS, KEPT_SONG_MONTHS)
"""Tables of the schema `dwh` that publish derives from songplays; PostgreSQL only."""

BATCHES = Table(
    name="batches",
    about="Every load that was staged completely, and what became of it.",
    grain="one load of the warehouse",
    key=("batch_id",),
    columns=(
        _required("batch_id", Type.TEXT, "the load"),
        _required("status", Type.TEXT, "`staged`, `checked`, `rejected` or `published`"),
        _required("started_at", Type.TIMESTAMP, "when staging was emptied for it"),
        _required("staged_at", Type.TIMESTAMP, "when all its rows stood in staging"),
        Column("checked_at", Type.TIMESTAMP, "when the gate last judged it"),
        Column("published_at", Type.TIMESTAMP, "when it went live"),
        _required("base", Type.JSON, "what ops.published said when it was staged: {table: {table_id, version}}"),
        _required("target", Type.JSON, "what ops.published says once it is live: {table: {table_id, version}}"),
        _required("expected", Type.JSON, "rows that Spark wrote to staging: {table: count}"),
        Column("changes", Type.JSON, "what publish did: {table: {before, after, inserted, updated, deleted}}"),
    ),
)

STAGED_BATCH = Table(
    name="staged",
    about="The load whose rows stand in staging; no row when there is none, never two.",
    grain="the warehouse",
    key=("batch_id",),
    columns=(
        _required("batch_id", Type.TEXT, "the load; ops.batches knows it once it is complete"),
        _required("started_at", Type.TIMESTAMP, "when staging was emptied for it"),
    ),
)

PUBLISHED = Table(
    name="published",
    about="How far each table has come: the state of the lake that the live rows equal.",
    grain="one live table",
    key=("table_name",),
    columns=(
        _required("table_name", Type.TEXT, "the table"),
        _required("delta_table_id", Type.TEXT, "id of the Delta table it was loaded from"),
        _required("delta_version", Type.BIGINT, "version of that table"),
        _required("batch_id", Type.TEXT, "load that brought it there"),
        _required("row_count", Type.BIGINT, "rows that are live, kept by publish"),
        _required("delta_written_at", Type.BIGINT, "when that version was committed, milliseconds since 1970"),
    ),
)

CHECK_RESULTS = Table(
    name="check_results",
    about="What the gate found, the latest answer of each check about each load.",
    grain="one check of one load",
    key=("batch_id", "check_name"),
    columns=(
        _required("batch_id", Type.TEXT, "the load"),
        _required("check_name", Type.TEXT, "the check: its file in sql/checks without .sql"),
        _required("severity", Type.TEXT, "`fail` keeps the load out, `warn` tells"),
        _required("passed", Type.BOOLEAN, "true where nothing was found"),
        _required("violations", Type.BIGINT, "how many things were found"),
        Column("detail", Type.TEXT, "the first of them, without personal data"),
        _required("checked_at", Type.TIMESTAMP, "when it was asked"),
    ),
)

ACCEPTANCES = Table(
    name="acceptances",
    about="Failed checks that a person overruled.",
    grain="one overruled check of one load",
    key=("batch_id", "check_name"),
    columns=(
        _required("batch_id", Type.TEXT, "the load"),
        _required("check_name", Type.TEXT, "the check"),
        _required("reason", Type.TEXT, "why, in that person's words"),
        _required("accepted_by", Type.TEXT, "who"),
        _required("accepted_at", Type.TIMESTAMP, "when"),
    ),
)

SCHEMA_VERSION = Table(
    name="schema_version",
    about="The version of this schema; one row.",
    grain="the warehouse",
    key=("version",),
    columns=(_required("version", Type.INT, "counts up with every change of sql/ddl, sql/views"),),
)

OPS = (BATCHES, STAGED_BATCH, PUBLISHED, CHECK_RESULTS, ACCEPTANCES, SCHEMA_VERSION)
"""Tables of the schema `ops` besides FILES, which lake and warehouse share; PostgreSQL only."""
