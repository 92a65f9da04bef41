"""Find a person's lines in landing files and take them out; every other byte, and the time that decides between files, stays."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from spark_jobs.landing.find import LandingFile
from spark_jobs.landing.lines import BOM, Unreadable
from spark_jobs.landing.opening import Changed, refuse_change
from spark_jobs.landing.pack import read_header, read_lines, unpacked
from spark_jobs.landing.person import Person
from spark_jobs.landing.reasons import Reason
from spark_jobs.landing.text import WHITE
from spark_jobs.landing.values import Record
from spark_jobs.locations import keep_on_disk, on_disk

_TEMPORARY = ".songlake-erase"
"""Name that a walk of the landing zone passes over; one at a time in a folder."""
_BLOCK = 4 << 20
_PHYSICAL = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$")
_LINE_END = re.compile("\r\n|\n|\r")


class Obstacle(Exception):
    """A file cannot be searched or rewritten; the message says why."""


@dataclass(frozen=True)
class Found:
    """A person's lines in one file.

    Attributes:
        file: The file.
        lines: How many lines are theirs.
        numbers: The lines of text that go, counted from 1; a CSV record may have several.
    """

    file: LandingFile
    lines: int
    numbers: frozenset[int]

    @property
    def instead(self) -> bytes:
        """What is put in their place: where the first line of a song file is an object decides how all of it is read."""
        return b"{}" if _is_of_song_objects(self.file) else b""


def find_lines(file: LandingFile, person: Person) -> Found:
    """Read a file as ingest does, and tell which of its lines are the person's.

    Raises:
        Obstacle: It cannot be read, may not be rewritten, or holds lines of theirs that cannot be told from those of others.
    """
    if file.cause is not None:
        if on_disk(file.location, "Erasing").is_symlink():
            return Found(file, 0, frozenset())
        raise Obstacle(file.cause)
    try:
        found = _read(file, person)
    except Unreadable as error:
        raise Obstacle(str(error)) from None
    except (Changed, FileNotFoundError):
        raise Obstacle("it changes just now") from None
    target = _target(file)
    if found.lines and not (os.access(target, os.W_OK) and os.access(target.parent, os.W_OK | os.X_OK)):
        raise Obstacle("no permission to write it or its folder")
    return found


def _read(file: LandingFile, person: Person) -> Found:
    lines, numbers, objects = 0, set[int](), dict[int, str]()
    header = read_header(file) if file.is_csv else None
    for chunk in read_lines(file):
        for place, (number, line) in enumerate(zip(chunk.numbers.to_pylist(), chunk.lines.to_pylist(), strict=True)):
            if _owns(person, file, line, header, chunk.records.get(place)):
                breaks = len(_LINE_END.findall(line)) if file.is_csv else 0
                if breaks and chunk.refused.get(place) == Reason.NOT_CSV:
                    raise Obstacle(f"the broken record that begins in line {number} runs on over lines of theirs and of others; mend it")
                lines += 1
                numbers.update(range(number, number + breaks + 1))
                if _is_of_song_objects(file):
                    objects[number] = line
    _refuse_entangled(file, objects)
    return Found(file, lines, frozenset(numbers))


def _is_of_song_objects(file: LandingFile) -> bool:
    return file.kind == "songs" and not file.is_csv


def _owns(person: Person, file: LandingFile, line: str, header: list[str] | None, record: Record | None) -> bool:
    """Tell whether a line is theirs, by the user id that packing read in it if there is one; of a song record it keeps none."""
    if not file.is_csv:
        return person.owns(line)
    if record is not None and file.kind == "events" and "user_id" not in record.misread:
        return record.values.get("user_id") == person.user_id
    return person.owns_cells(line, header)


def _refuse_entangled(file: LandingFile, objects: dict[int, str]) -> None:
    """Refuse a song file in which an event of theirs has not the whole line of text for itself, as in an array."""
    if not objects:
        return
    with _target(file).open("rb") as raw:
        for number, line in enumerate(_physical_lines(unpacked(file, raw)), 1):
            if number in objects and line.decode("utf-8", "replace").strip(WHITE + BOM) != objects[number].strip(WHITE + BOM):
                raise Obstacle(f"what begins in line {number} of this song file is an event of theirs among other things; take it out")


def _physical_lines(content: BinaryIO) -> Iterator[bytes]:
    """Cut bytes where ingest counts lines, ends included, a block at once."""
    left: list[bytes] = []
    while block := content.read(_BLOCK):
        # A carriage return at the very end may be half of a line end.
        cut = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        if cut:
            yield from _PHYSICAL.findall(b"".join((*left, block[:cut])))
            left = []
        left.append(block[cut:])
    yield from _PHYSICAL.findall(b"".join(left))


def clear_leftovers(files: Iterable[LandingFile]) -> None:
    """Remove what a rewriting that was killed has left in the folders of these files."""
    for folder in {_target(file).parent for file in files if file.cause is None}:
        (folder / _TEMPORARY).unlink(missing_ok=True)


def rewrite(found: Found) -> None:
    """Put a copy without the person's lines in a file's place, in one step.

    Where a link leads to the file, the link stays. Time of modification, permissions and, where allowed, owner are kept.

    Raises:
        Obstacle: The file changed since it was searched; it is left as it is.
    """
    target = _target(found.file)
    copy = target.with_name(_TEMPORARY)
    copy.unlink(missing_ok=True)
    try:
        with open(target, "rb") as source, open(copy, "xb", opener=_for_its_owner) as raw:
            refuse_change(found.file, source)
            with _packed(found.file, raw) as content:
                for number, line in enumerate(_physical_lines(unpacked(found.file, source)), 1):
                    content.write(_without(line, number == 1, found.instead) if number in found.numbers else line)
            raw.flush()
            os.fsync(raw.fileno())
            status = os.fstat(source.fileno())
            with suppress(PermissionError):
                os.chown(copy, status.st_uid, status.st_gid)
            shutil.copystat(target, copy)
            with open(target, "rb") as present:
                refuse_change(found.file, present)
        os.replace(copy, target)
    except Changed:
        raise Obstacle("it changed while it was rewritten") from None
    finally:
        copy.unlink(missing_ok=True)
    keep_on_disk(target.parent)


def _for_its_owner(path: str, flags: int) -> int:
    """Make a file that nobody else can read, since it holds lines of many people before it gets the permissions of the one it replaces."""
    return os.open(path, flags, 0o600)


def _without(line: bytes, is_first: bool, instead: bytes) -> bytes:
    """Give what is left of a line of theirs: the file's byte order mark, and what is put in its place with the line's end."""
    mark = BOM.encode() if is_first and line.startswith(BOM.encode()) else b""
    return mark + (instead + line[len(line.rstrip(b"\r\n")) :] if instead else b"")


def _target(file: LandingFile) -> Path:
    return on_disk(file.location, "Erasing").resolve()


@contextmanager
def _packed(file: LandingFile, raw: BinaryIO) -> Iterator[BinaryIO]:
    """Write as the file's name says, gzip or not."""
    if file.is_gzip:
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as content:
            yield cast(BinaryIO, content)
    else:
        yield raw
