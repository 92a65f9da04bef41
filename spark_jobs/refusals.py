"""Count the lake's refused lines by reason, for whoever tells people of them. No Spark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import sql

from spark_jobs.contracts import REJECTS
from spark_jobs.lake import log, snapshot
from spark_jobs.locations import Location
from spark_jobs.warehouse.statements import SQL, literals, read


def refused_by_reason(lake: Location, batches: Iterable[str]) -> list[dict[str, Any]]:
    """Count refused lines; a line with two reasons counts under both. Grain and key: reason, the most frequent of the batches first.

    Args:
        lake: The lake's folder.
        batches: Ids of the ingest batches whose lines are counted as `of_this_run`.

    Returns:
        Rows of reason, of_this_run, of_all_files.

    Raises:
        InputMissing: There is no lake in that folder.
        LakeChanged: The lake was changed behind Songlake's back, or a file of it is missing.
    """
    query: sql.Composed = read(SQL / "report" / "refused_by_reason.sql").format(batches=literals(batches))
    return log.query(snapshot.open_counted(lake, REJECTS), REJECTS, query.as_string(None))
