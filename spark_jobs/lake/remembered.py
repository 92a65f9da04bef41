"""What was read of a lake's logs in an object store, kept for as long as this process holds the lake's lock.

Each request costs an answer's time there, and a run asks for the same few logs again and again. While we hold the lock nobody else
writes, so of a table that was opened only what came since has to be read. Without the lock nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deltalake import DeltaTable

from spark_jobs.locations import ObjectPath
from spark_jobs.object_store import delta_options, require_credentials

_Entries = list[dict[str, Any]]


class _Memory:
    def __init__(self) -> None:
        self.tables: dict[str, DeltaTable] = {}
        self.entries: dict[str, _Entries] = {}


_memories: list[_Memory] = []
"""One while the lock is held."""


@contextmanager
def remembering() -> Iterator[None]:
    """Remember what is read within; the caller holds the lake's lock."""
    _memories.append(_Memory())
    try:
        yield
    finally:
        _memories.pop()


def open_object_table(path: ObjectPath) -> DeltaTable:
    """Open a table as it is now."""
    require_credentials(path)
    tables = _memories[-1].tables if _memories else {}
    opened = tables.get(str(path))
    if opened is None:
        opened = tables[str(path)] = DeltaTable(str(path), storage_options=delta_options())
    else:
        opened.update_incremental()
    return opened


def history(table: DeltaTable, count: int) -> _Entries:
    """Give a table's last commits as its log has them, so many at most, the newest first."""
    if not _memories or table.table_uri not in {opened.table_uri for opened in _memories[-1].tables.values()}:
        return table.history(count)
    entries = _memories[-1].entries
    known = [entry for entry in entries.get(table.table_uri, []) if entry["version"] <= table.version()]
    fresh = table.version() - known[0]["version"] if known else count
    known = (table.history(fresh) if fresh > 0 else []) + known
    if len(known) < count and known and known[-1]["version"] > 0:
        known = table.history(count)
    entries[table.table_uri] = known
    return known[:count]
