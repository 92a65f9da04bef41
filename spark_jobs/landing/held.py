"""Find a person's rows in the lake, by the file they came from. No JVM."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from spark_jobs.contracts import EVENTS, REJECTS
from spark_jobs.lake import log, snapshot
from spark_jobs.landing.find import Landing, is_csv, new_files
from spark_jobs.landing.pack import read_header
from spark_jobs.landing.person import Person
from spark_jobs.landing.reasons import Reason
from spark_jobs.locations import Location


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


def find_rows(lake: Location, person: Person, landing: Landing) -> dict[str, Held]:
    """Find the person's events and refused lines in what counts, by file; nothing where there is no lake.

    Files of lines that were too long to be kept whole are among them, with or without rows of theirs.

    Refused CSV records are told by the header of their file, if the landing zone has that file as it was read.

    Raises:
        LakeChanged: The lake was changed behind Songlake's back.
    """
    held: dict[str, Held] = defaultdict(Held)
    if not snapshot.counted_positions(lake):
        return held
    known = snapshot.read_files(lake)
    changed = {file.path for file in new_files(landing, known)}
    as_read = {file.path: file for file in landing.files if file.path not in changed and file.cause is None}
    headers = {path: read_header(file) for path, file in as_read.items() if file.is_csv and known[path].rejected}
    by_file = f"SELECT source_file, count(*) AS events FROM events WHERE user_id = {person.user_id} GROUP BY source_file"  # noqa: S608  # nosec B608 - a number
    for row in log.rows(snapshot.open_counted(lake, EVENTS), EVENTS, by_file):
        held[row["source_file"]].events = row["events"]
    for row in log.rows(snapshot.open_counted(lake, REJECTS), REJECTS, "SELECT source_file, line_number, raw_line, reasons FROM rejects"):
        path, line = row["source_file"], row["raw_line"]
        if Reason.LINE_TOO_LONG.value in row["reasons"]:
            # Only its beginning was kept, which need not name anybody; so the file is read again, if it is there.
            held[path]
        if person.owns_cells(line, headers.get(path)) if is_csv(path) else person.owns(line):
            held[path].refused.append(row["line_number"])
    return held
