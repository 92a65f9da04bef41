"""Places in an object store (S3, or what speaks like it), and what Python does there without a JVM.

Who we are and where the store is comes from the environment alone: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
AWS_ENDPOINT_URL. Spark takes the same variables (`conf/spark-defaults.conf` has the rest of its settings for s3a).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from spark_jobs.errors import InputMissing, ServiceUnreachable
from spark_jobs.locations import SCHEME, ObjectPath
from spark_jobs.store_faults import first_line, no_bucket, refused, store_fault, unanswered

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_NAMED_IN_ENVIRONMENT = (*_CREDENTIALS, "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")
_RETRIES, _RETRY_SECONDS, _CONNECT_SECONDS, _ANSWER_SECONDS = 6, 60, 5, 30
_WHOLE = 4 << 20
"""Bytes up to which an object is fetched by one request; larger ones come in pieces of that size."""


@dataclass(frozen=True)
class StoredObject:
    """An object as the store lists it.

    Attributes:
        place: Where it is.
        size: Bytes.
        modified_at: When it was written, in whole seconds or milliseconds as the store tells it.
        etag: Tells its content from what may be written there later.
    """

    place: ObjectPath
    size: int
    modified_at: datetime
    etag: str


def delta_options() -> dict[str, str]:
    """Give what deltalake needs besides the environment: commits that never replace another, and patience with an end."""
    return {
        "aws_conditional_put": "etag",
        "aws_region": _region(),
        "allow_http": str(_is_plain_http()).lower(),
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "timeout": f"{_ANSWER_SECONDS}s",
        "max_retries": str(_RETRIES),
        "retry_timeout": f"{_RETRY_SECONDS}s",
    }


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _is_plain_http() -> bool:
    return os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")


def _store(bucket: str) -> S3Store:
    missing = [name for name in _CREDENTIALS if not os.environ.get(name)]
    if missing:
        raise ServiceUnreachable(
            f"{SCHEME}{bucket} needs credentials, and {' and '.join(missing)} in the environment are not set.",
            "Set them (in Airflow: for all of its components); docs/object_store.md says which rights they need.",
        )
    return _connected(bucket, tuple(map(os.environ.get, _NAMED_IN_ENVIRONMENT)))


@cache
def _connected(bucket: str, _environment: tuple[str | None, ...]) -> S3Store:
    return S3Store(
        bucket,
        region=_region(),
        client_options={
            "allow_http": _is_plain_http(),
            "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
            "timeout": timedelta(seconds=_ANSWER_SECONDS),
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    )


@contextmanager
def _told(place: ObjectPath) -> Iterator[None]:
    """Turn the store's errors into ones that name the way out; an object that is not there stays a FileNotFoundError."""
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise refused(str(place)) from error
    except InvalidPathError as error:
        raise InputMissing(
            f"{place} cannot be listed: {first_line(error)}.", "Rename that object: a key may not have empty parts or control characters."
        ) from error
    except BaseError as error:
        raise store_fault(str(error), str(place)) or unanswered(str(place), first_line(error)) from error


def objects_below(folder: ObjectPath) -> Iterator[StoredObject]:
    """List every object below a prefix, a thousand a request, in no order that counts.

    Raises:
        InputMissing: There is no such bucket, or a key that cannot be told.
        ServiceUnreachable: The store does not answer or refuses.
    """
    with _told(folder):
        for page in obstore.list(_store(folder.bucket), prefix=folder.key or None, chunk_size=1000):
            for found in page:
                place = ObjectPath(folder.bucket, found["path"])
                yield StoredObject(place, found["size"], found["last_modified"].astimezone(UTC), found["e_tag"] or "")


def require_credentials(place: ObjectPath) -> None:
    """Refuse to look for credentials anywhere but in the environment; deltalake would ask for them all over the network.

    Raises:
        ServiceUnreachable: They are not there.
    """
    _store(place.bucket)


def exists(place: ObjectPath) -> bool:
    """Whether there is an object."""
    try:
        with _told(place):
            obstore.head(_store(place.bucket), place.key)
    except FileNotFoundError:
        return False
    return True


