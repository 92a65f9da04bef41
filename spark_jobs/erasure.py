"""Erase a person: out of the landing zone's files, the lake with its history, and the warehouse. docs/personal_data.md tells what stays.

bin/songlake erase 26
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spark_jobs.errors import GateFailed, InputMissing
from spark_jobs.lake import snapshot
from spark_jobs.lake.creation import create_missing
from spark_jobs.lake.lock import lake_lock
from spark_jobs.landing.find import Landing, LandingFile, find_files
from spark_jobs.landing.held import Held, find_rows
from spark_jobs.landing.person import Person
from spark_jobs.landing.rewrite import Found, Obstacle, clear_leftovers, find_lines, rewrite
from spark_jobs.lineage import Lineage
from spark_jobs.locations import on_disk
from spark_jobs.pause import pause_at
from spark_jobs.pipeline import Summary, check_and_publish, warehouse_url, writing
from spark_jobs.settings import Settings
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.check import failed
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.vacuum import vacuum

if TYPE_CHECKING:
    from spark_jobs.console import Stages
    from spark_jobs.landing.ingest import Ingested

_NAMED = 5
_ERASING = "bin/songlake erase"


@dataclass(frozen=True)
class Traces:
    """Where a person's lines are.

    Attributes:
        landing: The landing zone as it was searched.
        found: The files of it that hold lines of theirs, each real file once.
        held: Their rows in the lake, by file.
        obstacles: Files that keep the erasure from being complete, and why.
    """

    landing: Landing
    found: list[Found]
    held: dict[str, Held]
    obstacles: dict[str, str]

    @property
    def lines(self) -> int:
        """How many lines of files are theirs."""
        return sum(found.lines for found in self.found)

    def by_file(self) -> dict[str, tuple[int, int]]:
        """Give lines in the landing zone and rows in the lake, by file."""
        lines = {found.file.path: found.lines for found in self.found}
        held = {path: rows.rows for path, rows in self.held.items()}
        both = {path: (lines.get(path, 0), held.get(path, 0)) for path in sorted(lines.keys() | held.keys())}
        return {path: counts for path, counts in both.items() if any(counts)}


@dataclass
class Erased:
    """What an erasure did; counts only.

    Attributes:
        files: Landing files that were rewritten.
        lines: Lines that were taken out of them.
        withdrawn: Rows of files that are no longer in the landing zone that were taken out of the lake.
        removed: Data files of the lake's history that were removed.
        summary: What the load of it did to the warehouse.
    """

    files: int = 0
    lines: int = 0
    withdrawn: int = 0
    removed: int = 0
    summary: Summary = field(default_factory=Summary)


def search(settings: Settings, person: Person, tell: Callable[[str], None]) -> Traces:
    """Look for a person's lines in the landing zone, accepted, repeated or refused, and for their rows in the lake; changes nothing.

    Raises:
        BadUsage: Landing zone or lake is in an object store.
        InputMissing: The landing zone cannot be listed.
        LakeChanged: The lake was changed behind Songlake's back.
    """
    on_disk(settings.lake, _ERASING)
    landing = find_files(on_disk(settings.landing, _ERASING), settings.links_into)
    found: dict[object, Found] = {}
    obstacles: dict[str, str] = {}
    for file in landing.files:
        tell(file.path)
        try:
            one = find_lines(file, person)
        except Obstacle as obstacle:
            obstacles[file.path] = str(obstacle)
            continue
        if one.lines:
            before = found.setdefault(on_disk(file.location, _ERASING).resolve(), one)
            if before.instead != one.instead:
                obstacles[file.path] = f"it is the same file as {before.file.path}, of another kind"
    return Traces(landing, list(found.values()), find_rows(settings.lake, person, landing), obstacles)


def erase(settings: Settings, person: Person, stages: Stages) -> Erased:
    """Erase a person; where it was broken off, the next call goes on.

    Raises:
        BadUsage: Landing zone or lake is in an object store.
        InputMissing: Files cannot be searched or rewritten (nothing was changed), or changed meanwhile.
        LockHeld: Another run is writing.
        GateFailed: The gate refused the batch; the person is still in the live warehouse and in the lake's history.
        SonglakeError: As the stages of a run do.
    """
    for place in (settings.landing, settings.lake):
        on_disk(place, _ERASING)
    url = warehouse_url(settings)
    erased = Erased(summary=Summary(seconds=stages.seconds))
    with writing(url, "erase") as (connection, notes), lake_lock(settings.lake, "songlake erase"):
        erased.summary.notes = notes
        if snapshot.counted_positions(settings.lake):
            snapshot.undo_unfinished_batch(settings.lake)
        elif batches.published(connection):
            raise InputMissing(
                f"There is no lake in {settings.lake}, but the warehouse holds what was made from one, so nothing was changed.",
                "Name the lake by --lake, or let `bin/songlake run` build it anew; then erase.",
            )
        with stages.stage("search") as tell:
            traces = search(settings, person, tell)
        refuse_obstacles(traces.obstacles)
        with stages.stage("rewrite") as tell:
            _rewrite(traces, erased, tell)
        pause_at("rewritten")
        if snapshot.counted_positions(settings.lake):
            with Lineage(settings, connection, whole="erase").run() as lineage:
                _erase_from_lake(settings, person, traces.held, erased, stages, lineage)
                _publish(settings, url, connection, erased.summary, stages, lineage)
            _forget(settings, connection, erased, stages)
    return erased


def refuse_obstacles(obstacles: dict[str, str]) -> None:
    """Refuse to begin what could not be completed.

    Raises:
        InputMissing: There are obstacles; the sentence names the first of them.
    """
    if obstacles:
        named = [f"{path} ({why})" for path, why in list(obstacles.items())[:_NAMED]]
        more = [f"and {len(obstacles) - _NAMED:,} more"] if len(obstacles) > _NAMED else []
        raise InputMissing(
            f"Files of the landing zone cannot be searched or rewritten, so nothing was changed: {', '.join([*named, *more])}.",
            "Mend them, or take them out of the landing zone, then run this again.",
        )


def _rewrite(traces: Traces, erased: Erased, tell: Callable[[str], None]) -> None:
    clear_leftovers(traces.landing.files)
    for found in traces.found:
        tell(found.file.path)
        try:
            rewrite(found)
        except Obstacle as obstacle:
            raise InputMissing(f"{found.file.path} was left as it is: {obstacle}.", "Run this again; it goes on.") from None
        except OSError as error:
            raise InputMissing(
                f"{found.file.path} could not be rewritten: {error.strerror or error}.",
                "Let this user write to its folder, with room for a copy of it, then run this again; it goes on.",
            ) from error
        erased.files, erased.lines = erased.files + 1, erased.lines + found.lines


def _erase_from_lake(settings: Settings, person: Person, held: dict[str, Held], erased: Erased, stages: Stages, lineage: Lineage) -> None:
    """Read the files again that still are there, and withdraw the rows of those that are not; derive the star from what is left."""
    from spark_jobs.lake.forget import begin_anew
    from spark_jobs.lake.tables import Lake
    from spark_jobs.landing.ingest import ingest
    from spark_jobs.landing.spool import clear_spool
    from spark_jobs.landing.withdraw import withdraw
    from spark_jobs.session import start_session
    from spark_jobs.star_refresh import refresh_star

    clear_spool(settings.lake)
    create_missing(settings.lake)
    with stages.stage("ingest"), lineage.stage("ingest"):
        there = [file for file in find_files(settings.landing, settings.links_into).files if file.path in held and file.cause is None]
        if there:
            _refuse_changed(there, ingest(Landing(there), settings.lake, start_session, again=there))
        pause_at("read again")
        gone = {path: held[path] for path in held.keys() - {file.path for file in there} if held[path].rows}
        lake = Lake(start_session(), settings.lake)
        if gone:
            withdraw(lake, person, gone, datetime.now(UTC))
            erased.withdrawn = sum(rows.rows for rows in gone.values())
        pause_at("withdrawn")
    with stages.stage("build_star"), lineage.stage("build_star"):
        refresh_star(settings.lake, start_session)
        pause_at("refreshed")
        begin_anew(lake, datetime.now(UTC))
        pause_at("begun anew")


def _refuse_changed(files: list[LandingFile], ingested: Ingested) -> None:
    changed = sorted({file.path for file in files} - {file.path for file in ingested.files})
    if changed:
        raise InputMissing(f"{changed[0]} changed while it was read; what the lake holds of it stayed.", "Run this again; it goes on.")


def _publish(settings: Settings, url: str, connection: Connection, summary: Summary, stages: Stages, lineage: Lineage) -> None:
    from spark_jobs.session import start_session
    from spark_jobs.warehouse.stage import Target, stage

    with stages.stage("load_postgres"), lineage.stage("load_postgres"):
        summary.load_batch = stage(settings.lake, Target(url, connection, settings.warehouse.connections), start_session)
    check_and_publish(connection, settings, summary, stages, lineage)
    refused = failed(summary.checks)
    if refused:
        raise GateFailed(
            f"The quality gate refused batch {summary.load_batch} ({', '.join(result.name for result in refused)}). The person is out of "
            "the files and of what the lake holds now, but still in the live warehouse and in the lake's history.",
            f"Mend the files, or overrule it on record: bin/songlake accept {summary.load_batch} --reason TEXT. Then erase again.",
        )
    pause_at("live")


def _forget(settings: Settings, connection: Connection, erased: Erased, stages: Stages) -> None:
    from spark_jobs.lake.forget import forget_history

    with stages.stage("vacuum"):
        erased.removed = forget_history(on_disk(settings.lake, _ERASING))
        refusals = vacuum(connection, settings.warehouse.lock_timeout_seconds)
    if refusals:
        said = f"PostgreSQL left {len(refusals)} tables undone ({refusals[0]})"
        erased.summary.notes.append(f"{said}; have their owner run VACUUM (ANALYZE) on the tables of dwh, staging and ops.files.")
