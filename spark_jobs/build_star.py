"""Bring the star tables up to date with the lake."""

from __future__ import annotations

import sys

from spark_jobs import settings
from spark_jobs.command_line import Lake, entry
from spark_jobs.console import Stages, run_command
from spark_jobs.lake import snapshot
from spark_jobs.lake.lock import lake_lock
from spark_jobs.lineage import Lineage
from spark_jobs.pipeline import Summary
from spark_jobs.report import print_summary
from spark_jobs.session import start_session
from spark_jobs.star_refresh import refresh_star


def main(lake: Lake = None) -> None:
    """Bring the star tables up to date with what ingest.py wrote to the lake.

    Example:
        bin/spark-submit spark_jobs/build_star.py --lake data/lake
    """

    def command() -> None:
        chosen, stages = settings.load(lake=lake), Stages()
        snapshot.require_counted(chosen.lake)
        with lake_lock(chosen.lake, "build_star"), stages.stage("build_star"), Lineage(chosen).stage("build_star"):
            written = refresh_star(chosen.lake, start_session)
        print_summary(Summary(star=written, seconds=stages.seconds))

    sys.exit(run_command(command))


if __name__ == "__main__":
    entry(main)
