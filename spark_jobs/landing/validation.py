"""Tell every reason against a packed row: built-in Spark functions only."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.landing.reasons import Reason


def reasons_that_apply(conditions: dict[Reason, str]) -> Column:
    """Give the names of all reasons whose SQL condition holds; a line that packing refused has that reason alone."""
    found = ", ".join(f"CASE WHEN {condition} THEN '{reason.value}' END" for reason, condition in conditions.items())
    # Nearly every line is valid; only for the others is it worth to look which reasons there are.
    any_holds = " OR ".join(f"coalesce({condition}, false)" for condition in conditions.values())
    return F.expr(f"CASE WHEN refused IS NOT NULL THEN array(refused) WHEN {any_holds} THEN array_compact(array({found})) ELSE array() END")


def is_misread(*columns: str) -> str:
    """Give the condition that one of these fields holds something else than such a value."""
    return "(" + " OR ".join(f"array_contains(misread, '{column}')" for column in columns) + ")"


def is_outside(column: str, least: int, most: int) -> str:
    """Give the condition that a number field holds something, but no number of that range."""
    return f"({is_misread(column)} OR {column} NOT BETWEEN {least} AND {most})"


def is_absent(column: str) -> str:
    """Give the condition that a field holds nothing."""
    return f"({column} IS NULL AND NOT coalesce({is_misread(column)}, false))"
