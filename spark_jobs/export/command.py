"""`bin/songlake export`: connect, export, tell what was written."""

from __future__ import annotations

import sys

from spark_jobs import settings as settings_module
from spark_jobs.console import Stages, out, print_table
from spark_jobs.errors import BadUsage
from spark_jobs.export.export import Outcome
from spark_jobs.export.export import export as write
from spark_jobs.lineage import Lineage
from spark_jobs.pipeline import warehouse_url
from spark_jobs.settings import Settings
from spark_jobs.warehouse.connection import connect, session_name


def export(settings: Settings, wanted: settings_module.Export, *, as_json: bool) -> None:
    """Export, and print the tables with their files, or the manifest.

    Raises:
        BadUsage: Nobody said where to.
        SonglakeError: As `export.export` does.
    """
    if wanted.to is None:
        raise BadUsage("Nobody said where the export goes.", "Name a folder or s3a://bucket/prefix with --to, or set export.to.")
    chosen = settings.model_copy(update={"export": wanted})
    with (
        connect(warehouse_url(settings), application_name=session_name("export")) as connection,
        Stages().stage("export") as tell,
        Lineage(chosen, connection).stage("export"),
    ):
        outcome = write(connection, wanted.to, wanted.format, wanted.tables, tell)
    if as_json:
        sys.stdout.buffer.write(outcome.manifest.as_bytes())
    else:
        _print(outcome)


def _print(outcome: Outcome) -> None:
    manifest = outcome.manifest
    for note in outcome.notes:
        out.print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    rows = [
        [table.name, f"{table.rows:,}", f"{len(table.files):,}", f"{sum(file.bytes for file in table.files):,}"]
        for table in manifest.tables
    ]
    print_table(f"Export of load {manifest.batch_id}", ["table", "rows", "files", "bytes"], rows)
    if not outcome.is_new:
        said = f"The same is exported already: {outcome.place}; nothing was written."
    elif outcome.kept:
        said = f"The export is in {outcome.place}; {outcome.kept:,} of its files were there from an export that broke off."
    else:
        said = f"The export is in {outcome.place}."
    out.print(said, markup=False, highlight=False, soft_wrap=True)
