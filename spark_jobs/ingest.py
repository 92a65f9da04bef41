"""Read new and changed files of the landing zone into the lake."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from spark_jobs import settings
from spark_jobs.command_line import Lake, Landing, entry
from spark_jobs.console import Stages, run_command
from spark_jobs.lake.lock import lake_lock
from spark_jobs.landing.find import find_files, left_alone, named_like
from spark_jobs.landing.ingest import ingest
from spark_jobs.lineage import Lineage
from spark_jobs.pipeline import Summary, taken_back
from spark_jobs.report import print_summary
from spark_jobs.session import start_session


def main(
    landing: Landing = None,
    lake: Lake = None,
    settled: Annotated[
        bool, typer.Option("--settled", help="leave out files that may still grow: modified within the setting settle_seconds")
    ] = False,
    reprocess: Annotated[
        str, typer.Option(help="read files again whose path below the landing zone fits this pattern", show_default="none")
    ] = "",
) -> None:
    """Read new and changed files of the landing zone into the lake, and print what was read and refused.

    Example:
        bin/spark-submit spark_jobs/ingest.py --landing data/landing
        bin/spark-submit spark_jobs/ingest.py --reprocess 'log_data/2018/11/*'
    """

    def command() -> None:
        chosen, stages = settings.load(landing=landing, lake=lake), Stages()
        with lake_lock(chosen.lake, "ingest"), stages.stage("ingest") as tell:
            found = find_files(chosen.landing, chosen.links_into)
            found = left_alone(found, chosen.settle_seconds, datetime.now(UTC)) if settled else found
            again = named_like(found, reprocess) if reprocess else []
            with Lineage(chosen).stage("ingest"):
                done = ingest(found, chosen.lake, start_session, lambda file: tell(file.path), again=again)
        notes = taken_back(done.undone)
        print_summary(Summary(ingest_batch=done.batch_id, files=done.files, reasons=done.reasons, seconds=stages.seconds, notes=notes))

    sys.exit(run_command(command))


if __name__ == "__main__":
    entry(main)
