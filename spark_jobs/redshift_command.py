"""`bin/songlake redshift`: manifests in S3, and the SQL by which Redshift follows the warehouse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pyarrow import fs

from spark_jobs.contracts import STAR
from spark_jobs.errors import BadUsage, InputMissing, ServiceUnreachable
from spark_jobs.lake.data_files import data_files
from spark_jobs.lake.history import is_of_this_history, require_history
from spark_jobs.lake.log import Position, Positions
from spark_jobs.locations import SCHEME, Location, ObjectPath
from spark_jobs.pipeline import warehouse_url
from spark_jobs.settings import Settings
from spark_jobs.warehouse import batches, redshift
from spark_jobs.warehouse.connection import connect, session_name


def follow(
    settings: Settings, *, lake_url: str | None, manifests: str, role: str, after: Path | None, tell: Callable[[str], None] = lambda _: None
) -> str:
    """Write manifests to S3 and give the transaction that brings Redshift to what is live in PostgreSQL.

    Args:
        settings: Where lake and warehouse are.
        lake_url: Where Redshift finds the lake's files, `s3://BUCKET/FOLDER`; None where the lake itself is in S3.
        manifests: Folder for manifests, `s3://BUCKET/FOLDER`; a manifest that is there already is the same.
        role: IAM role of the load, or `default`.
        after: What Redshift's ops.published holds, a line a table as psql's --no-align prints it; None loads every table whole.
        tell: Is told which table's manifests are written.

    Raises:
        BadUsage: An address, the role, or a line of `after` cannot be used.
        InputMissing: Nothing is live yet, or it was loaded from another lake, or this one was brought back from a backup since.
        ServiceUnreachable: S3 does not answer or refuses.
    """
    lake_url = lake_url or _in_s3(settings.lake)
    for url in (lake_url, manifests):
        redshift.require_s3(url)
    held = read_positions(after.read_text(encoding="utf-8")) if after else {}
    loads = list(_loads(settings.lake, held, _live(settings)))
    if not loads:
        return "-- Redshift holds what is live.\n"
    statements = redshift.script(loads, manifests, role)
    for load in loads:
        tell(f"manifests of {load.table.name}")
        for name, document in redshift.manifests(load, lake_url).items():
            _write(redshift.manifest_url(manifests, load, name), document)
    return statements


def _in_s3(lake: Location) -> str:
    if isinstance(lake, ObjectPath):
        return "s3://" + str(lake).removeprefix(SCHEME)
    raise BadUsage(
        f"The lake in {lake} is on this machine, where Redshift reads nothing.", "Copy it to S3 and name the copy with --lake-url."
    )


def read_positions(text: str) -> Positions:
    """Read lines of `table_name|delta_table_id|delta_version|delta_written_at`.

    Raises:
        BadUsage: A line is not one.
    """
    positions = {}
    for line in filter(None, text.splitlines()):
        try:
            name, table_id, version, written_at = line.split("|")
            positions[name] = Position(table_id, int(version), int(written_at))
        except ValueError:
            raise BadUsage(
                f"{line!r} does not say how far a table has come.",
                "Take it from Redshift: SELECT table_name, delta_table_id, delta_version, delta_written_at FROM ops.published.",
            ) from None
    return positions


def _live(settings: Settings) -> Positions:
    with connect(warehouse_url(settings), application_name=session_name("redshift")) as connection:
        live = batches.published(connection) if batches.has_books(connection) else {}
    if not any(table.name in live for table in STAR):
        raise InputMissing("Nothing is live in the warehouse yet, so there is nothing to follow.", "Run bin/songlake run first.")
    return live


def _loads(lake: Location, held: Positions, live: Positions) -> Iterator[redshift.Load]:
    """Tell which files each table gained and lost, for those that Redshift does not hold as they are live."""
    for table in STAR:
        target, base = live.get(table.name), held.get(table.name)
        if target is None or target == base:
            continue
        require_history(lake, table, target)
        # A position without a time is that of a table nobody had written to; the log may no longer tell of it.
        if base and not (base.written_at and base.version <= target.version and is_of_this_history(lake, table, base)):
            base = None
        now = data_files(lake, table, target)
        before = data_files(lake, table, base) if base else {}
        yield redshift.Load(table, base, target, arrived=_without(now, before), gone=_without(before, now))


def _without(files: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {path: size for path, size in files.items() if path not in others}


def _write(url: str, document: Mapping[str, object]) -> None:
    try:
        system, path = fs.FileSystem.from_uri(url)
        with system.open_output_stream(path) as stream:
            stream.write(json.dumps(document, indent=1).encode())
    except OSError as error:
        raise ServiceUnreachable(
            f"The manifests cannot be written ({str(error).splitlines()[0][:200]}).",
            "See that the bucket is there and that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may write to it.",
        ) from error
