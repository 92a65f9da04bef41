"""The whole pipeline in one process and one Spark session: ingest, build_star, load_postgres, check_quality, publish."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from spark_jobs.command_line import Lake, Landing, entry
from spark_jobs.errors import GateFailed, ServiceUnreachable
from spark_jobs.lake import snapshot
from spark_jobs.lake.lock import lake_lock
from spark_jobs.lake.snapshot import FileRecord
from spark_jobs.landing.find import find_files, new_files, unreadable_before
from spark_jobs.lineage import Lineage, refusal
from spark_jobs.settings import Settings
from spark_jobs.warehouse import batches, embedded, schema
from spark_jobs.warehouse.check import CheckResult, check, failed, way_out
from spark_jobs.warehouse.connection import Connection, connect, session_name
from spark_jobs.warehouse.lock import writer_lock
from spark_jobs.warehouse.publish import TableChange, publish
from spark_jobs.warehouse.silence import broken_off_in_silence

if TYPE_CHECKING:
    from spark_jobs.console import Stages


@dataclass
class Summary:
    """What a run did, for people and programs.

    Attributes:
        ingest_batch: The ingest's batch, or None where no file was new.
        load_batch: The load's batch, or None where everything was published.
        published: Whether the load's batch is live.
        files: Files that were read.
        reasons: Refused lines by reason.
        star: Star tables that were written.
        checks: What the gate found.
        tables: Rows before and after by table, once published.
        seconds: Time by stage.
        notes: What else a person should know.
    """

    ingest_batch: str | None = None
    load_batch: str | None = None
    published: bool = False
    files: tuple[FileRecord, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    star: list[str] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    tables: dict[str, TableChange] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def warehouse_url(settings: Settings) -> str:
    """Give the warehouse's address: WAREHOUSE_URL, else the embedded PostgreSQL's, which is made and started if need be.

    Raises:
        ServiceUnreachable: The embedded PostgreSQL was stopped by hand, or cannot be started.
    """
    if settings.warehouse_url is not None:
        return settings.warehouse_url.get_secret_value()
    if embedded.was_stopped(settings.postgres_home):
        raise ServiceUnreachable(
            f"The embedded PostgreSQL in {settings.postgres_home} was stopped with 'bin/songlake db stop'.",
            "Start it with 'bin/songlake db start', or set WAREHOUSE_URL.",
        )
    return embedded.start(settings.postgres_home)


@contextmanager
def writing(url: str, command: str) -> Iterator[tuple[Connection, list[str]]]:
    """Connect as the one writer of the warehouse, its schema made or upgraded; gives the notes of that too.

    Raises:
        ServiceUnreachable: PostgreSQL does not answer or refuses.
        LockHeld: Another run is writing.
    """
    name = session_name(command)
    with connect(url, application_name=name) as connection, broken_off_in_silence(connection, url), writer_lock(connection, name):
        yield connection, schema.ensure(connection)


def run(settings: Settings, stages: Stages) -> Summary:
    """Bring lake, star and warehouse up to date with the landing zone.

    Returns:
        What was done; where the gate refused the batch, `published` is False and `checks` say why.

    Raises:
        SonglakeError: As the stages do; what they had committed stays and the next run goes on from there.
    """
    url = warehouse_url(settings)
    summary = Summary(seconds=stages.seconds)
    with writing(url, "run") as (connection, notes), lake_lock(settings.lake, "songlake run"):
        summary.notes = notes
        with Lineage(settings, connection, whole="run").run() as lineage:
            _ingest(settings, summary, stages, lineage)
            with stages.stage("build_star"):
                summary.star = _refresh_star(settings, lineage)
            with stages.stage("load_postgres"):
                summary.load_batch = _stage(settings, url, connection, lineage)
            if summary.load_batch is not None:
                check_and_publish(connection, settings, summary, stages, lineage)
    return summary


# What is asked first needs neither Spark nor its packages, whose import alone takes a second: a run with nothing to do starts none of them.


def _ingest(settings: Settings, summary: Summary, stages: Stages, lineage: Lineage) -> None:
    with stages.stage("ingest") as tell:
        landing = find_files(settings.landing, settings.links_into)
        if landing.unrecognised:
            summary.notes.append(f"{len(landing.unrecognised):,} files were not recognised; 'bin/songlake status' lists them.")
        known = snapshot.read_files(settings.lake)
        fresh = new_files(landing, known)
        if known and not fresh and not unreadable_before(landing, known):
            return
        from spark_jobs.landing.ingest import ingest
        from spark_jobs.session import LARGE_BYTES, start_session

        size = sum(file.size for file in fresh)
        with lineage.stage("ingest"):
            spark = partial(start_session, full_compiler=size >= LARGE_BYTES)
            ingested = ingest(landing, settings.lake, spark, lambda file: tell(file.path))
    summary.ingest_batch, summary.files, summary.reasons = ingested.batch_id, ingested.files, ingested.reasons
    summary.notes += taken_back(ingested.undone)


def taken_back(tables: Iterable[str]) -> list[str]:
    """Say from which lake tables an ingest took back a batch that never finished."""
    return [f"A batch that never finished was taken back from {name}." for name in tables]


def _refresh_star(settings: Settings, lineage: Lineage) -> list[str]:
    if not snapshot.stale_star_tables(settings.lake):
        return []
    from spark_jobs.session import start_session
    from spark_jobs.star_refresh import refresh_star

    with lineage.stage("build_star"):
        return refresh_star(settings.lake, start_session)


def _stage(settings: Settings, url: str, connection: Connection, lineage: Lineage) -> str | None:
    if snapshot.positions_to_publish(settings.lake) == batches.published(connection):
        return None
    from spark_jobs.session import start_session
    from spark_jobs.warehouse.stage import Target, stage

    with lineage.stage("load_postgres"):
        return stage(settings.lake, Target(url, connection, settings.warehouse.connections), start_session)


def check_and_publish(connection: Connection, settings: Settings, summary: Summary, stages: Stages, lineage: Lineage) -> None:
    """Ask the gate about the staged batch and publish it if it lets it through."""
    assert summary.load_batch is not None  # noqa: S101 - callers staged it
    with stages.stage("check_quality"), lineage.stage("check_quality") as told:
        summary.checks = check(connection, summary.load_batch, settings.gate)
        told.refused = refusal(summary.checks)
    if not failed(summary.checks):
        with stages.stage("publish"), lineage.stage("publish"):
            summary.tables = publish(connection, summary.load_batch, settings.warehouse)
        summary.published = True


def refuse_if_failed(summary: Summary) -> None:
    """Say which checks keep the batch out.

    Raises:
        GateFailed: One or more do.
    """
    refused = failed(summary.checks)
    if refused:
        findings = "; ".join(f"{result.name} ({result.about.rstrip('.')}: {result.detail})" for result in refused)
        raise GateFailed(
            f"The quality gate refused batch {summary.load_batch}: {findings}. What was live stays live.",
            way_out(str(summary.load_batch), [result.name for result in refused]),
        )


def main(landing: Landing = None, lake: Lake = None) -> None:
    """Run the whole pipeline in one Spark session, the same as bin/songlake run.

    The warehouse is that of WAREHOUSE_URL, else the embedded PostgreSQL.

    Example:
        bin/spark-submit spark_jobs/pipeline.py --landing data/landing
    """
    from spark_jobs import settings as settings_module
    from spark_jobs.console import Stages, run_command
    from spark_jobs.report import print_summary

    def command() -> None:
        summary = run(settings_module.load(landing=landing, lake=lake), Stages())
        print_summary(summary)
        refuse_if_failed(summary)

    sys.exit(run_command(command))


if __name__ == "__main__":
    entry(main)
