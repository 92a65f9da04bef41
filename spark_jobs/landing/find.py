"""Walk the landing zone, on disk or in an object store, and tell which files are new. No JVM: the sensor and `status` use this too."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spark_jobs.errors import InputMissing
from spark_jobs.lake.snapshot import FileRecord
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.object_store import StoredObject, objects_below

KINDS = {"song_data": "songs", "song-data": "songs", "log_data": "events", "log-data": "events"}
"""Folder name to what the files below it hold; the nearest folder above a file decides."""

_FORMATS = (".json", ".jsonl", ".ndjson", ".csv")
_LONGEST_PATH = 2_000
"""Bytes; PostgreSQL's index of paths holds no more than 2,704."""
_UNFINISHED = (".tmp", ".part", ".crdownload")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH
_LATEST = datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH
"""Outside of these Python, Spark, Delta or PostgreSQL know no such time, or read another out of it."""


@dataclass(frozen=True)
class LandingFile:
    """A file of the landing zone, as a look at its folder tells it.

    Attributes:
        path: Path relative to the landing root, with `/`.
        kind: `events` or `songs`.
        size: Bytes.
        modified_at: When it was last modified (microseconds).
        location: Where to open it.
        cause: Why it cannot be read, where the look already tells (a link to nothing, out of the landing zone, or a loop).
        inode: Device and inode of what was looked at, so that nothing else is opened in its place.
        etag: The same of an object.
    """

    path: str
    kind: str
    size: int
    modified_at: datetime
    location: Location
    cause: str | None = None
    inode: tuple[int, int] | None = None
    etag: str | None = None

    @property
    def is_csv(self) -> bool:
        """Whether its records are CSV, gzipped or not."""
        return is_csv(self.path)

    @property
    def is_gzip(self) -> bool:
        """Whether its name says gzip."""
        return self.path.lower().endswith(".gz")


@dataclass
class Landing:
    """What a walk found."""

    files: list[LandingFile] = field(default_factory=list)
    unrecognised: list[str] = field(default_factory=list)


def find_files(root: Location, links_into: Sequence[Path] = ()) -> Landing:
    """Walk the landing root: files Songlake reads, and those it does not recognise, both in path order.

    Links are followed inside the landing root and into the folders given. Any other, one to nothing, and a folder that is its own ancestor
    through a link (a loop) count as unreadable files: who may deliver files may not have others of this machine read by that.

    Args:
        root: The landing root; it may itself be a link.
        links_into: Folders outside it that links may lead into.

    Raises:
        InputMissing: The root is not a folder, or may not be listed; or there is no such bucket.
        ServiceUnreachable: The object store does not answer or refuses.
    """
    landing = _sorted_out(objects_below(root), len(root.key)) if isinstance(root, ObjectPath) else _walked(root, links_into)
    landing.files.sort(key=lambda file: file.path)
    landing.unrecognised.sort()
    return landing


def _walked(root: Path, links_into: Sequence[Path]) -> Landing:
    if not root.is_dir() or not os.access(root, os.R_OK | os.X_OK):
        raise InputMissing(
            f"The landing folder {root} does not exist or may not be listed.",
            "Create it, or name another with --landing or SONGLAKE_LANDING.",
        )
    landing, within = Landing(), [os.path.realpath(folder) for folder in (root, *links_into)]
    for entry, kind, cause in _walk(str(root), within):
        path = _text(entry.path[len(str(root)) :].lstrip("/"))
        if kind is None or (_format(entry.name) is None and cause is None) or len(path.encode()) > _LONGEST_PATH:
            landing.unrecognised.append(path)
        else:
            landing.files.append(_look(entry, path, kind, cause))
    return landing


def _sorted_out(objects: Iterable[StoredObject], root: int) -> Landing:
    """Tell files from what is passed over, by keys alone; `root` is the length of the landing zone's own."""
    landing = Landing()
    for found in objects:
        *folders, name = found.place.key[root:].lstrip("/").split("/")
        is_folder = not found.size and _format(name) is None
        if is_folder or any(_is_passed_over(part) for part in (*folders, name)):
            continue
        path = _text("/".join((*folders, name)))
        kind = next((KINDS[folder] for folder in reversed(folders) if folder in KINDS), None)
        if kind is None or _format(name) is None:
            landing.unrecognised.append(path)
        else:
            landing.files.append(LandingFile(path, kind, found.size, found.modified_at, found.place, etag=found.etag))
    return landing


def _is_passed_over(name: str) -> bool:
    return name.startswith(("_", ".")) or name.lower().endswith(_UNFINISHED)


_Found = tuple["os.DirEntry[str]", str | None, str | None]
"""An entry, its kind, and why it cannot be read."""


