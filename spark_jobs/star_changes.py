"""Tell what changed in the lake since a star table's bookmark: single events where they are few, whole dates where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import CATALOG, EVENT_IDENTITY, EVENTS, SONGPLAYS, Table
from spark_jobs.lake.log import Position, Positions
from spark_jobs.lake.tables import Lake, few_rows, is_one_of, recorded_sources
from spark_jobs.star.songplays import match_keys_of_songs, plays_like

_FEW = 10_000
"""Events. So many are looked up one by one; a day of more is cheaper to derive as a whole."""


@dataclass(frozen=True)
class Affected:
    """Rows that came, went or changed, or whose song did.

    Attributes:
        dates: Their dates, as many as there are days.
        rows: These rows; None where they are too many to be taken one by one.
    """

    dates: list[date]
    rows: pa.Table | None


_NOTHING = Affected([], pa.table({}))


def affected_events(lake: Lake, after: Position | None, upto: Position) -> Affected | None:
    """Tell which events came, went or changed between two positions: identity and event_date. None: cannot be told, take all."""
    if after == upto:
        return _NOTHING
    feed = lake.changes(EVENTS, after, upto)
    return None if feed is None else _affected(feed.select(*EVENT_IDENTITY, "event_date").distinct(), "event_date")


@dataclass
class Changes:
    """What changed in the lake since a bookmark. None for a set means: cannot be told, take everything.

    Attributes:
        lake: The lake.
        bookmark: How far a star table has come.
        counted: What counts now.
        affected_events: What `affected_events` says of the two.
    """

    lake: Lake
    bookmark: Positions
    counted: Positions
    affected_events: Affected | None

    def events(self) -> DataFrame:
        """Read all events that count."""
        return self.lake.read(EVENTS, self.counted["events"])

    def events_of(self, dates: Sequence[date]) -> DataFrame:
        """Read the events of some dates that count."""
        return self.events().where(is_one_of("event_date", dates))

    def catalog(self) -> DataFrame:
        """Read all song records that count."""
        return self.lake.read(CATALOG, self.counted["catalog"])

    def frame(self, rows: pa.Table) -> DataFrame:
        """Give a small table to Spark, to be looked up in by every task."""
        return F.broadcast(self.lake.spark.createDataFrame(rows))

    @cached_property
    def affected_plays(self) -> Affected | None:
        """Songplays, as they stand, that fit a song record that came, went or changed."""
        if self.bookmark.get("catalog") == self.counted["catalog"]:
            return _NOTHING
        records = self.records_of_changed_songs()
        return None if records is None else _affected(plays_like(self.lake.read(SONGPLAYS), match_keys_of_songs(records)), "start_date")

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

    def bookmark_of(self, table: Table) -> dict[str, object]:
        """Give what a star table's commit records of what it took in."""
        return recorded_sources(table.sources, self.counted)


def _affected(rows: DataFrame, date_column: str) -> Affected:
    """Bring rows to the driver if they are few, else their dates."""
    brought = few_rows(rows, _FEW)
    if brought is not None:
        return Affected(sorted(pc.unique(brought[date_column]).to_pylist()), brought)
    return Affected(sorted(row[0] for row in rows.select(date_column).distinct().collect()), None)
