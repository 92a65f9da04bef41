"""Bring the star tables up to date with the lake: what changed since each table's bookmark is derived anew, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.contracts import ARTISTS, CATALOG, EVENTS, SONGPLAYS, SONGS, STAR, TIME, USERS, Table
from spark_jobs.lake import log, snapshot
from spark_jobs.lake.log import Positions
from spark_jobs.lake.tables import Lake, is_one_of, recorded_sources, told_errors
from spark_jobs.locations import Location
from spark_jobs.pause import pause_at
from spark_jobs.session import side_by_side
from spark_jobs.star.artists import artists
from spark_jobs.star.songplays import dates_of_plays, match_keys_of_songs, songplays
from spark_jobs.star.songs import songs
from spark_jobs.star.time import time
from spark_jobs.star.users import users
from spark_jobs.star.winners import winning_events, winning_songs

_LONGEST_FIRST = (SONGPLAYS, ARTISTS, SONGS, USERS, TIME)


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
    log.create_missing(lake)
    counted = snapshot.require_counted(lake)

    def refresh(table: Table, session: SparkSession) -> None:
        with told_errors(f"star table {table.name} or of its sources"):
            _REFRESH[table.name](_Changes(Lake(session, lake), log.bookmark(lake, table), counted), table)
        pause_at(table.name)

    side_by_side(spark(), [partial(refresh, table) for table in sorted(stale, key=_LONGEST_FIRST.index)])
    return [table.name for table in stale]


@dataclass
class _Changes:
    """What changed in the lake since a bookmark. `None` for a set means: cannot be told, take everything."""

    lake: Lake
    bookmark: Positions
    counted: Positions

    def events(self) -> DataFrame:
        return self.lake.read(EVENTS, self.counted["events"])

    def catalog(self) -> DataFrame:
        return self.lake.read(CATALOG, self.counted["catalog"])

    @cached_property
    def event_dates(self) -> list[date] | None:
        """Dates that gained, lost or changed events; as many as there are days, so they come to the driver."""
        changes = self.lake.changes(EVENTS, self.bookmark.get("events"), self.counted["events"])
        return None if changes is None else sorted(row.event_date for row in changes.select("event_date").distinct().collect())

    @cached_property
    def catalog_changes(self) -> DataFrame | None:
        """Images, old and new, of song records that came, went or changed."""
        return self.lake.changes(CATALOG, self.bookmark.get("catalog"), self.counted["catalog"])

    def records_of_changed_songs(self) -> DataFrame | None:
        """Every record, of any file, of the songs that changed, and the images they had."""
        if self.catalog_changes is None:
            return None
        images = self.catalog_changes.select(*CATALOG.column_names)
        held = self.catalog().join(images.select("song_id").distinct(), "song_id", "left_semi").select(*CATALOG.column_names)
        return images.unionByName(held)

    @cached_property
    def play_dates(self) -> list[date] | None:
        """Dates whose songplays must be derived anew: changed events, or plays that match a song that changed."""
        records = self.records_of_changed_songs()
        if self.event_dates is None or records is None:
            return None
        if self.bookmark.get("catalog") == self.counted["catalog"]:
            return self.event_dates
        matched = dates_of_plays(self.lake.read(SONGPLAYS), match_keys_of_songs(records)).collect()
        return sorted({*self.event_dates, *(row.start_date for row in matched)})

    def bookmark_of(self, table: Table) -> dict[str, object]:
        return recorded_sources(table.sources, self.counted)


def _refresh_songs(changes: _Changes, table: Table) -> None:
    records = changes.records_of_changed_songs()
    derived = songs(winning_songs(changes.catalog()))
    _merge(changes, table, derived, None if records is None else records.select("song_id").distinct())


def _refresh_artists(changes: _Changes, table: Table) -> None:
    records = changes.records_of_changed_songs()
    derived = artists(winning_songs(changes.catalog()))
    _merge(changes, table, derived, None if records is None else records.select("artist_id").distinct())


def _merge(changes: _Changes, table: Table, derived: DataFrame, affected: DataFrame | None) -> None:
    """Merge the derived rows of the affected keys (None: of all keys, also those the table holds and should not)."""
    lake, recorded = changes.lake, changes.bookmark_of(table)
    held = lake.read(table)
    if affected is None:
        if log.is_untouched(lake.path, table):
            lake.append(table, derived, recorded)
            return
        affected = derived.select(*table.key).unionByName(held.select(*table.key)).distinct()
    # The flag comes from a column of the derived side, so that a key without a derived row is told from one with.
    rows = affected.join(derived.withColumn("derived", F.lit(True)), list(table.key), "left")
    lake.merge(table, rows.withColumn("deleted", F.col("derived").isNull()).drop("derived"), recorded)


def _refresh_songplays(changes: _Changes, table: Table) -> None:
    _replace_dates(changes, table, changes.play_dates, lambda events: songplays(events, winning_songs(changes.catalog())))


def _refresh_time(changes: _Changes, table: Table) -> None:
    _replace_dates(changes, table, changes.event_dates, time)


def _replace_dates(changes: _Changes, table: Table, dates: list[date] | None, derive: Callable[[DataFrame], DataFrame]) -> None:
    """Derive whole dates anew and put them in the place of what was there (None: all dates)."""
    lake, recorded = changes.lake, changes.bookmark_of(table)
    if dates is None:
        derived = derive(winning_events(changes.events()))
        if log.is_untouched(lake.path, table):
            lake.append(table, derived, recorded)
        else:
            lake.replace(table, derived, recorded)
    elif dates:
        events = changes.events().where(is_one_of("event_date", dates))
        lake.replace(table, derive(winning_events(events)), recorded, where=is_one_of("start_date", dates))
    else:
        lake.record(table, recorded)


def _refresh_users(changes: _Changes, table: Table) -> None:
    dates = changes.event_dates
    if dates is None:
        _merge(changes, table, users(changes.events()), None)
    elif dates:
        _merge_users(changes, table, dates)
    else:
        changes.lake.record(table, changes.bookmark_of(table))


def _merge_users(changes: _Changes, table: Table, dates: list[date]) -> None:
    """Take candidates from the affected dates alone; look up in all of history only who may have lost their latest event.

    A user's row that came from a date not affected still is their latest event of all such dates, so it and the candidate decide. One that
    came from an affected date is gone if no candidate is as late, and then only history can tell who comes next.
    """
    candidates = users(changes.events().where(is_one_of("event_date", dates)))
    held = changes.lake.read(table).select("user_id", F.col("last_seen_at").alias("held_at"))
    from_affected = is_one_of("to_date(held_at)", dates)
    both = candidates.join(held, "user_id", "full_outer")
    lost = both.where(f"{from_affected} AND (last_seen_at IS NULL OR last_seen_at < held_at)").select("user_id")
    lost_ids = [row.user_id for row in lost.collect()]
    advanced = both.where("held_at IS NULL OR last_seen_at >= held_at").select(*table.column_names)
    derived, affected = advanced, advanced.select("user_id")
    if lost_ids:
        looked_up = users(changes.events().where(F.col("user_id").isin(lost_ids)))
        derived = advanced.unionByName(looked_up)
        affected = affected.unionByName(lost)
    _merge(changes, table, derived, affected)


_REFRESH: dict[str, Callable[[_Changes, Table], None]] = {
    SONGS.name: _refresh_songs,
    ARTISTS.name: _refresh_artists,
    SONGPLAYS.name: _refresh_songplays,
    TIME.name: _refresh_time,
    USERS.name: _refresh_users,
}

assert set(_REFRESH) == {table.name for table in STAR}  # noqa: S101 - a table without a way to refresh it is a bug of this module
