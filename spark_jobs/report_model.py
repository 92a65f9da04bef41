"""The report's section on recommendations: what is published now, and how each run's methods did on plays they had not seen."""

from __future__ import annotations

from typing import Any

from spark_jobs import charts
from spark_jobs.report_figures import ask, figure
from spark_jobs.warehouse.connection import Connection

_RUNS = 20
_MEASURES = {"recall_at_10": "Recall at 10", "ndcg_at_10": "NDCG at 10"}
_JUDGED_ON = {"new": "artists new to the listener", "all": "all artists"}


def model(connection: Connection) -> dict[str, Any] | None:
    """Tell what is recommended now, and draw how the runs did, the model beside the simpler ways; None before the first run."""
    runs = ask(connection, "model_runs", runs=_RUNS)
    if not runs:
        return None
    measures = ask(connection, "model_measures", runs=_RUNS)
    by_part = {part: [row for row in measures if row["judged_on"] == part] for part in _JUDGED_ON}
    figures = [
        figure(f"{title}, {_JUDGED_ON[part]}", rows, charts.history, name)
        for part, rows in by_part.items()
        for name, title in _MEASURES.items()
    ]
    return {"latest": runs[0], "runs": runs, "live": ask(connection, "recommendations"), "figures": figures}
