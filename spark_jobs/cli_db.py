"""`bin/songlake db`: start, stop and open the embedded PostgreSQL."""

from __future__ import annotations

import sys

import typer

from spark_jobs import settings as settings_module
from spark_jobs.command_line import CommandLine
from spark_jobs.console import Stages, out, run_command
from spark_jobs.errors import ServiceUnreachable

app = CommandLine(
    help="""The embedded PostgreSQL, for whoever has none.

    Example:
        bin/songlake db start
        bin/songlake db psql -c 'SELECT count(*) FROM dwh.songplays'
    """,
    no_args_is_help=True,
)


@app.command("start")
def start() -> None:
    """Start the embedded PostgreSQL, made at the first call.

    Example:
        bin/songlake db start
    """
    from spark_jobs.warehouse import embedded
    from spark_jobs.warehouse.connection import describe

    def command() -> None:
        with Stages().stage("db start"):
            url = embedded.start(settings_module.load().postgres_home)
        out.print(f"PostgreSQL runs: {describe(url)}. 'bin/songlake db psql' opens it.", highlight=False, markup=False, soft_wrap=True)

    sys.exit(run_command(command))


@app.command("stop")
def stop() -> None:
    """Stop the embedded PostgreSQL; its data stays.

    Example:
        bin/songlake db stop
    """
    from spark_jobs.warehouse import embedded

    def command() -> None:
        with Stages().stage("db stop"):
            embedded.stop(settings_module.load().postgres_home)
        out.print("PostgreSQL is stopped.")

    sys.exit(run_command(command))


@app.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open psql on the warehouse; further arguments are psql's.

    Example:
        bin/songlake db psql -c 'SELECT count(*) FROM dwh.songplays'
    """
    from spark_jobs.warehouse import embedded

    def command() -> int:
        settings = settings_module.load()
        if settings.warehouse_url is None and embedded.url(settings.postgres_home) is None:
            raise ServiceUnreachable(
                "The embedded PostgreSQL does not run.", "Start it with 'bin/songlake db start', or set WAREHOUSE_URL."
            )
        given = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
        return embedded.psql(settings.postgres_home, given, context.args)

    sys.exit(run_command(command))
