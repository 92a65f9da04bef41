"""Recommend artists to everyone, by a model where it beats popularity, and publish that. docs/model.md tells what it is worth."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from spark_jobs import settings as settings_module
from spark_jobs.command_line import Json, Lake, entry
from spark_jobs.console import Stages, out, print_table, run_command

if TYPE_CHECKING:
    from spark_jobs.warehouse.recommendations import ModelRun


def main(lake: Lake = None, json: Json = False) -> None:
    """Recommend artists to everyone, from what is live in the warehouse, and print how the model did.

    The warehouse is that of WAREHOUSE_URL, else the embedded PostgreSQL.

    Example:
        bin/spark-submit spark_jobs/recommend.py --lake data/lake
    """

    def command() -> None:
        from spark_jobs.model.renewal import renew

        print_run(renew(settings_module.load(lake=lake), Stages()), as_json=json)

    sys.exit(run_command(command))


def print_run(run: ModelRun | None, *, as_json: bool) -> None:
    """Print what a run found and made live, or that there was nothing to do."""
    if as_json:
        told = None if run is None else {name: value for name, value in vars(run).items() if name not in ("learnt_from", "started_at")}
        sys.stdout.write(json.dumps({"run": told}) + "\n")
    elif run is None:
        out.print("Nothing moved since the last run of the model.")
    else:
        rows = [
            [kind, method, *(f"{values[name]:.4f}" for name in ("recall_at_10", "ndcg_at_10", "coverage"))]
            for kind, methods in run.metrics.items()
            for method, values in methods.items()
        ]
        if rows:
            print_table("On plays that were not learnt from", ["artists", "method", "recall@10", "NDCG@10", "coverage"], rows)
        out.print(run.reason, soft_wrap=True, highlight=False)
        out.print(
            f"{run.row_count:,} recommendations of {run.model_version} are live, after {run.seconds:g} s.", soft_wrap=True, highlight=False
        )


if __name__ == "__main__":
    entry(main)
