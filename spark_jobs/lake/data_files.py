"""Which files of the lake hold a table's rows, for readers that take Parquet and know no Delta."""

from __future__ import annotations

from urllib.parse import unquote

from spark_jobs.contracts import Table
from spark_jobs.lake.log import Position, commits, lake_path, last_change, must_open
from spark_jobs.locations import Location


def data_files(lake: Location, table: Table, at: Position) -> dict[str, int]:
    """Give the size in bytes of every file that holds rows of a table at a position, by its path in the lake.

    Where nothing but maintenance came after the position the files of now are given: those of then may be vacuumed.

    Raises:
        LakeChanged: The table is not there, or its log cannot be read so far back.
    """
    opened = must_open(lake, table)
    if at.version < last_change(opened).version:
        opened.load_as_version(at.version)
    folder = str(lake_path(lake, table)).removeprefix(f"{lake}/")
    added = opened.get_add_actions()
    return {
        f"{folder}/{unquote(path)}": size
        for path, size in zip(added.column("path").to_pylist(), added.column("size_bytes").to_pylist(), strict=True)
    }


def is_of_this_history(lake: Location, table: Table, position: Position) -> bool:
    """Whether a position is one that this table was at, and its log still tells so.

    Raises:
        LakeChanged: The table is not there.
    """
    opened = must_open(lake, table)
    return position.table_id == str(opened.metadata().id) and any(
        (commit.version, commit.written_at) == (position.version, position.written_at)
        for commit in commits(opened, after=position.version - 1)
    )
