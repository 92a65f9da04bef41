"""Tell what became of validated lines: how many of each file were accepted, repeated or refused, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


@dataclass
class Outcome:
    """What became of the lines of one kind.

    Attributes:
        counts: Accepted, repeated and rejected lines by file_id.
        reasons: Number of refused lines by reason.
        rejected: Rows for `rejects`, or None where no line was refused.
    """

    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    rejected: DataFrame | None = None

    def total(self, what: str) -> int:
        """Sum a count over all files."""
        return sum(counts[what] for counts in self.counts.values())


def counted(lines: DataFrame, identity: tuple[str, ...]) -> Outcome:
    """Count accepted, repeated and rejected lines of each file; one row a file and set of reasons comes back."""
    outcome = Outcome()
    valid_identity = F.when(F.size("reasons") == 0, F.struct(*identity))
    each = lines.groupBy("file_id", "reasons", valid_identity.alias("identity")).agg(F.count(F.lit(1)).alias("times"))
    told = each.groupBy("file_id", "reasons").agg(F.sum("times").alias("lines"), F.count("identity").alias("accepted")).toArrow()
    for file_id, reasons, count, accepted in zip(*(column.to_pylist() for column in told.columns), strict=True):
        counts = outcome.counts.setdefault(file_id, {"accepted": 0, "repeated": 0, "rejected": 0})
        if reasons:
            counts["rejected"] += count
        else:
            counts.update(accepted=accepted, repeated=count - accepted)
        outcome.reasons.update(dict.fromkeys(reasons, count))
    return outcome
