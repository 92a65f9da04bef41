"""Tell which delivered files are not in the warehouse yet, and since when. No Spark."""

from __future__ import annotations

from datetime import UTC, datetime

from spark_jobs.lake.snapshot import read_files
from spark_jobs.landing.find import Landing, LandingFile, arrived_at
from spark_jobs.locations import Location
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.connection import Connection


def late_files(landing: Landing, lake: Location, connection: Connection | None, seconds: float) -> dict[str, float]:
    """List files that wait longer than so many seconds: path to seconds waited, the longest first.

    A file waits from when it came until the warehouse's books have it as it is now. A file that cannot be read is not late, it is
    unreadable; the gate's warning and `status` name it. Without a connection the lake's books must do.

    Raises:
        LakeChanged: The lake cannot be read.
    """
    known = read_files(lake)
    read = {path: (record.size, record.modified_at) for path, record in known.items()}
    unreadable = {path: read[path] for path, record in known.items() if record.status == "unreadable"}
    done = read if connection is None else _published(connection)
    waiting = [file for file in landing.files if (file.size, file.modified_at) not in (done.get(file.path), unreadable.get(file.path))]
    waited = {file.path: seconds_waited(file) for file in waiting}
    return dict(sorted(((path, age) for path, age in waited.items() if age > seconds), key=lambda item: -item[1]))


def _published(connection: Connection) -> dict[str, tuple[int, datetime]]:
    return batches.published_files(connection) if batches.has_books(connection) else {}


def seconds_waited(file: LandingFile) -> float:
    """Tell how long ago a file came, by its entry in the folder, since copying may keep its modification time; 0 if it is gone."""
    now, arrived = datetime.now(UTC).timestamp(), arrived_at(file)
    return 0.0 if arrived is None else now - max(arrived, min(file.modified_at.timestamp(), now))