def written_at(place: ObjectPath) -> datetime:
    """When an object was written, by the store's clock.

    Raises:
        FileNotFoundError: There is none.
    """
    with _told(place):
        return obstore.head(_store(place.bucket), place.key)["last_modified"].astimezone(UTC)


def read(place: ObjectPath) -> tuple[bytes, str]:
    """Read an object whole; gives its content and etag.

    Raises:
        FileNotFoundError: There is none.
        ServiceUnreachable: The store does not answer or refuses.
    """
    with _told(place):
        got = obstore.get(_store(place.bucket), place.key)
        return bytes(got.bytes()), got.meta["e_tag"] or ""


def write(place: ObjectPath, content: bytes | Path) -> None:
    """Write an object, or replace it, by bytes or a local file of any size."""
    try:
        with _told(place):
            obstore.put(_store(place.bucket), place.key, content)
    except FileNotFoundError:
        raise no_bucket(str(place)) from None


def create(place: ObjectPath, content: bytes) -> str | None:
    """Write an object where there is none; gives its etag, or None if there is one."""
    try:
        with _told_but_conflicts(place):
            return obstore.put(_store(place.bucket), place.key, content, mode="create")["e_tag"]
    except (AlreadyExistsError, PreconditionError):
        return None
    except FileNotFoundError:
        raise no_bucket(str(place)) from None


def replace(place: ObjectPath, content: bytes, etag: str) -> str | None:
    """Replace an object if it still is the one with this etag; gives the new etag, or None if it is another or gone."""
    try:
        with _told_but_conflicts(place):
            return obstore.put(_store(place.bucket), place.key, content, mode={"e_tag": etag})["e_tag"]
    except (PreconditionError, FileNotFoundError):
        return None


@contextmanager
def _told_but_conflicts(place: ObjectPath) -> Iterator[None]:
    conflict: BaseError | None = None
    with _told(place):
        try:
            yield
        except (AlreadyExistsError, PreconditionError) as error:
            conflict = error
    if conflict is not None:
        raise conflict


def remove(place: ObjectPath) -> None:
    """Remove an object, if it is there."""
    with _told(place), suppress(FileNotFoundError):
        obstore.delete(_store(place.bucket), place.key)


def remove_below(folder: ObjectPath) -> None:
    """Remove every object below a prefix."""
    keys = [found.place.key for found in objects_below(folder)]
    if keys:
        with _told(folder):
            obstore.delete(_store(folder.bucket), keys)


def open_listed(place: ObjectPath, size: int, etag: str) -> BinaryIO:
    """Open an object as it was listed; small ones are fetched at once. All its pieces are of one content, or reading them fails.

    Raises:
        FileNotFoundError: It is gone, or has other content now.
        PermissionError: It may not be read.
        ServiceUnreachable: The store does not answer.
    """
    if size <= _WHOLE:
        return io.BytesIO(_piece(place, etag, 0, size))
    return cast(BinaryIO, io.BufferedReader(_Pieces(place, size, etag), _WHOLE))


def _piece(place: ObjectPath, etag: str, begin: int, end: int) -> bytes:
    if begin == end:
        return b""
    try:
        with _told_but_conflicts(place):
            try:
                got = obstore.get(_store(place.bucket), place.key, options={"if_match": etag, "range": (begin, end)})
                return bytes(got.bytes())
            except PermissionDeniedError:
                raise PermissionError(f"{place} may not be read") from None
    except PreconditionError:
        raise FileNotFoundError(f"{place} was replaced") from None


class _Pieces(io.RawIOBase):
    """A large object, read piece by piece."""

    def __init__(self, place: ObjectPath, size: int, etag: str) -> None:
        self._place, self._size, self._etag, self._at = place, size, etag, 0

    def readable(self) -> bool:
        return True

    def readall(self) -> bytes:
        # The default asks for eight kilobytes a request.
        return b"".join(iter(lambda: self.read(_WHOLE) or b"", b""))

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer)).cast("B")
        content = _piece(self._place, self._etag, self._at, min(self._size, self._at + len(view), self._at + _WHOLE))
        view[: len(content)] = content
        self._at += len(content)
        return len(content)
