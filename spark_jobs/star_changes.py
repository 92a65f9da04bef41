"""Tell what changed in the lake since a star table's bookmark: single events where they are few, whole dates where they are many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import CATALOG, EVENT_IDENTITY, EVENTS, SONGPLAYS, Table
from spark_jobs.lake.log import Positions
from spark_jobs.lake.tables import Lake, recorded_sources
from spark_jobs.star.songplays import match_keys_of_songs, plays_like

_FEW = 10_000
"""Events. So many are looked up one by one, and the driver can hold them; a day of more is cheaper to derive as a whole."""


@dataclass(frozen=True)
class Affected:
    """Events that came, went or changed, or whose song did.

    Attributes:
        dates: Their dates, as many as there are days.
        events: The identities of these events and their event_date; None where they are too many to be taken one by one.
    """

    dates: list[date]
    events: pa.Table | None


@dataclass
class Changes:
    """What changed in the lake since a bookmark. None for a set means: cannot be told, take everything."""

    lake: Lake
    bookmark: Positions
    counted: Positions

    def events(self) -> DataFrame:
        """Read all events that count."""
        return self.lake.read(EVENTS, self.counted["events"])

    def catalog(self) -> DataFrame:
        """Read all song records that count."""
        return self.lake.read(CATALOG, self.counted["catalog"])

    def frame(self, rows: pa.Table) -> DataFrame:
        """Give a small table to Spark, to be looked up in by every task."""
        return F.broadcast(self.lake.spark.createDataFrame(rows))

    @cached_property
    def affected_events(self) -> Affected | None:
        """Events that came, went or changed."""
        feed = self.lake.changes(EVENTS, self.bookmark.get("events"), self.counted["events"])
        return None if feed is None else _affected(feed.select(*EVENT_IDENTITY, "event_date"))

    @cached_property
    def affected_plays(self) -> Affected | None:
        """The same, and the plays that fit a song record that came, went or changed."""
        events, records = self.affected_events, self.records_of_changed_songs()
        if events is None or records is None:
            return None
        if self.bookmark.get("catalog") == self.counted["catalog"]:
            return events
        plays = _affected(plays_like(self.lake.read(SONGPLAYS), match_keys_of_songs(records)))
        few = (
            None
            if events.events is None or plays.events is None
            else pa.concat_tables([events.events, plays.events], promote_options="permissive")
        )
        return Affected(sorted({*events.dates, *plays.dates}), few)

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


def _affected(events: DataFrame) -> Affected:
    """Bring events to the driver if they are few, else their dates."""
    few: pa.Table = events.distinct().limit(_FEW + 1).toArrow()
    if len(few) <= _FEW:
        return Affected(sorted(pc.unique(few["event_date"]).to_pylist()), few)
    return Affected(sorted(row.event_date for row in events.select("event_date").distinct().collect()), None)