def _walk(root: str, within: list[str]) -> Iterator[_Found]:
    """Find files, and folders that cannot be listed; folders may lie in each other as deep as they like."""
    waiting: list[tuple[str, str | None, tuple[tuple[int, int], ...], os.DirEntry[str] | None]] = [(root, None, (), None)]
    while waiting:
        folder, kind, above, found_as = waiting.pop()
        try:
            status, entries = os.stat(folder), list(os.scandir(folder))
        except OSError as error:
            if found_as is None:
                raise
            if not isinstance(error, FileNotFoundError):
                yield found_as, kind, f"the folder cannot be listed ({error.strerror})"
            continue
        above = (*above, (status.st_dev, status.st_ino))
        for entry in entries:
            if _is_passed_over(entry.name):
                continue
            cause = _broken_link(entry, above, within)
            if cause is None and entry.is_dir():
                waiting.append((entry.path, KINDS.get(entry.name, kind), above, entry))
            elif cause is not None or entry.is_file():
                yield entry, kind, cause


def _broken_link(entry: os.DirEntry[str], above: tuple[tuple[int, int], ...], within: list[str]) -> str | None:
    if not entry.is_symlink():
        return None
    try:
        target = entry.stat()
    except FileNotFoundError:
        return "the link leads to nothing"
    except OSError as error:
        return f"the link cannot be followed ({error.strerror})"
    real = os.path.realpath(entry.path)
    if not any(os.path.commonpath([folder, real]) == folder for folder in within):
        return "the link leads out of the landing zone, to a folder that the setting links_into does not name"
    return "the link leads back to a folder above it" if (target.st_dev, target.st_ino) in above else None


def _look(entry: os.DirEntry[str], path: str, kind: str, cause: str | None) -> LandingFile:
    try:
        status = entry.stat(follow_symlinks=cause is None)
    except OSError as error:
        return LandingFile(path, kind, 0, _EPOCH, Path(entry.path), cause or f"it cannot be looked at ({error.strerror})")
    return LandingFile(path, kind, status.st_size, moment(status), Path(entry.path), cause, (status.st_dev, status.st_ino))


def moment(status: os.stat_result) -> datetime:
    """When a file was last modified, in whole microseconds; what lies before 1900 or after 9998 counts as their first and last."""
    microseconds = timedelta(microseconds=status.st_mtime_ns // 1000)
    return _EPOCH + min(max(microseconds, _EARLIEST), _LATEST)


def arrived_at(file: LandingFile) -> float | None:
    """When a file came (seconds since 1970), or None if it is gone.

    On disk its entry's change tells, as copying may keep the modification time; an object comes when it is modified.
    """
    if isinstance(file.location, ObjectPath):
        return file.modified_at.timestamp()
    try:
        return file.location.stat().st_ctime
    except OSError:
        return None


def is_csv(path: str) -> bool:
    """Whether a file of that path holds CSV records, gzipped or not."""
    return _format(path) == ".csv"


def _format(name: str) -> str | None:
    plain = name.lower().removesuffix(".gz")
    return next((format_ for format_ in _FORMATS if plain.endswith(format_)), None)


def _text(path: str) -> str:
    r"""A path as text: bytes of a name that are not UTF-8 are spelt `\xff` and a backslash `\x5c`, so that two names stay two files."""
    return os.fsencode(path).replace(b"\\", rb"\x5c").decode("utf-8", "backslashreplace")


def new_files(landing: Landing, known: Mapping[str, FileRecord]) -> list[LandingFile]:
    """Files that the lake has not read as they are now: unknown, or of other size or time than recorded."""
    return [file for file in landing.files if not _same(file, known.get(file.path))]


def left_alone(landing: Landing, seconds: float, now: datetime) -> Landing:
    """Leave out files that were modified within the last seconds and may still be growing; the next look takes them.

    A time in the future tells nothing about growing, so such a file stays in.
    """
    settled = [file for file in landing.files if not 0 <= (now - file.modified_at).total_seconds() < seconds]
    return Landing(settled, landing.unrecognised)


def named_like(landing: Landing, pattern: str) -> list[LandingFile]:
    """Files whose path fits a shell pattern, such as `log_data/2018/11/*`."""
    return [file for file in landing.files if fnmatch.fnmatch(file.path, pattern)]


def unreadable_before(landing: Landing, known: Mapping[str, FileRecord]) -> list[LandingFile]:
    """Files that could not be read and look the same now; each run tries them again."""
    return [
        file
        for file in landing.files
        if _same(file, record := known.get(file.path)) and record is not None and record.status == "unreadable"
    ]


def _same(file: LandingFile, record: FileRecord | None) -> bool:
    return record is not None and (file.size, file.modified_at) == (record.size, record.modified_at)
