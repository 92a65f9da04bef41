"""One HTML page on a run: what came, what was refused, what the gate found, what the warehouse holds, what was played and is recommended.

The page is one file that needs nothing besides: no script, no address, pictures inside. Every value on it is escaped, and its own policy
forbids a browser to run or fetch anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg import sql

from spark_jobs import charts
from spark_jobs.contracts import FILES
from spark_jobs.errors import BadUsage
from spark_jobs.lake import log, snapshot
from spark_jobs.landing.reasons import SENTENCES
from spark_jobs.locations import Location
from spark_jobs.refusals import refused_by_reason
from spark_jobs.report_figures import Figure, Rows, ask, fetch, figure
from spark_jobs.report_listening import changes, listening, unmatched
from spark_jobs.report_model import model
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.batches import Batch
from spark_jobs.warehouse.check import load_checks
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.statements import SQL, literals, read
from spark_jobs.warehouse.transaction import tune

DAYS = 90
"""What is told by day is told of so many days at most, up to the latest play.

The sections on plays read no more of songplays than that. The views for analysts are each asked once: they answer from what publish keeps
for them from 2,000,000 plays on, and read all of songplays below that.
"""

_TOP = 10
_LOADS = 12

_OUTCOMES = {
    "published": "Load {} is live.",
    "rejected": "Load {} was refused; what was live stays live.",
    "checked": "Load {} passed the checks and waits in staging to be published.",
    "staged": "Load {} waits in staging to be checked.",
}


@explained
def write_page(
    connection: Connection, lake: Location, folder: Path, name: str, *, title_note: str = "", tell: Callable[[str], None] = lambda _: None
) -> Path:
    """Write the page on the latest ingest and the latest load as `folder/<name>.html`, all of it or nothing.

    Args:
        connection: To the warehouse, outside a transaction; nothing is written there.
        lake: The lake's folder; where there is no lake, the warehouse's record of files is told.
        folder: Where the page goes; it is made if need be.
        name: The page's name, without `.html`.
        title_note: Stands behind the title.
        tell: Is told what is asked for next.

    Returns:
        Where the page is.

    Raises:
        BadUsage: The name is not that of a file.
        LakeChanged: The lake was changed behind Songlake's back.
        ServiceUnreachable: PostgreSQL went away or refuses.
    """
    if name != Path(name).name or name in {"", ".", ".."}:
        raise BadUsage(f"{name!r} cannot be the name of a page.", "Take a name without a folder.")
    with connection.transaction():
        # One snapshot for all, and nothing that could change.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tune(connection)
        sections = _sections(connection, lake, tell)
    return _put(folder / f"{name}.html", _rendered({"title_note": title_note, **sections}))


def page_path(folder: Path, run_id: str) -> Path:
    """Tell where the page of a run is; what a file name cannot hold everywhere becomes `_`."""
    return folder / f"{re.sub(r'[^A-Za-z0-9.+-]', '_', run_id)}.html"


def _rendered(sections: dict[str, Any]) -> str:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = _shown
    return environment.get_template("report.html.j2").render(sections)


def _sections(connection: Connection, lake: Location, tell: Callable[[str], None]) -> dict[str, Any]:
    """Ask everything the template shows."""
    tell("loads, checks and files")
    has_books = batches.has_books(connection)
    newest = batches.latest(connection, 1) if has_books else []
    load = batches.find(connection, str(newest[0]["batch_id"])) if newest else None
    return {
        "outcome": _OUTCOMES[load.status].format(load.batch_id) if load else "Nothing has been loaded yet.",
        "refused": load is not None and load.status == "rejected",
        "newest": newest,
        "rows": batches.row_counts(connection) if has_books else {},
        "load_tables": ask(connection, "load_tables", batch_id=load.batch_id) if load else [],
        "checks": _checks(connection, load) if load else [],
        "growth": _growth(connection) if has_books else None,
        "intake": _lake_intake(lake, load) or (_warehouse_intake(connection) if has_books else None),
        **(_played(connection, tell) if has_books else {"plays": None, "listening": None, "changes": [], "unmatched": [], "model": None}),
    }


def _played(connection: Connection, tell: Callable[[str], None]) -> dict[str, Any]:
    """Ask what reads the plays, which is what takes long."""
    window = ask(connection, "window", days=DAYS)[0]
    asked: dict[str, tuple[str, Callable[[], Any]]] = {
        "plays": ("plays by day and hour", lambda: _plays(connection, window)),
        "listening": ("listeners, sessions, artists and songs", lambda: listening(connection, window)),
        "changes": ("who came back and who pays", lambda: changes(connection)),
        "unmatched": ("what the catalogue lacks", lambda: unmatched(connection, _TOP)),
        "model": ("recommendations", lambda: model(connection)),
    }
    found = {}
    for number, (name, (what, answer)) in enumerate(asked.items(), 1):
        tell(f"{what} ({number} of {len(asked)})")
        found[name] = answer()
    return found


def _checks(connection: Connection, load: Batch) -> Rows:
    """List what the gate found; what passed is told by the check's own sentence."""
    about = {check.name: check.about for check in load_checks()}
    found = ask(connection, "checks", batch_id=load.batch_id)
    return [row | {"detail": row["detail"] or about.get(row["check"], "")} for row in found]


