"""`bin/songlake erase`: show what is there, ask, erase, tell. Prints counts and file names, never what stands in a line."""

from __future__ import annotations

import sys

import typer

from spark_jobs import erasure, report
from spark_jobs.console import Stages, out, print_table
from spark_jobs.errors import BadUsage
from spark_jobs.landing.person import Person
from spark_jobs.settings import Settings


def erase(settings: Settings, user_id: int, *, dry_run: bool, yes: bool) -> None:
    """Erase a person, or with `dry_run` only show where their lines are.

    Raises:
        BadUsage: Nobody agreed to it.
        SonglakeError: As `erasure.erase` does.
    """
    person = Person(user_id)
    if dry_run:
        _show(settings, person)
        return
    if not yes:
        _ask(settings, person)
    erased = erasure.erase(settings, person, Stages())
    rows = [
        ["landing files rewritten", f"{erased.files:,}"],
        ["lines taken out of them", f"{erased.lines:,}"],
        ["rows of archived files taken out of the lake", f"{erased.withdrawn:,}"],
        ["data files of the lake's history removed", f"{erased.removed:,}"],
    ]
    print_table("Erased", ["what", "count"], rows)
    if erased.summary.load_batch:
        report.print_summary(erased.summary)
    else:
        report.print_notes(erased.summary)
        out.print("There is no lake yet; nothing but the landing files was searched.")


def _show(settings: Settings, person: Person) -> erasure.Traces:
    with Stages().stage("search") as tell:
        traces = erasure.search(settings, person, tell)
    rows = [[path, f"{lines:,}", f"{held:,}"] for path, (lines, held) in traces.by_file().items()]
    print_table("Lines of this person", ["file", "lines in the landing zone", "rows in the lake"], rows)
    erasure.refuse_obstacles(traces.obstacles)
    return traces


def _ask(settings: Settings, person: Person) -> None:
    if not sys.stdin.isatty():
        raise BadUsage("Nobody can be asked here whether to erase.", "See what goes with --dry-run, then add --yes.")
    traces = _show(settings, person)
    out.print("What is erased cannot be brought back; backups and files elsewhere stay: docs/personal_data.md.")
    try:
        is_agreed = typer.confirm(f"Erase {traces.lines:,} lines of {len(traces.found):,} files, and the rows made from them?")
    except typer.Abort:  # Ctrl-C, Ctrl-D, or the terminal is gone
        is_agreed = False
    if not is_agreed:
        raise BadUsage("Nothing was erased.", "Answer y to erase.")
