"""Small commits without a JVM: append or merge few rows, or record how far a table has come (docs/adr/0015).

Spark plans a commit for seconds whatever its size; deltalake makes one of few rows in a tenth of that, with the same change feed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from spark_jobs.contracts import Table
from spark_jobs.lake.log import lost_race, must_open, unreadable
from spark_jobs.locations import Location
from spark_jobs.machine import disk_fault
from spark_jobs.store_faults import store_fault

_FILE_LOST = "Parquet error"
"""Stands in what deltalake says of a data file that is missing or cut, by whichever of its engines it was read."""
_ROWS_SHOWN = "Preview of invalid data"
"""Begins the rows that deltalake shows of those it refuses; they are people's, and errors go into logs and mails."""


def append_few(lake: Location, table: Table, rows: pa.Table, recorded: dict[str, Any]) -> None:
    """Append rows in one commit; none, to commit nothing but what is recorded.

    Two such commits do not conflict: the lake's lock keeps a second writer out.

    Args:
        lake: The lake's folder.
        table: The table.
        rows: Its columns, in its order.
        recorded: What the commit records.

    Raises:
        LakeChanged: The table is not there or cannot be read.
    """
    with _told(lake, table):
        _append(must_open(lake, table), rows, recorded)


def record(lake: Location, table: Table, recorded: dict[str, Any]) -> None:
    """Commit nothing but what is recorded, to move a bookmark on.

    Raises:
        LakeChanged: The table is not there or cannot be read.
        LockHeld: Another run wrote it at the same time.
    """
    with _told(lake, table):
        _record(must_open(lake, table), recorded)


def merge_few(lake: Location, table: Table, rows: pa.Table, recorded: dict[str, Any], within: str | None) -> None:
    """Merge rows by the table's key of one column, in one commit that touches only rows that differ.

    Args:
        lake: The lake's folder.
        table: The table.
        rows: Its columns and a boolean `deleted`: what it is to hold, and which keys it is not to hold.
        recorded: What the commit records; it is made also where nothing differs.
        within: A condition on `held`, by which files are left out: where in the table these keys can be.

    Raises:
        LakeChanged: The table is not there or a file of it cannot be read.
        LockHeld: Another run wrote it at the same time.
    """
    (key,) = table.key
    where = f"{within} AND " if within else ""
    differs = " OR ".join(f"(held.{name} IS DISTINCT FROM given.{name})" for name in table.column_names)
    values = {name: f"given.{name}" for name in table.column_names}
    with _told(lake, table):
        opened = must_open(lake, table)
        before = opened.version()
        merging = opened.merge(
            _without_strangers(opened, key, rows, within),
            f"{where}held.{key} = given.{key}",
            source_alias="given",
            target_alias="held",
            streamed_exec=False,
            commit_properties=_properties(recorded),
        )
        merging = merging.when_matched_delete("given.deleted").when_matched_update(values, f"NOT given.deleted AND ({differs})")
        merging.when_not_matched_insert(values, "NOT given.deleted").execute()
        if opened.version() == before:
            _record(opened, recorded)


def _without_strangers(opened: DeltaTable, key: str, rows: pa.Table, within: str | None) -> pa.Table:
    """Leave out deletions of keys that the table does not hold; deltalake 1.6 stumbles over them."""
    gone = rows.filter(rows["deleted"])[key].combine_chunks()
    if not len(gone):
        return rows
    kept = [rows.filter(pc.invert(rows["deleted"]))]
    keys_held = " ".join(("SELECT", key, "FROM held", *(("WHERE", within) if within else ())))
    for part in pa.RecordBatchReader.from_stream(QueryBuilder().register("held", opened).execute(keys_held)):
        keys = part.column(0).cast(gone.type)
        kept.append(rows.filter(pc.and_(rows["deleted"], pc.is_in(rows[key], value_set=keys))))
    return pa.concat_tables(kept)


def _record(opened: DeltaTable, recorded: dict[str, Any]) -> None:
    _append(opened, pa.schema(opened.schema().to_arrow()).empty_table(), recorded)


def _append(opened: DeltaTable, rows: pa.Table, recorded: dict[str, Any]) -> None:
    write_deltalake(opened, rows, mode="append", commit_properties=_properties(recorded))


def _properties(recorded: dict[str, Any]) -> CommitProperties:
    # Spark's own name for it, so that readers of the log need not know who wrote.
    return CommitProperties(custom_metadata={"userMetadata": json.dumps(recorded)})


@contextmanager
def _told(lake: Location, table: Table) -> Iterator[None]:
    where = f"lake table {table.name}"
    try:
        yield
    except CommitFailedError as error:
        raise lost_race(where) from error
    except (DeltaError, pa.ArrowException, OSError) as error:
        text, shown, _ = str(error).partition(_ROWS_SHOWN)
        if broken := disk_fault(text, where) or store_fault(text, where):
            raise broken from error
        if _FILE_LOST in text:
            raise unreadable(error, f"Lake table {table.name}", lake) from error
        if shown:
            raise DeltaError(f"{where}: {text.strip()}") from None
        raise
