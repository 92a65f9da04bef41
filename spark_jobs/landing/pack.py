"""Pack landing files into a few Parquet files of typed rows, so that Spark meets neither small files, odd names, gzip nor broken text.

Packing reads each file once. What it sees is what the batch holds, whatever happens to the file meanwhile. A row holds the line as it
stands in the file and its fields, cleaned and typed; whether they are valid is for Spark to say.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from spark_jobs.landing.csv_records import csv_header, csv_lines
from spark_jobs.landing.fields import FIELDS
from spark_jobs.landing.find import LandingFile
from spark_jobs.landing.lines import Lines, Unreadable, song_lines, text_lines, without_long_texts
from spark_jobs.landing.opening import Changed, Fetched, fetch_ahead, opened
from spark_jobs.landing.rows import RowMaker, Rows, first_of_each
from spark_jobs.landing.text import Fields

_BLOCK_BYTES = 16 << 20
"""Text of lines that is read at once and becomes a row group."""
_BLOCKS_WAITING = 2
_LONGEST_LINE = 64 << 20
"""Bytes; a line in memory is many times as large on its way through Python and Spark."""


@dataclass(frozen=True)
class PackedFile:
    """What packing found in one file.

    Attributes:
        file: The file as it was found.
        file_id: Its number in the packed rows.
        lines: Non-blank lines, records or values.
        cause: Why nothing of it is accepted; None if it could be read.
        unknown_keys: Keys that no field has, the first of them.
    """

    file: LandingFile
    file_id: int
    lines: int
    cause: str | None
    unknown_keys: tuple[str, ...] = ()


def pack(files: list[LandingFile], folder: Path, progress: Callable[[LandingFile], None] | None = None) -> list[PackedFile]:
    """Read files and write their lines to `folder/<kind>.parquet`; `spark_jobs.landing.rows.schema_of` has the columns.

    Rows of a file that turns out to be unreadable halfway may be among them: callers leave out the ids of files with a cause. A file that
    changes while it is read is left out of the answer altogether, so that the next run takes it.

    Returns:
        One entry for each file that stood still, in the order given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packed = []
    with ThreadPoolExecutor(_BLOCKS_WAITING) as pool, ExitStack() as open_writers:
        writers = {kind: open_writers.enter_context(_Writer(folder / f"{kind}.parquet", fields, pool)) for kind, fields in FIELDS.items()}
        for file_id, (file, fetched) in enumerate(fetch_ahead(files)):
            lines, cause = 0, file.cause
            try:
                if cause is None:
                    for chunk in map(without_long_texts, read_lines(file, fetched)):
                        lines += len(chunk)
                        writers[file.kind].add(file_id, chunk)
            except Unreadable as error:
                lines, cause = 0, str(error)
            except Changed:
                continue
            packed.append(PackedFile(file, file_id, lines, cause))
            if progress is not None:
                progress(file)
        named = {file_id: keys for writer in writers.values() for file_id, keys in writer.finish().items()}
    return [replace(one, unknown_keys=() if one.cause else named.get(one.file_id, ())) for one in packed]


class _Writer:
    """Collects lines and writes them as typed rows; blocks are read by other threads meanwhile."""

    def __init__(self, path: Path, fields: Fields, pool: ThreadPoolExecutor) -> None:
        self._maker, self._pool = RowMaker(fields), pool
        self._writer = pq.ParquetWriter(path, self._maker.schema, compression="none", use_dictionary=False, write_statistics=False)
        self._lines: list[tuple[int, Lines]] = []
        self._bytes = 0
        self._blocks: deque[Future[Rows]] = deque()
        self._unknown: dict[int, tuple[str, ...]] = {}

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, file_id: int, lines: Lines) -> None:
        self._lines.append((file_id, lines))
        self._bytes += lines.lines.nbytes
        if self._bytes >= _BLOCK_BYTES:
            self._submit()

    def finish(self) -> dict[int, tuple[str, ...]]:
        """Write what is left; gives the unknown keys by file_id."""
        self._submit()
        while self._blocks:
            self._write_one()
        return self._unknown

    def _submit(self) -> None:
        if self._lines:
            self._blocks.append(self._pool.submit(self._maker.rows, self._lines))
            self._lines, self._bytes = [], 0
        if len(self._blocks) > _BLOCKS_WAITING:
            self._write_one()

    def _write_one(self) -> None:
        rows = self._blocks.popleft().result()
        table = pa.Table.from_batches(rows.batches, self._maker.schema)
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._unknown = first_of_each([*self._unknown.items(), *rows.unknown.items()])


