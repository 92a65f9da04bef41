"""One long-lived process that delivers batch after batch in one Spark session; `bench/soak.py` drives, watches and kills it.

It reads a command a line, `run` or `maintain`, and answers each with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

from spark_jobs import pipeline, settings
from spark_jobs.console import Stages, configure_logs
from spark_jobs.maintenance import maintain_lake
from spark_jobs.warehouse import batches


def main() -> None:
    """Answer commands until there are no more."""
    configure_logs()
    known = settings.load()
    for command in map(str.strip, sys.stdin):
        begun = time.monotonic()
        if command == "run":
            summary = pipeline.run(known, Stages())
            pipeline.refuse_if_failed(summary)
        else:
            with pipeline.writing(pipeline.warehouse_url(known), "maintain") as (connection, _):
                maintain_lake(known.lake, batches.published(connection), known.maintenance.lake_days)
        print(json.dumps({"done": command, "seconds": round(time.monotonic() - begun, 2)}), flush=True)


if __name__ == "__main__":
    main()
