"""A hand that fills the lake as Spark would, so that what reads it is tried without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, write_deltalake

from spark_jobs.contracts import CATALOG, EVENTS, FILES, REJECTS, Table
from spark_jobs.lake import log
from spark_jobs.lake.creation import create_missing
from tests.postgres.staging import MIDNIGHT, Row


def commit(lake: Path, table: Table, rows: list[Row], recorded: dict[str, Any]) -> None:
    """Append rows to a lake table as `ingest` would."""
    schema = pa.schema(log.open_table(lake, table).schema().to_arrow())
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps(recorded)})
    write_deltalake(log.lake_path(lake, table), pa.Table.from_pylist(rows, schema), mode="append", commit_properties=properties)


def ingest(lake: Path, batch_id: str, files: list[Row], rejects: list[Row] = []) -> None:  # noqa: B006
    """Do what an ingest does to the tables that the page reads: `files` is committed last."""
    create_missing(lake)
    if rejects:
        commit(lake, REJECTS, [reject | {"batch_id": batch_id} for reject in rejects], {"batch_id": batch_id})
    tables = {table.name: log.position(log.open_table(lake, table)).as_dict() for table in (EVENTS, CATALOG, REJECTS)}
    commit(lake, FILES, [each | {"batch_id": batch_id} for each in files], {"batch_id": batch_id, "tables": tables})


def reject(path: str, line: int, *reasons: str) -> Row:
    row = {"kind": "events", "line_number": line, "raw_line": "secret", "reasons": list(reasons), "source_file": path}
    return row | {"source_modified_at": MIDNIGHT}