def _growth(connection: Connection) -> Figure | None:
    rows = ask(connection, "growth", loads=_LOADS)
    return figure("Plays in the warehouse after the latest loads", rows, charts.ranking, ["load"], "songplays")


def _lake_intake(lake: Location, load: Batch | None) -> dict[str, Any] | None:
    """Tell what came and what was refused, as the lake records it; None where there is no lake."""
    if log.open_table(lake, FILES) is None:
        return None
    files = snapshot.open_counted(lake, FILES)

    def told(name: str, **parts: sql.Composable) -> Rows:
        return log.query(files, FILES, _composed(name, files=sql.Identifier("files"), **parts).as_string(None))

    intake = _intake(told, _ingests_carried(files, load) if load else [])
    reasons = refused_by_reason(lake, intake["of_this_run"])
    return intake | {"reasons": [{"reason": row["reason"], "meaning": SENTENCES.get(row["reason"], ""), **row} for row in reasons]}


def _warehouse_intake(connection: Connection) -> dict[str, Any]:
    """Tell the same as far as the warehouse records it, which are the files of published loads and no reasons."""

    def told(name: str, **parts: sql.Composable) -> Rows:
        return fetch(connection, _composed(name, files=sql.Identifier("ops", "files"), **parts))

    return _intake(told, []) | {"reasons": None}


def _intake(ask: Callable[..., Rows], carried: list[str]) -> dict[str, Any]:
    """Ask a record of files for the latest ingest and for the ingests that the latest load carried."""
    newest = [str(row["batch_id"]) for row in ask("latest_ingest")]
    of_this_run = {*newest, *carried}
    return {
        "batch_id": newest[0] if newest else None,
        "of_this_run": of_this_run,
        "came": ask("files_by_kind", batches=literals(newest)),
        "carried": ask("files_by_kind", batches=literals(carried)),
        "same": carried == newest,
        "files": ask("refused_by_file", batches=literals(of_this_run)),
        "unreadable": ask("unreadable_files", batches=literals(of_this_run)),
    }


def _ingests_carried(files: DeltaTable, load: Batch) -> list[str]:
    """Name the ingest batches whose files a load carries: those that were committed between its base and its target."""
    base, target = load.base.get(FILES.name), load.target.get(FILES.name)
    if target is None or target.table_id != log.position(files).table_id:
        return []
    after = base.version if base and base.table_id == target.table_id else -1
    recorded = [commit.recorded for commit in log.commits(files, after) if commit.version <= target.version]
    return sorted({str(each["batch_id"]) for each in recorded if "batch_id" in each})


def _plays(connection: Connection, window: dict[str, Any]) -> dict[str, Any] | None:
    """Count and draw the plays of the latest days; None where there are none."""
    if window["since"] is None:
        return None
    by_day = ask(connection, "plays_by_day", **window)
    by_hour = ask(connection, "plays_by_hour", **window)
    artists, songs, unmatched = (ask(connection, name, top=_TOP, **window) for name in ("top_artists", "top_songs", "unmatched_artists"))
    return {
        "first_day": window["first_day"],
        "latest_day": window["latest_day"],
        "count": sum(row["plays"] for row in by_day),
        "matched": sum(row["matched"] for row in by_day),
        "figures": [
            figure("Plays a day", by_day, charts.days, "plays"),
            figure("Paid and free plays a day", by_day, charts.lines, ["paid", "free"]),
            figure("Plays by hour and weekday", by_hour, charts.heat_map),
            figure("Artists with most plays", artists, charts.ranking, ["artist"], "plays"),
            figure("Songs with most plays", songs, charts.ranking, ["song", "artist"], "plays"),
        ],
        "unmatched": figure("Artists with most plays that match no song", unmatched, charts.ranking, ["artist"], "plays"),
    }


def _composed(name: str, **parts: sql.Composable) -> sql.Composed:
    """Fill one file of `sql/report` in, for the lake, which binds no values, or the warehouse."""
    return read(SQL / "report" / f"{name}.sql").format(**parts)


def _shown(value: object) -> str:
    """Write a value as a person reads it."""
    match value:
        case None:
            return ""
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.3f}".rstrip("0").rstrip(".")
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)


def _put(path: Path, page: str) -> Path:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(page, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