def read_lines(file: LandingFile, fetched: Fetched | None = None) -> Iterator[Lines]:
    """Read a file's lines in chunks; an object's content may have been fetched ahead.

    Raises:
        Unreadable: Nothing of the file may be accepted.
        Changed: The file is not the one that was found any more.
        ServiceUnreachable: The object store does not answer.
    """
    try:
        with opened(file, fetched) as raw:
            content = unpacked(file, raw)
            text, fields = _Utf8(content), FIELDS[file.kind]
            if file.is_csv:
                yield from csv_lines(text, fields)
            elif file.kind == "songs":
                yield from song_lines(text, fields)
            else:
                yield from text_lines(text)
    except FileNotFoundError:
        raise Changed from None
    except PermissionError:
        raise Unreadable("no permission to read it") from None
    except EOFError:
        raise Unreadable("the gzip stream is cut") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unreadable(f"not a gzip file ({error})") from None
    except OSError as error:
        raise Unreadable(f"it cannot be read ({error.strerror})") from None


def read_header(file: LandingFile) -> list[str] | None:
    """Give the names of a CSV file's columns, or None where no reader can tell them."""
    with suppress(OSError, EOFError, zlib.error, csv.Error, Unreadable, Changed), opened(file) as raw:
        return csv_header(_Utf8(unpacked(file, raw)))
    return None


def unpacked(file: LandingFile, raw: BinaryIO) -> BinaryIO:
    """Give the content of an opened file, without gzip."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if file.is_gzip and file.size else raw


class _Utf8:
    """Reads a stream in pieces that end where a line ends, as valid UTF-8, outside CSV with a line feed for every line end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._begun = False

    def pieces(self, *, size: int = 16 << 20, ends: bool = True) -> Iterator[bytes]:
        """Give the stream piece by piece; with `ends=False` line ends are left as they are."""
        left = b""
        while block := self._stream.read(size):
            if not self._begun:
                block = self._begin(block)
            left += block
            _refuse_long_line(left)
            cut = left.rfind(b"\n") + 1
            if not cut:
                # A lone carriage return ends a line too, unless its line feed is still to come.
                cut = left.rfind(b"\r", 0, len(left) - 1) + 1
            if cut:
                yield self._clean(left[:cut], ends)
                left = left[cut:]
        if left:
            yield self._clean(left, ends)

    def _begin(self, block: bytes) -> bytes:
        self._begun = True
        if (
            block[:2] in (b"\xff\xfe", b"\xfe\xff")
            or (len(block) > 1 and (block[0] == 0) != (block[1] == 0))
            or block[:4] == b"\0\0\xfe\xff"
        ):
            raise Unreadable("the text is UTF-16 or UTF-32, not UTF-8")
        return block

    @staticmethod
    def _clean(piece: bytes, ends: bool) -> bytes:
        if ends and b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if piece.isascii():
            return piece
        try:
            piece.decode("utf-8")
        except UnicodeDecodeError:
            return piece.decode("utf-8", "replace").encode("utf-8")
        return piece


def _refuse_long_line(text: bytes) -> None:
    """Refuse a file whose text goes on with a line that is too long."""
    if len(text) > _LONGEST_LINE:
        found = [place for place in (text.find(b"\n"), text.find(b"\r")) if place >= 0]
        if min(found, default=len(text)) > _LONGEST_LINE:
            raise Unreadable(f"a line of it is longer than {_LONGEST_LINE >> 20} MiB")
