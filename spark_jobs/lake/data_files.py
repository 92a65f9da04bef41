"""Which files of the lake hold a table's rows, for readers that take Parquet and know no Delta."""

from __future__ import annotations

from urllib.parse import unquote

from spark_jobs.contracts import Table
from spark_jobs.lake.log import Position, lake_path, last_change, must_open
from spark_jobs.locations import Location


def data_files(lake: Location, table: Table, at: Position) -> dict[str, int]:
    """Give the size in bytes of every file that holds rows of a table at a position, by its path in the lake.

    Where nothing but maintenance came after the position the files of now are given: those of then may be vacuumed.

    Args:
        lake: The lake's folder.
        table: A table of it.
        at: A position of this table's own history.

    Raises:
        LakeChanged: The table is not there.
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
