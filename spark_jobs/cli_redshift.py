"""`bin/songlake redshift`: the SQL by which an Amazon Redshift follows the warehouse."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spark_jobs import settings as settings_module
from spark_jobs.command_line import CommandLine, Lake
from spark_jobs.console import Stages, run_command

app = CommandLine(
    help="""SQL for an Amazon Redshift that follows the warehouse; it is printed, not run.

    Example:
        bin/songlake redshift schema | psql "$REDSHIFT"
    """,
    no_args_is_help=True,
)


@app.command("schema")
def schema() -> None:
    """Print the statements that make Redshift's tables.

    Example:
        bin/songlake redshift schema
    """
    from spark_jobs.warehouse import redshift

    def command() -> None:
        sys.stdout.write(redshift.schema() + "\n")

    sys.exit(run_command(command))


@app.command("load")
def load(
    manifests: Annotated[str, typer.Option(help="folder that manifests are written to, s3://BUCKET/FOLDER")],
    lake_url: Annotated[
        str | None, typer.Option(help="where a copy of the lake is, s3://BUCKET/FOLDER", show_default="the lake itself, if it is in S3")
    ] = None,
    after: Annotated[
        Path | None, typer.Option(help="what Redshift's ops.published holds, as psql -At prints it", show_default="nothing; all is loaded")
    ] = None,
    iam_role: Annotated[str, typer.Option(help="ARN of the role that may read both folders")] = "default",
    lake: Lake = None,
) -> None:
    """Write manifests to S3, and print the transaction that brings Redshift to what is live in PostgreSQL.

    Example:
        bin/songlake redshift load --manifests s3://lab/manifests --after held.txt
    """
    from spark_jobs import redshift_command

    def command() -> None:
        settings = settings_module.load(lake=lake)
        with Stages().stage("redshift") as tell:
            script = redshift_command.follow(settings, lake_url=lake_url, manifests=manifests, role=iam_role, after=after, tell=tell)
        # Only now: while progress is shown on a terminal, what is written to stdout would go there too.
        sys.stdout.write(script)

    sys.exit(run_command(command))
