"""What waits, what was refused, how far everything is. No JVM."""

from __future__ import annotations

import fnmatch
import heapq
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from rich.text import Text

from spark_jobs.console import Stages, out, print_table, visible
from spark_jobs.contracts import REJECTS
from spark_jobs.errors import BadUsage, SonglakeError
from spark_jobs.lake import log, snapshot
from spark_jobs.landing.find import find_files, new_files
from spark_jobs.landing.reasons import SENTENCES
from spark_jobs.locations import Location
from spark_jobs.settings import Settings

_SHOWN = 10
_RAW_SHOWN = 300


@dataclass
class Status:
    """How far everything is.

    Attributes:
        waiting: Files that the next run will read.
        oldest_waiting_seconds: How long ago the first of them came.
        unreadable: Files that could not be read, with the cause.
        unrecognised: Files of the landing zone that Songlake does not read.
        totals: Files and lines in the lake.
        behind: Star tables that have not taken in the lake yet.
        unpublished: Tables that are not live as the lake has them.
        rows: Rows of the warehouse's tables.
        batches: The last loads, newest first.
        notes: What could not be told, and why.
    """

    waiting: list[str] = field(default_factory=list)
    oldest_waiting_seconds: float = 0.0
    unreadable: dict[str, str] = field(default_factory=dict)
    unrecognised: list[str] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def show(settings: Settings, as_json: bool) -> None:
    """Print the status.

    Raises:
        InputMissing: The landing zone cannot be listed.
        LakeChanged: The lake cannot be read.
    """
    status = Status()
    with Stages().stage("status") as tell:
        tell("landing zone and lake")
        _add_landing(status, settings)
        tell("warehouse")
        _add_warehouse(status, settings)
    if as_json:
        sys.stdout.write(json.dumps(asdict(status), default=str) + "\n")
    else:
        _print(status)


def _add_landing(status: Status, settings: Settings) -> None:
    from spark_jobs.lateness import seconds_waited

    known, landing = snapshot.read_files(settings.lake), find_files(settings.landing, settings.links_into)
    waiting = new_files(landing, known)
    status.waiting = [file.path for file in waiting]
    if waiting:
        status.oldest_waiting_seconds = round(max(map(seconds_waited, waiting)), 1)
    status.unrecognised = landing.unrecognised
    status.unreadable = {record.path: record.cause or "" for record in known.values() if record.status == "unreadable"}
    numbers = ("lines", "accepted", "repeated", "rejected")
    status.totals = {"files": len(known), **{name: sum(getattr(record, name) for record in known.values()) for name in numbers}}
    if snapshot.counted_positions(settings.lake):
        status.behind = [table.name for table in snapshot.stale_star_tables(settings.lake)]


def _add_warehouse(status: Status, settings: Settings) -> None:
    """Read the warehouse's books; a warehouse that does not answer is a note, not an error."""
    from spark_jobs.warehouse import batches, embedded
    from spark_jobs.warehouse.connection import connect, session_name

    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else embedded.url(settings.postgres_home)
    if url is None:
        status.notes.append("The embedded PostgreSQL does not run; 'bin/songlake db start' starts it.")
        return
    try:
        with connect(url, application_name=session_name("status")) as connection:
            if not batches.has_books(connection):
                status.notes.append("The warehouse has no tables yet; the first run makes them.")
                return
            status.rows = batches.row_counts(connection)
            status.batches = batches.latest(connection, _SHOWN)
            if status.totals["files"] and not status.behind:
                live = batches.published(connection)
                status.unpublished = [name for name, at in snapshot.positions_to_publish(settings.lake).items() if live.get(name) != at]
    except SonglakeError as error:
        status.notes.append(str(error))


