"""The quality gate: every file of `sql/checks` is one question about the staged batch, and zero rows are the good answer.

A check begins with `-- severity: fail` or `-- severity: warn` and then a comment line with the sentence that must be true. Its
columns are shown to people, so they hold no personal data. A column `violations`, where there is one, says how many things a
row stands for; otherwise it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql

from spark_jobs.contracts import STAGED
from spark_jobs.errors import BadUsage
from spark_jobs.settings import Gate
from spark_jobs.warehouse.batches import STAGE_ANEW, require_staged
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.failures import explained
from spark_jobs.warehouse.statements import SQL, staged
from spark_jobs.warehouse.transaction import tune

CHECKS = SQL / "checks"

LOST_ROWS = "staged_counts"
"""The check that fails where staging does not hold what Spark wrote: nothing to overrule, and nothing that the files could mend."""

_HEADER = re.compile(r"-- severity: (?P<severity>fail|warn)\n-- (?P<about>\S.*)\n")
_SHOWN = 5
_FOUND = sql.SQL(
    "SELECT sum(coalesce((to_jsonb(found) ->> 'violations')::bigint, 1)) OVER ()::bigint, row_to_json(found)"
    " FROM (\n{}\n) AS found LIMIT {}"
)


@dataclass(frozen=True)
class Check:
    """One file of `sql/checks`.

    Attributes:
        name: Its name without `.sql`.
        severity: `fail` keeps a batch out, `warn` tells.
        about: The sentence that must be true.
        query: Finds what contradicts it.
    """

    name: str
    severity: str
    about: str
    query: str


@dataclass(frozen=True)
class CheckResult:
    """What one check found about one batch.

    Attributes:
        name: The check.
        severity: `fail` or `warn`.
        about: The sentence that must be true.
        passed: Whether it is.
        violations: How many things contradict it.
        detail: The first of them, without personal data; None where there are none.
    """

    name: str
    severity: str
    about: str
    passed: bool
    violations: int
    detail: str | None


def failed(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Pick the results that keep a batch out."""
    return [result for result in results if result.severity == "fail" and not result.passed]


def way_out(batch_id: str, refused: Iterable[str]) -> str:
    """Say what a person can do about a batch that these checks keep out."""
    if LOST_ROWS in refused:
        return STAGE_ANEW
    return f"Mend the files and run again, or overrule it on record: bin/songlake accept {batch_id} --reason TEXT"


def load_checks(folder: Path = CHECKS) -> list[Check]:
    """Read all checks, by name.

    Raises:
        BadUsage: A file lacks its header, or there is no file.
    """
    checks = []
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        header = _HEADER.match(text)
        if header is None:
            raise BadUsage(
                f"The check {path.name} does not begin with its severity and a sentence.",
                f"Begin {path} with the lines `-- severity: fail` (or warn) and `-- What must be true.`",
            )
        checks.append(Check(path.stem, header["severity"], header["about"], text.rstrip().rstrip(";")))
    if not checks:
        raise BadUsage(f"There is no check in {folder}.", "Restore the folder; a gate without checks would let everything through.")
    return checks


@explained
def check(connection: Connection, batch_id: str, gate: Gate, folder: Path = CHECKS) -> list[CheckResult]:
    """Ask every check about the batch in staging, record the answers and mark the batch `checked` or `rejected`.

    May be called again; the latest answers stand.

    Returns:
        One result a check, by name. `failed` picks those that keep the batch out.

    Raises:
        BadUsage: There is no such batch, it is live already, or a check cannot be asked.
        InputMissing: The batch's rows no longer stand in staging.
    """
    checks = load_checks(folder)
    parameters = {"batch_id": batch_id, **gate.model_dump()}
    with connection.transaction():
        require_staged(connection, batch_id)
        # Without statistics the planner does not know that hardly any staged row is a deletion; a small sample tells it.
        connection.execute("SET LOCAL default_statistics_target = 10")
        connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(staged(table) for table in STAGED)))
    with connection.transaction():
        # One snapshot for all, and nothing that a check could change.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tune(connection)
        results = [_ask(connection, each, parameters) for each in checks]
    _record(connection, batch_id, results)
    return results


@explained
def recorded(connection: Connection, batch_id: str) -> list[CheckResult]:
    """Give the answers that stand for a batch, by name; none where it was not asked yet."""
    about = {check.name: check.about for check in load_checks()}
    rows = connection.execute(
        "SELECT check_name, severity, passed, violations, detail FROM ops.check_results WHERE batch_id = %s ORDER BY check_name", [batch_id]
    ).fetchall()
    answers = cast("list[tuple[str, str, bool, int, str | None]]", rows)
    return [CheckResult(name, severity, about.get(name, ""), *found) for name, severity, *found in answers]  # type: ignore[arg-type]


def _ask(connection: Connection, check: Check, parameters: dict[str, Any]) -> CheckResult:
    query = _FOUND.format(sql.SQL(check.query), sql.Literal(_SHOWN))
    try:
        rows = cast("list[tuple[int, dict[str, Any]]]", connection.execute(query, parameters).fetchall())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        # What is said of a value holds the value, and the error itself may quote the row.
        said = None if isinstance(error, psycopg.DataError) else error.diag.message_primary
        raise BadUsage(
            f"The check {check.name} cannot be asked: {said or type(error).__name__}.", f"Mend sql/checks/{check.name}.sql."
        ) from None
    violations = rows[0][0] if rows else 0
    return CheckResult(
        check.name, check.severity, check.about, not rows, violations, _detail([row for _, row in rows], violations) if rows else None
    )


def _detail(rows: list[dict[str, Any]], violations: int) -> str:
    """Write the first rows for a person: `kind events, refused lines 30, all lines 400; and 2 more`."""
    shown = [
        ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items() if name != "violations" and value is not None)
        for row in rows
    ]
    stands_for = sum(row.get("violations") or 1 for row in rows)
    return "; ".join([*shown, *([f"and {violations - stands_for} more"] if violations > stands_for else [])])


def _record(connection: Connection, batch_id: str, results: list[CheckResult]) -> None:
    """Replace the batch's results and set its status, unless its rows have gone meanwhile."""
    status = "rejected" if failed(results) else "checked"
    with connection.transaction(), connection.cursor() as cursor:
        require_staged(connection, batch_id)
        cursor.execute("DELETE FROM ops.check_results WHERE batch_id = %s", [batch_id])
        cursor.executemany(
            "INSERT INTO ops.check_results (batch_id, check_name, severity, passed, violations, detail, checked_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, now())",
            [(batch_id, result.name, result.severity, result.passed, result.violations, result.detail) for result in results],
        )
        cursor.execute("UPDATE ops.batches SET status = %s, checked_at = now() WHERE batch_id = %s", [status, batch_id])
