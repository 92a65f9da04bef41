"""Take a person's rows of files that are no longer in the landing zone out of the lake, as a batch of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.contracts import EVENTS, FILES, REJECTS
from spark_jobs.lake import snapshot
from spark_jobs.lake.tables import Lake, is_one_of
from spark_jobs.landing.held import Held
from spark_jobs.landing.person import Person


def withdraw(lake: Lake, person: Person, held: Mapping[str, Held], now: datetime) -> None:
    """Remove the rows that were found, and take them from their files' counts, so that lines = accepted + repeated + rejected stays true.

    What is left of each file is written anew, so that no condition in Delta's log names the person. The caller holds the lake's lock.

    Raises:
        LockHeld: An ingest wrote meanwhile; this batch does not count.
    """
    batch_id, before = snapshot.new_batch_id(now), snapshot.positions_now(lake.path)
    recorded = {"batch_id": batch_id}
    of_these = is_one_of("source_file", held)
    events = lake.read(EVENTS).where(of_these).where(F.col("user_id").isNull() | (F.col("user_id") != person.user_id))
    lake.replace(EVENTS, events, recorded, where=of_these)
    numbers = [(path, number) for path, rows in held.items() for number in rows.refused]
    refused = _rows(lake, numbers, source_file=pa.string(), line_number=pa.int32())
    rejects = lake.read(REJECTS).where(of_these).join(refused, ["source_file", "line_number"], "left_anti")
    lake.replace(REJECTS, rejects, recorded, where=of_these)
    _correct_counts(lake, held, snapshot.commit_of(batch_id, snapshot.refuse_interference(lake.path, before, batch_id)))


def _rows(lake: Lake, rows: Sequence[tuple[object, ...]], **types: pa.DataType) -> DataFrame:
    """Make a small table; as Arrow it needs no Python process of Spark's."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in types)
    return lake.spark.createDataFrame(
        pa.table([pa.array(list(column), kind) for column, kind in zip(columns, types.values(), strict=True)], list(types))
    )


def _correct_counts(lake: Lake, held: Mapping[str, Held], recorded: dict[str, object]) -> None:
    counts = [(path, rows.events, len(rows.refused)) for path, rows in held.items()]
    gone = _rows(lake, counts, path=pa.string(), gone_events=pa.int64(), gone_refused=pa.int64())
    corrected = (
        lake.read(FILES)
        .join(F.broadcast(gone), "path", "inner")
        .withColumns(
            {
                "lines": F.expr("lines - gone_events - gone_refused"),
                "accepted": F.expr("accepted - gone_events"),
                "rejected": F.expr("rejected - gone_refused"),
                "deleted": F.lit(False),
            }
        )
    )
    lake.merge(FILES, corrected.select(*FILES.column_names, "deleted"), recorded)