def _print(status: Status) -> None:
    for note in status.notes:
        out.print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    print_table("Lake", ["what", "count"], [[name, f"{count:,}"] for name, count in status.totals.items()])
    if status.waiting:
        title = f"{len(status.waiting):,} files wait for the next run, the oldest for {status.oldest_waiting_seconds:,.0f} s"
        print_table(title, ["file"], [[path] for path in _some(status.waiting)])
    if status.unreadable:
        print_table("Unreadable files, tried again in every run", ["file", "cause"], [list(item) for item in status.unreadable.items()])
    if status.unrecognised:
        print_table(
            "Not recognised: neither below song_data or log_data, or of another kind, or with a path of more than 2,000 bytes",
            ["file"],
            [[path] for path in _some(status.unrecognised)],
        )
    if status.behind:
        told = f"Behind the lake: {', '.join(status.behind)}; the next run brings them up to date."
        out.print(told, markup=False, highlight=False, soft_wrap=True)
    if status.rows:
        print_table("Warehouse", ["table", "rows"], [[name, f"{count:,}"] for name, count in status.rows.items()])
    if status.batches:
        rows = [
            [str(batch["batch_id"]), str(batch["status"]), *(_moment(batch[name]) for name in ("started_at", "published_at"))]
            for batch in status.batches
        ]
        print_table("Last batches", ["batch", "status", "started", "published"], rows)
    if status.batches and status.batches[0]["status"] == "rejected":
        out.print(
            f"Batch {status.batches[0]['batch_id']} was refused, and nothing of it is live. 'bin/songlake run' says why; "
            "mend the files and run again, or overrule it with 'bin/songlake accept'.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    elif status.unpublished:
        told = f"Not live as the lake has them: {', '.join(status.unpublished)}; the next run publishes them."
        out.print(told, markup=False, highlight=False, soft_wrap=True)
    elif not status.waiting and not status.behind and not status.notes:
        out.print("Nothing waits.")


def _some(paths: list[str]) -> list[str]:
    return paths if len(paths) <= _SHOWN else [*paths[:_SHOWN], f"... and {len(paths) - _SHOWN:,} more (--json lists all)"]


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def show_rejects(lake: Location, pattern: str, reason: str | None, limit: int, as_json: bool) -> None:
    """Print refused lines, the first ones by file and line; no more than these are held in memory, however many there are.

    Raises:
        InputMissing: There is no lake.
        BadUsage: No reason has that name.
    """
    if reason is not None and reason not in SENTENCES:
        raise BadUsage(f"No reason is named {reason!r}.", f"Take one of {', '.join(SENTENCES)}.")
    found = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal found
        for row in _rejects(lake, pattern, reason):
            found += 1
            yield row

    with Stages().stage("rejects"):
        first = heapq.nsmallest(limit, counted(), key=itemgetter(*REJECTS.key))
    for row in first:
        if as_json:
            sys.stdout.write(json.dumps(row, default=str) + "\n")
        else:
            _print_reject(row)
    if not as_json:
        more = f"; {limit} of them shown, --limit shows more" if found > limit else ""
        out.print(f"{found:,} refused line{'s'[: found != 1]}{more}.")


def _rejects(lake: Location, pattern: str, reason: str | None) -> Iterator[dict[str, Any]]:
    table = snapshot.open_counted(lake, REJECTS)
    # Sorted here, where the first few are wanted: the query engine would sort, and hold, them all.
    for row in log.rows(table, REJECTS, "SELECT * FROM rejects"):
        if fnmatch.fnmatch(row["source_file"], pattern) and (reason is None or reason in row["reasons"]):
            yield row


def _print_reject(row: dict[str, Any]) -> None:
    out.print(Text(visible(row["source_file"]), style="bold").append(f", line {row['line_number']}", style="not bold"), soft_wrap=True)
    for reason in row["reasons"]:
        out.print(f"  {reason}: {SENTENCES[reason]}", markup=False, highlight=False, soft_wrap=True)
    raw = row["raw_line"]
    shown = raw if len(raw) <= _RAW_SHOWN else f"{raw[:_RAW_SHOWN]} ... ({len(raw):,} characters; --json shows all)"
    out.print(f"  {shown!r}", markup=False, highlight=False, soft_wrap=True)
