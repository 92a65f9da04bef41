"""Songlake's commands: `bin/songlake --help`."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from spark_jobs import cli_db, cli_export, cli_generate, cli_recommend, cli_redshift, cli_report
from spark_jobs import settings as settings_module
from spark_jobs.command_line import CommandLine, Json, Lake, Landing
from spark_jobs.console import Stages, out, print_table, run_command

app = CommandLine(
    help="""Files of songs and listening events into a warehouse that analysts trust.

    The warehouse is that of WAREHOUSE_URL, else the embedded PostgreSQL. Settings are in conf/songlake.yaml and SONGLAKE_*.

    Example:
        bin/songlake generate
        bin/songlake run
        bin/songlake status
    """,
    no_args_is_help=True,
)


def _exit(command: Callable[[], int | None]) -> None:
    sys.exit(run_command(command))


@app.command()
def run(landing: Landing = None, lake: Lake = None, json: Json = False) -> None:
    """Run the whole pipeline: ingest, build_star, load_postgres, check_quality, publish.

    Example:
        bin/songlake run --landing data/landing
    """
    from spark_jobs import pipeline, report

    def command() -> None:
        summary = pipeline.run(settings_module.load(landing=landing, lake=lake), Stages())
        if json:
            sys.stdout.write(report.as_json(summary) + "\n")
        else:
            report.print_summary(summary)
        pipeline.refuse_if_failed(summary)

    _exit(command)


@app.command()
def check(json: Json = False) -> None:
    """Ask the quality gate about the batch that stands in staging.

    Example:
        bin/songlake check
    """
    _on_staged_batch(json, and_publish=False)


@app.command()
def publish(json: Json = False) -> None:
    """Make the checked batch live; a batch that was not checked yet is checked first.

    Example:
        bin/songlake publish
    """
    _on_staged_batch(json, and_publish=True)


def _on_staged_batch(json: bool, *, and_publish: bool) -> None:
    from spark_jobs import lineage, pipeline, report
    from spark_jobs.warehouse import batches
    from spark_jobs.warehouse import check as gate

    def command() -> None:
        settings, stages = settings_module.load(), Stages()
        with pipeline.writing(pipeline.warehouse_url(settings), "publish" if and_publish else "check") as (connection, notes):
            summary = pipeline.Summary(load_batch=batches.staged_batch(connection), notes=notes, seconds=stages.seconds)
            if summary.load_batch is None:
                summary.notes.append("Nothing stands in staging.")
            elif and_publish:
                pipeline.check_and_publish(connection, settings, summary, stages, lineage.Lineage(settings, connection))
            else:
                with stages.stage("check_quality"), lineage.Lineage(settings, connection).stage("check_quality") as told:
                    summary.checks = gate.check(connection, summary.load_batch, settings.gate)
                    told.refused = lineage.refusal(summary.checks)
        if json:
            sys.stdout.write(report.as_json(summary) + "\n")
        else:
            report.print_summary(summary)
        pipeline.refuse_if_failed(summary)

    _exit(command)


@app.command()
def accept(
    batch: Annotated[str, typer.Argument(help="the batch that stands refused in staging")],
    checks: Annotated[list[str] | None, typer.Argument(help="the failed checks to overrule", show_default="all that failed")] = None,
    reason: Annotated[str, typer.Option(help="why, for those who come later; it must be given", show_default=False)] = "",
) -> None:
    """Overrule failed checks of the refused batch and publish it, on record.

    Example:
        bin/songlake accept 20181101T000000Z-a1b2c3 --reason "an old player"
    """
    from spark_jobs import lineage, pipeline, report
    from spark_jobs.warehouse.accept import accept as overrule

    def command() -> None:
        settings = settings_module.load()
        writing = pipeline.writing(pipeline.warehouse_url(settings), "accept")
        with Stages().stage("accept"), writing as (connection, notes), lineage.Lineage(settings, connection).stage("publish"):
            tables = overrule(connection, batch, reason=reason, checks=checks or [], by=getpass.getuser(), warehouse=settings.warehouse)
        report.print_summary(pipeline.Summary(load_batch=batch, published=True, tables=tables, notes=notes))

    _exit(command)


@app.command()
def erase(
    user_id: Annotated[int, typer.Argument(min=0, max=2**63 - 1, help="whose data is to go")],
    landing: Landing = None,
    lake: Lake = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show how many lines are in which files")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Erase a person: out of the landing zone's files, the lake with its history, and the warehouse. It cannot be undone.

    Example:
        bin/songlake erase 26 --dry-run
    """
    from spark_jobs import erasure_command

    _exit(lambda: erasure_command.erase(settings_module.load(landing=landing, lake=lake), user_id, dry_run=dry_run, yes=yes))


