"""Export: look at the warehouse once, write what is not written yet, and let all of it count at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from spark_jobs.export.files import write_table
from spark_jobs.export.manifest import Format, Manifest, Table, TableState, name_of
from spark_jobs.export.places import Folder, Prefix, place_of, told
from spark_jobs.export.relations import snapshot
from spark_jobs.locations import Location
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained


@dataclass(frozen=True)
class Outcome:
    """What an export did.

    Attributes:
        place: Where the export is.
        manifest: What it holds.
        is_new: False where the same export was there already.
        kept: Files that an export which broke off had written.
        notes: What else a person should know.
    """

    place: str
    manifest: Manifest
    is_new: bool
    kept: int = 0
    notes: list[str] = field(default_factory=list)


@explained
def export(connection: Connection, root: Location, form: Format, names: Sequence[str], tell: Callable[[str], None]) -> Outcome:
    """Write one snapshot of tables and views of `dwh` below `root`, in a folder named by the load, the format and the content.

    What is there already in the same state is left alone. What an export that broke off had written is kept where the file has its
    digest and the table its rows; the rest is written anew.

    Args:
        connection: To the warehouse, outside a transaction; the reader's role is enough.
        root: A folder or a prefix; other exports below it stay.
        form: Parquet or CSV.
        names: Tables and views; none: the tables of the star.
        tell: Is told how far it is.

    Raises:
        BadUsage: There is no such table, something else has the export's name, or a value cannot be held by Parquet.
        InputMissing: Nothing is live; the files cannot be written; the same export is there and damaged.
        LockHeld: Another export is written to the same folder.
        ServiceUnreachable: PostgreSQL or the object store does not answer or refuses.
    """
    with snapshot(connection, names) as live, told(root):
        name = name_of(live.batch_id, form, live.tables)
        place = place_of(root, name)
        if there := place.finished():
            return Outcome(str(place), there, is_new=False)
        with place.held():
            # Whoever held it until now may have finished just this.
            if there := place.finished():
                return Outcome(str(place), there, is_new=False)
            earlier = place.earlier()
            kept = _kept(place, earlier, form, live.tables)
            place.clear({file.path for table in kept.values() for file in table.files})
            blank = Manifest(
                name=name,
                format=form,
                batch_id=live.batch_id,
                published_at=live.published_at,
                snapshot_at=live.taken_at,
                tables=[],
            )
            manifest = _write(connection, place, blank, live.tables, kept, tell)
            place.finish(manifest)
            notes = _notes(place, name, earlier)
    return Outcome(str(place), manifest, is_new=True, kept=sum(len(table.files) for table in kept.values()), notes=notes)


def _kept(place: Folder | Prefix, earlier: Manifest | None, form: Format, tables: list[TableState]) -> dict[str, Table]:
    """Tell what of an export that broke off serves this one: tables with the same rows, as far as their files are whole."""
    if earlier is None or earlier.format != form:
        return {}
    begun = {table.name: table for table in earlier.tables}
    return {state.name: _whole(place, begun[state.name]) for state in tables if state.name in begun and begun[state.name].state == state}


def _whole(place: Folder | Prefix, table: Table) -> Table:
    """Give a table as it is if all its files are whole, else with those before the first that is not."""
    files = list(takewhile(place.holds, table.files))
    return table if len(files) == len(table.files) else Table(**table.state.model_dump(), files=files)


def _write(
    connection: Connection,
    place: Folder | Prefix,
    manifest: Manifest,
    tables: list[TableState],
    kept: dict[str, Table],
    tell: Callable[[str], None],
) -> Manifest:
    def record(table: Table) -> None:
        later = [kept[state.name] for state in tables[len(manifest.tables) + 1 :] if state.name in kept]
        place.record(manifest.model_copy(update={"tables": [*manifest.tables, table, *later]}))
        tell(f"{table.name}, {sum(file.rows for file in table.files):,} rows")

    for state in tables:
        tell(state.name)
        table = kept.get(state.name, Table(**state.model_dump()))
        if table.rows is None:
            table = write_table(connection, table, manifest.format, place.new_file, record)
        manifest = manifest.model_copy(update={"tables": [*manifest.tables, table]})
    return manifest


def _notes(place: Folder | Prefix, name: str, earlier: Manifest | None) -> list[str]:
    notes = [f"{other} is unfinished: another export writes it now, or broke off and it may be removed." for other in place.others()]
    if earlier and earlier.name != name:
        notes.append(f"An export that broke off was of another state ({earlier.name}); only what is the same today was kept of it.")
    return notes
