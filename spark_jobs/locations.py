"""Where landing zone, lake and exports may be: a folder of this machine, or a prefix in an object store."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from spark_jobs.errors import BadUsage

SCHEME = "s3a://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, order=True)
class ObjectPath:
    """A place in an object store: an object, or a prefix that takes a folder's part.

    Attributes:
        bucket: The bucket.
        key: What follows it, without a slash at either end; empty for the bucket itself.
    """

    bucket: str
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> ObjectPath:
        """Read `s3a://bucket/prefix`.

        Raises:
            BadUsage: It is not such an address. The sentence does not repeat it: somebody may have put a password there.
        """
        bucket, _, key = text.removeprefix(SCHEME).partition("/")
        key = key.strip("/")
        odd = key and any(part in ("", ".", "..") for part in key.split("/"))
        if not text.startswith(SCHEME) or not _BUCKET.fullmatch(bucket) or odd:
            raise BadUsage(
                "An address with :// that was given names no place in an object store.",
                "Write it as s3a://bucket/prefix, with credentials and endpoint in the environment: docs/object_store.md.",
            )
        return cls(bucket, key)

    def __truediv__(self, name: str) -> ObjectPath:
        """Give what lies below it."""
        return ObjectPath(self.bucket, f"{self.key}/{name}".lstrip("/"))

    def __str__(self) -> str:
        """Give its address, as Spark and deltalake take it."""
        return f"{SCHEME}{self.bucket}/{self.key}".rstrip("/")


Location = Path | ObjectPath


def location(text: str | Path | ObjectPath) -> Location:
    """Read a location: `s3a://…` is a place in an object store, everything else a path.

    Raises:
        BadUsage: It is an address of another kind.
    """
    if isinstance(text, ObjectPath):
        return text
    return ObjectPath.parse(text) if isinstance(text, str) and _ELSEWHERE.match(text) else Path(text)


def on_disk(place: Location, what: str) -> Path:
    """Give a location as a path, for what is done on this machine's disks alone.

    Raises:
        BadUsage: It is in an object store.
    """
    if isinstance(place, ObjectPath):
        raise BadUsage(f"{what} works on folders of this machine, not on {place}.", "docs/object_store.md says what to do instead.")
    return place


def keep_on_disk(place: Path) -> None:
    """Have a file, or the names in a folder, on the disk, so that a power cut does not bring back what was there before."""
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
