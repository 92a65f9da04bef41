"""`bin/songlake export`: one snapshot of `dwh` as files."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from spark_jobs import settings as settings_module
from spark_jobs.command_line import setting
from spark_jobs.console import run_command


class _Format(StrEnum):
    PARQUET = "parquet"
    CSV = "csv"


def export(
    to: Annotated[
        str | None, typer.Option(help="a folder or s3a://bucket/prefix; the export gets a folder there", show_default=setting("export.to"))
    ] = None,
    form: Annotated[_Format | None, typer.Option("--format", help="of the files", show_default=setting("export.format"))] = None,
    tables: Annotated[
        str | None,
        typer.Option(
            help="tables and views of dwh, with commas between; none: the tables of the star", show_default=setting("export.tables")
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print the manifest instead of a table")] = False,
) -> None:
    """Export tables of the warehouse as they are at one moment, with a manifest of rows, digests and the load that is live.

    Run again after a break, it goes on from the files that are whole; where the same is exported already, nothing is done.

    Example:
        bin/songlake export --to data/exports
        bin/songlake export --to data/exports --format csv --tables user_levels
    """
    from spark_jobs.export import command

    def run() -> None:
        settings = settings_module.load()
        wanted = settings.export.model_copy(
            update={
                name: value
                for name, value in {
                    "to": settings_module.from_here(to) if to else None,
                    "format": form.value if form else None,
                    "tables": tuple(filter(None, map(str.strip, tables.split(",")))) if tables else None,
                }.items()
                if value is not None
            }
        )
        command.export(settings, wanted, as_json=json)

    sys.exit(run_command(run))
