"""Tell which new files stand still, by looking again and again. No JVM: the sensor's trigger uses it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from spark_jobs.landing.find import LandingFile

_Look = tuple[int, datetime]


class Settling:
    """Remembers since when each file looks as it does now."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[str, tuple[_Look, float]] = {}

    def settled(self, files: Iterable[LandingFile], at: float) -> list[LandingFile]:
        """Look once more; give the files whose size and modified_at have stood still for so many seconds.

        Args:
            files: All files that matter now; what is no longer among them is forgotten.
            at: The time of this look, in seconds of a clock that only goes forward.
        """
        looks = {file.path: ((file.size, file.modified_at), file) for file in files}
        before, self._since = self._since, {}
        for path, (look, _) in looks.items():
            seen = before.get(path)
            self._since[path] = seen if seen is not None and seen[0] == look else (look, at)
        return [file for path, (_, file) in looks.items() if at - self._since[path][1] >= self._seconds]
