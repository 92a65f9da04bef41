"""Gather what a person needs to know about a run that failed, or that went through with warnings. No Spark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from spark_jobs.errors import SonglakeError
from spark_jobs.lake import snapshot
from spark_jobs.landing.reasons import SENTENCES
from spark_jobs.locations import Location
from spark_jobs.refusals import refused_by_reason
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.check import LOST_ROWS, CheckResult, recorded
from spark_jobs.warehouse.connection import Connection, connect, session_name

UNREADABLE = "unreadable_files"
"""The check that names the files which cannot be read."""

_SHOWN = 10
_TAIL_LINES = 15


@dataclass
class Diagnosis:
    """What is known of a run.

    Attributes:
        batch: The load's batch, if one was staged.
        failed: Task to the last lines of its error.
        checks: Checks that did not pass, those that keep the batch out first.
        reasons: Reject reason to number of lines, of the batch that was ingested last; the most frequent ones.
        unreadable: File to the cause why it cannot be read; the first ones.
        tables: Rows before and after, by table; the same where nothing was published.
        published_at: When a batch went live last, if that is known.
        notes: What could not be told, and why.
    """

    batch: str | None = None
    failed: dict[str, str] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    tables: dict[str, tuple[int, int]] = field(default_factory=dict)
    published_at: datetime | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the gate keeps the batch out for what it holds, so that trying again changes nothing.

        Rows that staging lost, as it does when PostgreSQL crashes, are staged anew by the next try.
        """
        kept_out = [check.name for check in self.checks if check.severity == "fail"]
        return "check_quality" in self.failed and bool(kept_out) and LOST_ROWS not in kept_out

    @property
    def signature(self) -> str:
        """Say what is wrong in a few words that stay the same while the same thing is wrong."""
        kept_out = sorted(check.name for check in self.checks if check.severity == "fail")
        return f"gate: {', '.join(kept_out)}" if self.refused else f"failed: {', '.join(sorted(self.failed))}"

    def sentence_of(self, reason: str) -> str:
        """Say what a reject reason means."""
        return SENTENCES.get(reason, "a reason of another version of Songlake")


def examine(lake: Location, url: str | None, errors: Mapping[str, str | None]) -> Diagnosis:
    """Look at lake and warehouse after a run.

    Args:
        lake: The lake's folder.
        url: The warehouse's address; one that does not answer, or none, becomes a note.
        errors: Failed task to its error.
    """
    diagnosis = Diagnosis(failed={task: tail(error) for task, error in errors.items()})
    try:
        _add_lake(diagnosis, lake)
    except SonglakeError as error:
        diagnosis.notes.append(str(error))
    if url is None:
        diagnosis.notes.append("The warehouse's address is not known.")
        return diagnosis
    try:
        with connect(url, application_name=session_name("diagnose")) as connection:
            if batches.has_books(connection):
                _add_warehouse(diagnosis, connection)
    except SonglakeError as error:
        diagnosis.notes.append(str(error))
    except psycopg.Error as error:
        diagnosis.notes.append(f"The warehouse could not be asked ({type(error).__name__}).")
    return diagnosis


def _add_warehouse(diagnosis: Diagnosis, connection: Connection) -> None:
    diagnosis.tables = {table: (count, count) for table, count in batches.row_counts(connection).items()}
    diagnosis.published_at = batches.published_at(connection)
    staged = batches.staged_batch(connection)
    batch = batches.find(connection, staged) if staged else None
    if batch is not None and batch.status != "published":
        diagnosis.batch = batch.batch_id
        diagnosis.checks = not_passed(recorded(connection, batch.batch_id))


def _add_lake(diagnosis: Diagnosis, lake: Location) -> None:
    files = snapshot.read_files(lake).values()
    unreadable = {record.path: record.cause or "" for record in files if record.status == "unreadable"}
    diagnosis.unreadable = dict(sorted(unreadable.items())[:_SHOWN])
    newest = max((record.batch_id for record in files), default=None)
    if newest is not None and any(record.rejected for record in files if record.batch_id == newest):
        rows = [row for row in refused_by_reason(lake, [newest]) if row["of_this_run"]]
        diagnosis.reasons = {row["reason"]: row["of_this_run"] for row in rows[:_SHOWN]}


def not_passed(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Pick what did not pass, those that keep the batch out first."""
    return sorted((result for result in results if not result.passed), key=lambda result: (result.severity, result.name))


def tail(error: str | None) -> str:
    """Give the last lines of an error, the ones that say why; without an error the process was killed."""
    if not error:
        return "The task's process ended without a word: it was killed, or its machine went away."
    lines = [line for line in error.splitlines() if line.strip() and not re.match(r"\s+at |\s+\.\.\. \d+ more", line)]
    return "\n".join(lines[-_TAIL_LINES:])
