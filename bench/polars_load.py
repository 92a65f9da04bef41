"""Polars reads the same landing zone in one process, makes the same rows, and copies them to PostgreSQL in binary form.

    python -m bench.polars_load LANDING      (WAREHOUSE_URL in the environment; the tables exist, empty, with their keys)

It knows the generator's files only, and a first load only.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polars as pl
from adbc_driver_postgresql import dbapi

from bench.cleaning import BLANKS, EVENT_KEYS, NOT_PLAIN, SONG_KEYS, clean
from spark_jobs.contracts import STAR, Table

_NUMBERS = {
    "ts": pl.Int64, "sessionId": pl.Int64, "itemInSession": pl.Int32, "userId": pl.Int64, "length": pl.Float64, "registration": pl.Float64,
    "duration": pl.Float64, "year": pl.Int32, "artist_latitude": pl.Float64, "artist_longitude": pl.Float64,
}  # fmt: skip
_TRIMMED = " \t\n\v\f\r\u00a0"


def load(landing: Path, url: str) -> None:
    """Make and load the five tables."""
    files = [path for path in landing.rglob("*") if path.is_file()]
    events = _winners(files, "log_data", EVENT_KEYS, ["ts", "userId", "sessionId", "itemInSession"])
    records = _winners(files, "song_data", SONG_KEYS, ["song_id"])
    plays = _songplays(events, records)
    star = {"artists": _artists(records), "songs": _songs(records), "users": _users(events), "time": _time(plays), "songplays": plays}
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        for table in STAR:
            cursor.adbc_ingest(table.name, _rows(star[table.name], table).to_arrow(), mode="append", db_schema_name="dwh")
        connection.commit()


def _winners(files: list[Path], folder: str, keys: tuple[str, ...], identity: list[str]) -> pl.DataFrame:
    """Read files of one kind, clean their texts, and keep the line that wins for each identity."""
    chosen = [path for path in files if folder in path.parts]
    schema = dict.fromkeys(keys, pl.String)
    parts = [pl.scan_ndjson([path for path in chosen if ".csv" not in path.name], schema=schema, include_file_paths="file")]
    csv_files = [path for path in chosen if ".csv" in path.name]
    if csv_files:
        parts.append(pl.scan_csv(csv_files, infer_schema=False, include_file_paths="file").select(*keys, "file"))
    lines = _clean(pl.concat(parts).collect(), keys)
    times = pl.DataFrame({"file": [str(path) for path in chosen], "modified": [path.stat().st_mtime_ns // 1000 for path in chosen]})
    dated = lines.join(times, on="file")
    repeated = dated.select(identity).is_duplicated()
    best_first = dated.filter(repeated).sort("modified", "file", *keys, descending=True, nulls_last=True)
    return pl.concat([dated.filter(~repeated), best_first.unique(identity, keep="first", maintain_order=True)])


def _clean(lines: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Clean the texts, each distinct one that is not plain once, and cast the numbers."""
    columns = []
    for key in keys:
        text = pl.col(key)
        odd = lines.get_column(key).unique().drop_nulls()
        odd = odd.filter(odd.str.contains(NOT_PLAIN))
        if len(odd):
            text = text.replace(odd, pl.Series([clean(value) for value in odd], dtype=pl.String))
        text = text.str.strip_chars(_TRIMMED)
        text = pl.when(text != "").then(text)
        columns.append((text.cast(_NUMBERS[key]) if key in _NUMBERS else text).alias(key))
    return lines.select(*columns, "file")


def _folded(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all(BLANKS, " ").str.to_lowercase()


def _milliseconds(name: str) -> pl.Expr:
    return (pl.col(name) * 1000 + 0.5).floor().cast(pl.Int64)


def _moment(milliseconds: pl.Expr) -> pl.Expr:
    return (milliseconds * 1000).cast(pl.Datetime("us", "UTC"))


def _songs(records: pl.DataFrame) -> pl.DataFrame:
    return records.with_columns(year=pl.when(pl.col("year") != 0).then("year"))


def _artists(records: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("artist_latitude").is_not_null() & pl.col("artist_longitude").is_not_null()
    located = _songs(records).with_columns(
        name="artist_name",
        location="artist_location",
        latitude=pl.when(known).then("artist_latitude"),
        longitude=pl.when(known).then("artist_longitude"),
    )
    best = (pl.col("latitude").is_null(), pl.col("location").is_null(), pl.col("year").fill_null(-1), pl.col("song_id"))
    return located.sort(*best, descending=[False, False, True, False]).unique("artist_id", keep="first", maintain_order=True)


def _users(events: pl.DataFrame) -> pl.DataFrame:
    known = events.filter(pl.col("userId").is_not_null())
    latest = known.filter(pl.col("ts") == pl.col("ts").max().over("userId"))
    latest_first = latest.sort("ts", "sessionId", "itemInSession", descending=True)
    return latest_first.unique("userId", keep="first", maintain_order=True).with_columns(
        user_id="userId",
        first_name="firstName",
        last_name="lastName",
        registered_at=(pl.col("registration") * 1000 + 0.5).floor().cast(pl.Int64).cast(pl.Datetime("us", "UTC")),
        last_seen_at=_moment(pl.col("ts")),
    )


def _songplays(events: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    titled = records.filter(pl.col("title").is_not_null()).sort("song_id")
    keyed = titled.select("song_id", "artist_id", title=_folded("title"), by=_folded("artist_name"), ms=_milliseconds("duration"))
    agent = pl.col("userAgent")
    quoted = (agent.str.len_chars() >= 2) & agent.str.starts_with('"') & agent.str.ends_with('"')
    plays = events.filter(pl.col("page") == "NextSong").with_columns(
        songplay_id=pl.concat_str("ts", "sessionId", "itemInSession", "userId", separator="-"),
        start_time=_moment(pl.col("ts")),
        user_id="userId",
        session_id="sessionId",
        user_agent=pl.when(quoted).then(agent.str.slice(1, agent.str.len_chars() - 2)).otherwise(agent),
        item_in_session="itemInSession",
        song_title="song",
        artist_name="artist",
        title=_folded("song"),
        by=_folded("artist"),
        ms=_milliseconds("length"),
    )
    key = ["title", "by", "ms"]
    return plays.join(keyed.unique(key, keep="first", maintain_order=True), on=key, how="left")


def _time(plays: pl.DataFrame) -> pl.DataFrame:
    at = pl.col("start_time").dt
    parts = {"hour": at.hour(), "day": at.day(), "week": at.week(), "month": at.month(), "year": at.year(), "weekday": at.weekday()}
    return plays.select("start_time").unique().with_columns(**{name: part.cast(pl.Int32) for name, part in parts.items()})


def _rows(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    return rows.select(column.name for column in table.warehouse_columns)


if __name__ == "__main__":
    load(Path(sys.argv[1]), os.environ["WAREHOUSE_URL"])
