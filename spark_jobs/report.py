"""Print what a run did: tables a person reads, or the same as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

from spark_jobs.console import out, print_table
from spark_jobs.landing.reasons import SENTENCES
from spark_jobs.pipeline import Summary
from spark_jobs.warehouse.check import failed


def as_json(summary: Summary) -> str:
    """Give a summary as one JSON object; times are ISO 8601."""
    fields = asdict(summary)
    fields["totals"] = _totals(summary)
    return json.dumps(fields, default=str)


def print_summary(summary: Summary) -> None:
    """Print the tables of a run."""
    print_notes(summary)
    if summary.files:
        _print_files(summary)
    if summary.reasons:
        rows = [[reason, SENTENCES[reason], f"{count:,}"] for reason, count in sorted(summary.reasons.items())]
        print_table("Refused lines ('bin/songlake rejects' shows them)", ["reason", "meaning", "lines"], rows)
    if summary.tables:
        rows = [
            [name, f"{change.before:,}", f"{change.after:,}", f"{change.inserted:,}", f"{change.updated:,}", f"{change.deleted:,}"]
            for name, change in summary.tables.items()
        ]
        print_table("Warehouse", ["table", "rows before", "rows after", "inserted", "updated", "deleted"], rows)
    if summary.checks:
        _print_checks(summary)
    if summary.seconds:
        print_table("Seconds", ["stage", "seconds"], [[name, f"{seconds:.1f}"] for name, seconds in summary.seconds.items()])
    out.print(_outcome(summary), markup=False, highlight=False)


def print_notes(summary: Summary) -> None:
    """Print what whoever looks after the warehouse should know."""
    for note in summary.notes:
        out.print(f"Note: {note}", markup=False, highlight=False)


def _totals(summary: Summary) -> dict[str, dict[str, int]]:
    totals: dict[str, Counter[str]] = {}
    for record in summary.files:
        counts = {"files": 1, "lines": record.lines, "accepted": record.accepted, "repeated": record.repeated, "rejected": record.rejected}
        totals.setdefault(record.kind, Counter()).update(counts, unreadable=int(record.status == "unreadable"))
    return {kind: dict(counts) for kind, counts in totals.items()}


def _print_files(summary: Summary) -> None:
    names = ("files", "unreadable", "lines", "accepted", "repeated", "rejected")
    rows = [[kind, *(f"{counts[name]:,}" for name in names)] for kind, counts in _totals(summary).items()]
    print_table(f"Read in ingest batch {summary.ingest_batch}", ["kind", *names], rows)
    unreadable = [[record.path, record.cause or ""] for record in summary.files if record.status == "unreadable"]
    if unreadable:
        print_table("Unreadable files", ["file", "cause"], unreadable)


def _print_checks(summary: Summary) -> None:
    rows = [
        [
            result.name,
            result.severity,
            "passed" if result.passed else "FAILED" if result.severity == "fail" else "warns",
            result.detail or result.about,
        ]
        for result in sorted(summary.checks, key=lambda result: (result.passed, result.severity, result.name))
    ]
    print_table(f"Checks of batch {summary.load_batch}", ["check", "severity", "result", "what"], rows)


def _outcome(summary: Summary) -> str:
    if summary.published:
        return f"Batch {summary.load_batch} is live."
    if failed(summary.checks):
        return f"Batch {summary.load_batch} was refused; what was live stays live."
    if summary.checks:
        return f"Batch {summary.load_batch} passed the gate; go on with 'bin/songlake publish'."
    if summary.load_batch:
        return f"Batch {summary.load_batch} stands in staging; go on with 'bin/songlake check' and 'bin/songlake publish'."
    if summary.ingest_batch or summary.star:
        return "Done."
    return "Nothing is new."
