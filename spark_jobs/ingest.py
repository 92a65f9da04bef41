"""Read new and changed files of the landing zone into the lake.

bin/spark-submit spark_jobs/ingest.py --landing data/landing --lake data/lake
"""

from __future__ import annotations

import sys
from pathlib import Path

from spark_jobs import settings
from spark_jobs.console import Stages, run_command
from spark_jobs.lake.lock import lake_lock
from spark_jobs.landing.find import find_files
from spark_jobs.landing.ingest import ingest
from spark_jobs.pipeline import Summary, entry
from spark_jobs.report import print_summary
from spark_jobs.session import start_session


def main(landing: Path | None = None, lake: Path | None = None) -> None:
    """Read new and changed files of the landing zone into the lake."""

    def command() -> None:
        chosen, stages = settings.load(landing=landing, lake=lake), Stages()
        with lake_lock(chosen.lake, "ingest"), stages.stage("ingest") as tell:
            done = ingest(find_files(chosen.landing), chosen.lake, start_session, lambda file: tell(file.path))
        print_summary(Summary(ingest_batch=done.batch_id, files=done.files, reasons=done.reasons, seconds=stages.seconds))

    sys.exit(run_command(command))


if __name__ == "__main__":
    entry(main)
