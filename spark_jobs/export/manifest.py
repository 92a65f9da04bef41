"""What an export holds, as its `manifest.json` says it; the record of an unfinished one is the same with some files still missing."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

Format = Literal["parquet", "csv"]
VERSION = 1
"""Counts up with every change of what the manifest says or of how rows are spread over files."""

DIGESTS = (
    "rows_sha256 is the SHA-256 of a table's rows as PostgreSQL's COPY writes them as CSV, without a header, in the order of order_by "
    "(texts, and as texts what has no order, by their UTF-8 bytes), with TimeZone UTC, DateStyle ISO and extra_float_digits 1: of all "
    "data lines of the CSV files one after the other, or of what psql prints for the table's query. sha256 of a file is that of its bytes."
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Part):
    """One file: its path below the export, rows, size in bytes, and the SHA-256 of its bytes."""

    path: str
    rows: int
    bytes: int
    sha256: str


class ColumnType(_Part):
    """One column: its name, its type in PostgreSQL, and in Parquet (as Arrow names it)."""

    name: str
    type: str
    arrow_type: str


class TableState(_Part):
    """Which rows a table has; while this is equal, so are they.

    Attributes:
        name: The table or view of `dwh`.
        columns: Its columns in order.
        order_by: What its rows are ordered by: the key, or all columns.
        query: The statement whose output its rows are.
        source: What tells its rows: of a table of the star the version of the lake's table that it equals, else their count and a hash.
    """

    name: str
    columns: list[ColumnType]
    order_by: list[str]
    query: str
    source: dict[str, str | int]


class Table(TableState):
    """A table with its files in the order of its rows.

    Attributes:
        rows: How many; None until all files are written.
        rows_sha256: Digest of the rows, as the manifest's `digests` defines it; None until then.
        files: Its files.
    """

    rows: int | None = None
    rows_sha256: str | None = None
    files: list[File] = []

    @property
    def state(self) -> TableState:
        """Which rows it has, without its files."""
        return TableState(**self.model_dump(include=set(TableState.model_fields)))


class Manifest(_Part):
    """An export.

    Attributes:
        format_version: Of this description.
        name: The export's folder; the same state in the same format has the same name.
        format: `parquet` or `csv`.
        batch_id: The latest load that is live.
        published_at: When that went live.
        snapshot_at: When the tables were looked at, all at the same moment.
        digests: How digests are computed.
        tables: What it holds.
    """

    format_version: int = VERSION
    name: str
    format: Format
    batch_id: str
    published_at: datetime | None
    snapshot_at: datetime
    digests: str = DIGESTS
    tables: list[Table]

    def as_bytes(self) -> bytes:
        """Write it as JSON."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @classmethod
    def read(cls, content: bytes) -> Manifest | None:
        """Read one; None if it is none, or of another version."""
        try:
            found = cls.model_validate_json(content)
        except ValidationError:
            return None
        return found if found.format_version == VERSION else None


def name_of(batch_id: str, form: Format, states: list[TableState]) -> str:
    """Name an export by the load, the format and what else decides its content."""
    content = json.dumps([VERSION, form, [state.model_dump() for state in states]])
    return f"{batch_id}-{form}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