@app.command()
def status(landing: Landing = None, lake: Lake = None, json: Json = False) -> None:
    """Show what waits, what could not be read, how far lake and warehouse are, and the last batches.

    Example:
        bin/songlake status
    """
    from spark_jobs import status as status_module

    _exit(lambda: status_module.show(settings_module.load(landing=landing, lake=lake), json))


@app.command()
def rejects(
    lake: Lake = None,
    file: Annotated[str, typer.Option(help="only files whose path fits this pattern, such as '*2018-11-1?*'")] = "*",
    reason: Annotated[str | None, typer.Option(help="only lines refused for this reason", show_default="any")] = None,
    limit: Annotated[int, typer.Option(min=1, help="show so many lines at most")] = 20,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line, with the raw line whole")] = False,
) -> None:
    """Show refused lines: file, line number, why, and the line as it stands in the file.

    Example:
        bin/songlake rejects --file '*2018-11-14*' --reason ts_invalid
    """
    from spark_jobs import status as status_module

    _exit(lambda: status_module.show_rejects(settings_module.load(lake=lake).lake, file, reason, limit, json))


@app.command()
def trace(
    what: Annotated[str, typer.Argument(metavar="SONGPLAY_ID | user | song", help="a songplay_id, or what the ID is of")],
    key: Annotated[str | None, typer.Argument(metavar="ID", help="the user_id or song_id")] = None,
    landing: Landing = None,
    lake: Lake = None,
    json: Json = False,
) -> None:
    """Show where a row came from: file and line, what cleaning changed, other files, how the song was matched, the loads and their checks.

    Example:
        bin/songlake trace 1541203806000-1000001-4-50
    """
    from spark_jobs.trace import command

    _exit(lambda: command.show(settings_module.load(landing=landing, lake=lake), what, key, json))


@app.command()
def doctor() -> None:
    """Tell what is wrong with this machine and how to mend it.

    Example:
        bin/songlake doctor
    """
    from spark_jobs import doctor as doctor_module

    def command() -> int:
        with Stages().stage("doctor"):
            findings = doctor_module.examine(settings_module.load())
        print_table("Doctor", ["what", "found", "to do"], [[finding.what, finding.found, finding.fix or "nothing"] for finding in findings])
        return 0 if all(finding.fix is None for finding in findings) else 3

    _exit(command)


@app.command()
def up() -> None:
    """Start PostgreSQL and Airflow on this machine; what is copied into the landing folder is loaded by itself.

    Example:
        bin/songlake up
    """
    from spark_jobs import stack
    from spark_jobs.stack_home import ADMIN, address

    def command() -> None:
        with Stages().stage("up") as tell:
            running = stack.up(settings_module.load(), tell)
        settings = running.settings
        state = "runs" if running.is_new else "runs already"
        login = running.password if running.is_first else f"in {settings.airflow.home / 'passwords.json'}"
        rows = [
            ["Airflow", f"{address(settings)} ({state})"],
            ["user", ADMIN],
            ["password", login],
            ["landing folder", str(settings.landing)],
            ["reports", str(settings.reports)],
            ["logs", str(settings.airflow.home / "logs")],
        ]
        print_table("Songlake is up: copy files into the landing folder", ["what", "where"], rows)

    _exit(command)


@app.command()
def down() -> None:
    """Stop Airflow and the embedded PostgreSQL; data, history and passwords stay.

    Example:
        bin/songlake down
    """
    from spark_jobs import stack

    def command() -> None:
        with Stages().stage("down"):
            ran = stack.down(settings_module.load())
        out.print("Songlake is down." if ran else "Nothing ran.")

    _exit(command)


app.command("generate")(cli_generate.generate)
app.command("report")(cli_report.report)
app.command("export")(cli_export.export)
app.command("recommend")(cli_recommend.recommend)
app.add_typer(cli_db.app, name="db")
app.add_typer(cli_redshift.app, name="redshift")

if __name__ == "__main__":
    app(prog_name="bin/songlake")
