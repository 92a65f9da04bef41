"""`bin/songlake report`: the page on what came, what is live and what was played."""

from __future__ import annotations

import sys
import webbrowser
from typing import Annotated

import typer

from spark_jobs import settings as settings_module
from spark_jobs.command_line import Lake
from spark_jobs.console import Stages, out, run_command

PAGE = "latest"


def report(
    open_: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
    lake: Lake = None,
) -> None:
    """Write the report page as of now into the folder of reports, one file that needs no network.

    Example:
        bin/songlake report --open
    """
    from spark_jobs.pipeline import warehouse_url
    from spark_jobs.report_page import write_page
    from spark_jobs.warehouse.connection import connect, session_name

    def command() -> None:
        settings = settings_module.load(lake=lake)
        with (
            Stages().stage("report") as tell,
            connect(warehouse_url(settings), application_name=session_name("report")) as connection,
        ):
            page = write_page(connection, settings.lake, settings.reports, PAGE, tell=tell)
        if open_ and not _opened(page.as_uri()):
            out.print("There is no browser here that could open it.")
        out.print(f"The report is in {page}.", markup=False, highlight=False, soft_wrap=True)

    sys.exit(run_command(command))


def _opened(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
