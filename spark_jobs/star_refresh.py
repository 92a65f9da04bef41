"""Bring the star tables up to date with the lake: what changed since each table's bookmark is derived anew, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial, reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.contracts import ARTISTS, EVENT_IDENTITY, SONGPLAYS, SONGS, STAR, TIME, USERS, Table
from spark_jobs.lake import log, snapshot
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.log import Position, Positions
from spark_jobs.lake.tables import Lake, is_one_of, told_errors
from spark_jobs.locations import Location
from spark_jobs.pause import pause_at
from spark_jobs.session import side_by_side
from spark_jobs.star.artists import artists
from spark_jobs.star.songplays import events_of, matched, plays_of, songplays
from spark_jobs.star.songs import songs
from spark_jobs.star.time import time
from spark_jobs.star.users import users
from spark_jobs.star.winners import winning_events, winning_songs
from spark_jobs.star_changes import Affected, Changes, affected_events

_LONGEST_FIRST = ((SONGPLAYS, TIME), (ARTISTS,), (SONGS,), (USERS,))
"""What is worked on side by side; time is derived from songplays, so after it."""


def refresh_star(lake: Location, spark: Callable[[], SparkSession]) -> list[str]:
    """Bring every star table up to date; the caller holds the lake's lock.

    Args:
        lake: The lake's folder.
        spark: Starts the session; called only if a table is behind.

    Returns:
        Names of the tables that were written.

    Raises:
        InputMissing: There is no lake yet.
        LakeChanged: The lake was changed behind Songlake's back, or a file of it is missing.
        LockHeld: Another run wrote a table at the same time.
    """
    stale = snapshot.stale_star_tables(lake)
    if not stale:
        return []
    create_missing(lake)
    counted = snapshot.require_counted(lake)
    bookmarks = {table.name: log.bookmark(lake, table) for table in stale}
    session = spark()
    events_since = _events_since(Lake(session, lake), bookmarks.values(), counted)

    def refresh(table: Table, session: SparkSession) -> None:
        bookmark = bookmarks[table.name]
        with told_errors(f"star table {table.name} or of its sources"):
            _REFRESH[table.name](Changes(Lake(session, lake), bookmark, counted, events_since[bookmark.get("events")]), table)
        pause_at(table.name)

    def refresh_all(tables: Sequence[Table], session: SparkSession) -> None:
        for table in tables:
            refresh(table, session)

    works = [[table for table in tables if table in stale] for tables in _LONGEST_FIRST]
    side_by_side(session, [partial(refresh_all, tables) for tables in works if tables])
    return [table.name for table in stale]


def _events_since(lake: Lake, bookmarks: Iterable[Positions], counted: Positions) -> dict[Position | None, Affected | None]:
    """Tell which events each bookmark has not seen; tables that one run wrote have one bookmark, so it is asked once for all."""
    with told_errors("lake table events"):
        return {after: affected_events(lake, after, counted["events"]) for after in {bookmark.get("events") for bookmark in bookmarks}}


def _refresh_songs(changes: Changes, table: Table) -> None:
    records = changes.records_of_changed_songs()
    derived = songs(winning_songs(changes.catalog()))
    _merge(changes, table, derived, None if records is None else records.select("song_id").distinct())


def _refresh_artists(changes: Changes, table: Table) -> None:
    records = changes.records_of_changed_songs()
    derived = artists(winning_songs(changes.catalog()))
    _merge(changes, table, derived, None if records is None else records.select("artist_id").distinct())


def _merge(changes: Changes, table: Table, derived: DataFrame, affected: DataFrame | None, dates: Sequence[date] | None = None) -> None:
    """Merge the derived rows of the affected keys (None: of all keys, also those the table holds and should not).

    Rows of a table by date are looked for in the dates given alone.
    """
    lake, recorded = changes.lake, changes.bookmark_of(table)
    if affected is None:
        if log.is_untouched(lake.path, table):
            lake.append(table, derived, recorded)
            return
        affected = derived.select(*table.key).unionByName(lake.read(table).select(*table.key)).distinct()
    # The flag comes from a column of the derived side, so that a key without a derived row is told from one with.
    rows = affected.join(derived.withColumn("derived", F.lit(True)), list(table.key), "left")
    rows = rows.withColumn("deleted", F.col("derived").isNull()).drop("derived")
    lake.merge(table, rows, recorded, within=None if dates is None else is_one_of("held.start_date", dates))


def _refresh_songplays(changes: Changes, table: Table) -> None:
    events, plays, recorded = changes.affected_events, changes.affected_plays, changes.bookmark_of(table)

    def derive(events: DataFrame) -> DataFrame:
        return songplays(winning_events(events), winning_songs(changes.catalog()))

    if events is None or plays is None:
        _replace_all(changes, table, derive(changes.events()))
        return
    dates = sorted({*events.dates, *plays.dates})
    if not dates:
        changes.lake.record(table, recorded)
    elif events.rows is None or plays.rows is None:
        changes.lake.replace_dates(table, derive(changes.events_of(dates)), dates, recorded)
    elif not events.dates:
        _match_again(changes, table, plays)
    else:
        given = changes.frame(events.rows)
        if plays.dates:
            given = given.unionByName(events_of(changes.frame(plays.rows)))
        of_dates = changes.events_of(dates)
        same = reduce(Column.__and__, (of_dates[name].eqNullSafe(given[name]) for name in EVENT_IDENTITY))
        _merge(changes, table, derive(of_dates.join(F.broadcast(given), same, "left_semi")), plays_of(given), dates)


def _match_again(changes: Changes, table: Table, plays: Affected) -> None:
    """Match plays with the catalogue as it is now; their events did not change and are not read."""
    rows = matched(changes.frame(plays.rows), winning_songs(changes.catalog())).withColumn("deleted", F.lit(False))
    changes.lake.merge(table, rows, changes.bookmark_of(table), within=is_one_of("held.start_date", plays.dates))


def _refresh_time(changes: Changes, table: Table) -> None:
    """Derive the moments of plays; songplays has taken in the same events before."""
    affected, plays = changes.affected_events, changes.lake.read(SONGPLAYS)
    if affected is None:
        _replace_all(changes, table, time(plays))
        return
    if not affected.dates:
        changes.lake.record(table, changes.bookmark_of(table))
        return
    plays = plays.where(is_one_of("start_date", affected.dates))
    if affected.rows is None:
        changes.lake.replace_dates(table, time(plays), affected.dates, changes.bookmark_of(table))
    else:
        moments = changes.frame(affected.rows).select(F.timestamp_millis("ts").alias("start_time")).distinct()
        _merge(changes, table, time(plays.join(moments, "start_time", "left_semi")), moments, affected.dates)


def _replace_all(changes: Changes, table: Table, derived: DataFrame) -> None:
    """Put what was derived from everything in the place of what was there."""
    if log.is_untouched(changes.lake.path, table):
        changes.lake.append(table, derived, changes.bookmark_of(table))
    else:
        changes.lake.replace(table, derived, changes.bookmark_of(table))


def _refresh_users(changes: Changes, table: Table) -> None:
    affected = changes.affected_events
    if affected is None:
        _merge(changes, table, users(changes.events()), None)
    elif affected.dates:
        _merge_users(changes, table, affected)
    else:
        changes.lake.record(table, changes.bookmark_of(table))


def _merge_users(changes: Changes, table: Table, affected: Affected) -> None:
    """Take candidates from the affected dates alone; look up in all of history only who may have lost their latest event.

    A user's row that came from a date not affected still is their latest event of all such dates, so it and the candidate decide. One that
    came from an affected date is gone if no candidate is as late, and then only history can tell who comes next.
    """
    events = changes.events_of(affected.dates)
    held = changes.lake.read(table).select("user_id", F.col("last_seen_at").alias("held_at"))
    if affected.rows is not None:
        seen = changes.frame(affected.rows.group_by("user_id").aggregate([]))
        events, held = events.join(seen, "user_id", "left_semi"), held.join(seen, "user_id", "left_semi")
    both = users(events).join(held, "user_id", "full_outer")
    from_affected = is_one_of("to_date(held_at)", affected.dates)
    lost = both.where(f"{from_affected} AND (last_seen_at IS NULL OR last_seen_at < held_at)").select("user_id")
    advanced = both.where("held_at IS NULL OR last_seen_at >= held_at").select(*table.column_names)
    derived, gained = advanced, advanced.select("user_id")
    if not lost.isEmpty():
        looked_up = users(changes.events().join(lost, "user_id", "left_semi"))
        derived = advanced.unionByName(looked_up)
        gained = gained.unionByName(lost)
    _merge(changes, table, derived, gained)


_REFRESH: dict[str, Callable[[Changes, Table], None]] = {
    SONGS.name: _refresh_songs,
    ARTISTS.name: _refresh_artists,
    SONGPLAYS.name: _refresh_songplays,
    TIME.name: _refresh_time,
    USERS.name: _refresh_users,
}

assert set(_REFRESH) == {table.name for table in STAR}  # noqa: S101 - a table without a way to refresh it is a bug of this module
