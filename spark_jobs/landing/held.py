"""Find a person's rows in the lake, by the file they came from. No JVM."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from spark_jobs.contracts import EVENTS, REJECTS
from spark_jobs.lake import log, snapshot
from spark_jobs.landing.find import is_csv
from spark_jobs.landing.person import Person


@dataclass
class Held:
    """A person's rows of one file.

    Attributes:
        events: How many of its events are theirs.
        refused: Line numbers of its refused lines that are theirs.
    """

    events: int = 0
    refused: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of both tables."""
        return self.events + len(self.refused)


def find_rows(lake: Path, person: Person) -> dict[str, Held]:
    """Find the person's events and refused lines in what counts, by file; nothing where there is no lake.

    Raises:
        LakeChanged: The lake was changed behind Songlake's back.
    """
    held: dict[str, Held] = defaultdict(Held)
    if not snapshot.counted_positions(lake):
        return held
    by_file = f"SELECT source_file, count(*) AS events FROM events WHERE user_id = {person.user_id} GROUP BY source_file"  # noqa: S608  # nosec B608 - a number
    for row in log.rows(snapshot.open_counted(lake, EVENTS), EVENTS, by_file):
        held[row["source_file"]].events = row["events"]
    for row in log.rows(snapshot.open_counted(lake, REJECTS), REJECTS, "SELECT source_file, line_number, raw_line FROM rejects"):
        path, line = row["source_file"], row["raw_line"]
        if person.owns_cells(line, None) if is_csv(path) else person.owns(line, None):
            held[path].refused.append(row["line_number"])
    return held
