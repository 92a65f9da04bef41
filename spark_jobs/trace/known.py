"""What the lake knows: rows of its tables as the last batch that counts left them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from deltalake import DeltaTable

from spark_jobs.contracts import FILES, LAKE, Table
from spark_jobs.lake.log import open_table, query
from spark_jobs.lake.snapshot import FileRecord, open_counted
from spark_jobs.landing.text import WHITE
from spark_jobs.locations import Location

Row = dict[str, Any]

_WHITE_RUN = f"[{WHITE}\u00a0]+"


@dataclass
class Lake:
    """Reads a lake's tables; each is opened once.

    Conditions are SQL of deltalake's own engine, which reads only the data files that they leave: name partition columns and keys in them.
    """

    place: Location
    _opened: dict[str, DeltaTable | None] = field(default_factory=dict)

    def rows(self, table: Table, where: str, columns: tuple[str, ...] = (), order: str = "") -> list[Row]:
        """Give rows of a lake or star table, all columns unless some are named; none of a star table that is still to be derived.

        Raises:
            InputMissing: There is no lake in that folder.
            LakeChanged: The lake was changed behind Songlake's back.
        """
        if table.name not in self._opened:
            self._opened[table.name] = open_counted(self.place, table) if table in LAKE else open_table(self.place, table)
        opened = self._opened[table.name]
        if opened is None:
            return []
        select = " ".join(("SELECT", ", ".join(columns or table.column_names), "FROM", table.name, "WHERE", where, order))
        return [{name: _in_utc(value) for name, value in row.items()} for row in query(opened, table, select)]

    def file(self, path: str) -> FileRecord | None:
        """Give what is recorded of a landing file."""
        found = self.rows(FILES, f"path = {literal(path)}")
        return FileRecord(**found[0]) if found else None


def literal(value: str | int | date | None) -> str:
    """Write a value into a condition."""
    if isinstance(value, date):
        return f"DATE '{value:%Y-%m-%d}'"
    return str(value) if isinstance(value, int) else "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def folded(expression: str) -> str:
    """Give the expression by which names are compared: without case and runs of white space."""
    return f"lower(regexp_replace({expression}, '{_WHITE_RUN}', ' ', 'g'))"


def fold(name: str) -> str:
    """Write a name as it is compared; Python, deltalake's engine and Spark lower letters alike."""
    return re.sub(_WHITE_RUN, " ", name).lower()


def day_of(ts: int) -> date:
    """Give the UTC date of milliseconds since 1970."""
    return datetime.fromtimestamp(ts / 1000, UTC).date()


def rank(row: Row) -> tuple[datetime, str]:
    """Tell which file's row counts: the one with the greatest of these."""
    return row["source_modified_at"], row["source_file"]


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value
