"""One table's rows, from PostgreSQL's COPY into files of so many rows each, never more than a lump of them in memory."""

from __future__ import annotations

import csv as plain_csv
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv, parquet

from spark_jobs.errors import BadUsage
from spark_jobs.export.manifest import File, Format, Table
from spark_jobs.export.relations import arrow_schema
from spark_jobs.pause import pause_at
from spark_jobs.warehouse.connection import Connection

ROWS_A_FILE = 1_000_000
_ROWS_A_LUMP, _BYTES_A_LUMP = 100_000, 64 << 20
"""A lump is what is held in memory, and a row group of Parquet."""

Append = Callable[[bytes], None]
NewFile = Callable[[str], AbstractContextManager[Path]]


class _Rows:
    """Rows as COPY gives them, one a message, counted and digested as they are taken."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self._next = copy.read()
        self._digest = hashlib.sha256()
        self.count = 0

    @property
    def more(self) -> bool:
        """Whether there is one that was not taken."""
        return bool(self._next)

    @property
    def sha256(self) -> str:
        """Digest of those that were taken."""
        return self._digest.hexdigest()

    def lumps(self, most: int) -> Iterator[bytes]:
        """Take so many rows at most, as CSV lines, some at a time."""
        left = most
        while left and self.more:
            lines: list[bytes | bytearray | memoryview] = []
            size = 0
            while self.more and len(lines) < min(left, _ROWS_A_LUMP) and size < _BYTES_A_LUMP:
                lines.append(self._next)
                size += len(self._next)
                self._next = self._copy.read()
            lump = b"".join(lines)
            self._digest.update(lump)
            self.count += len(lines)
            left -= len(lines)
            yield lump


def write_table(connection: Connection, table: Table, form: Format, new_file: NewFile, tell: Callable[[Table], None]) -> Table:
    """Write a table's files; rows of those that it has already are only counted and digested.

    Args:
        connection: In the snapshot that the table's state is of.
        table: The table with its first files, as far as they were written before from the same state.
        form: Parquet or CSV.
        new_file: Makes a file by its path below the export; it counts once the block ends.
        tell: Is told of the table after each file.

    Returns:
        The table with all its files; without a row it has one empty file.

    Raises:
        BadUsage: A value cannot be held by Parquet.
    """
    with connection.cursor() as cursor, cursor.copy(sql.SQL(table.query)) as copy:
        rows = _Rows(copy)
        for _ in rows.lumps(sum(file.rows for file in table.files)):
            pass
        while rows.more or not table.files:
            file = _write_file(rows, table, form, new_file)
            table = table.model_copy(update={"files": [*table.files, file]})
            tell(table)
    return table.model_copy(update={"rows": rows.count, "rows_sha256": rows.sha256})


def _write_file(rows: _Rows, table: Table, form: Format, new_file: NewFile) -> File:
    before, path = rows.count, f"{table.name}/{len(table.files) + 1:05}.{form}"
    with new_file(path) as place:
        with _opened(place, form, table) as append:
            for lump in rows.lumps(ROWS_A_FILE):
                append(lump)
                pause_at(f"export {table.name}")
        return File(path=path, rows=rows.count - before, bytes=place.stat().st_size, sha256=sha256_of(place))


def sha256_of(place: Path) -> str:
    """Digest a file's bytes."""
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(place: Path, form: Format, table: Table) -> AbstractContextManager[Append]:
    return _csv(place, table) if form == "csv" else _parquet(place, table)


@contextmanager
def _csv(place: Path, table: Table) -> Iterator[Append]:
    """Write COPY's own lines under a header: null is nothing between the commas, empty text is two quotes."""
    head = io.StringIO()
    plain_csv.writer(head, lineterminator="\n").writerow([column.name for column in table.columns])
    with place.open("wb") as file:
        file.write(head.getvalue().encode())

        def append(lump: bytes) -> None:
            file.write(lump)

        yield append


@contextmanager
def _parquet(place: Path, table: Table) -> Iterator[Append]:
    schema = arrow_schema(table)
    convert = csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    parse = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)

    def rows_of(lump: bytes) -> pa.Table:
        options: dict[str, Any] = {"parse_options": parse, "convert_options": convert}
        try:
            return csv.read_csv(io.BytesIO(lump), csv.ReadOptions(column_names=schema.names, block_size=len(lump) + 1), **options)
        except pa.ArrowInvalid:
            # Its message holds the value.
            raise BadUsage(
                f"A value of dwh.{table.name} has no equal in Parquet, such as an infinite time, one before Christ, or a NaN in numeric.",
                "Export it with --format csv, or leave it out by --tables.",
            ) from None

    with parquet.ParquetWriter(place, schema, compression="zstd") as writer:
        yield lambda lump: writer.write_table(rows_of(lump), row_group_size=_ROWS_A_LUMP)
