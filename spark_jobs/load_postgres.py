"""Stage everything that is not yet published in PostgreSQL; `bin/songlake check` and `publish` then make it live."""

from __future__ import annotations

import sys

from spark_jobs import settings
from spark_jobs.command_line import Lake, entry
from spark_jobs.console import Stages, run_command
from spark_jobs.lake import snapshot
from spark_jobs.lake.lock import lake_lock
from spark_jobs.lineage import Lineage
from spark_jobs.pipeline import Summary, warehouse_url, writing
from spark_jobs.report import print_summary
from spark_jobs.session import start_session
from spark_jobs.warehouse.stage import Target, stage


def main(lake: Lake = None) -> None:
    """Stage everything that is not yet published; bin/songlake publish then checks it and makes it live.

    The warehouse is that of WAREHOUSE_URL, else the embedded PostgreSQL.

    Example:
        bin/spark-submit spark_jobs/load_postgres.py --lake data/lake
    """

    def command() -> None:
        chosen, stages = settings.load(lake=lake), Stages()
        snapshot.require_counted(chosen.lake)
        url = warehouse_url(chosen)
        with (
            writing(url, "load_postgres") as (connection, notes),
            lake_lock(chosen.lake, "load_postgres"),
            stages.stage("load_postgres"),
            Lineage(chosen, connection).stage("load_postgres"),
        ):
            batch_id = stage(chosen.lake, Target(url, connection, chosen.warehouse.connections), start_session)
        print_summary(Summary(load_batch=batch_id, seconds=stages.seconds, notes=notes))

    sys.exit(run_command(command))


if __name__ == "__main__":
    entry(main)
