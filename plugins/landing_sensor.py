"""Wait for files without a worker: a deferrable sensor, and the trigger that looks for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async
from incidents import note_retry, open_incident

from spark_jobs.lake.snapshot import read_files
from spark_jobs.landing.find import LandingFile, arrived_at, find_files, new_files
from spark_jobs.landing.settle import Settling
from spark_jobs.locations import location

_SHOWN = 5


class LandingTrigger(BaseTrigger):
    """Fires once new or changed files stand still, or once another run of the DAG wants to start.

    Args:
        landing: Root of the landing zone.
        links_into: Folders outside it that links may lead into.
        lake: The lake, whose table `files` says what was read already.
        settle_seconds: How long a file must stand still.
        poll_seconds: Time between two looks.
        dag_id: The DAG that waits. With one run at a time, a waiting run would keep out one that a person started, so it makes way.
        not_before: After a failed run: files that arrived before it failed do not fire before this time (seconds since 1970).
        failed_at: When that run failed (seconds since 1970).
    """

    def __init__(
        self,
        *,
        landing: str,
        links_into: list[str],
        lake: str,
        settle_seconds: float,
        poll_seconds: float,
        dag_id: str,
        not_before: float = 0.0,
        failed_at: float = 0.0,
    ) -> None:
        super().__init__()
        self.landing, self.links_into, self.lake, self.dag_id = landing, links_into, lake, dag_id
        self.settle_seconds, self.poll_seconds = settle_seconds, poll_seconds
        self.not_before, self.failed_at = not_before, failed_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what the triggerer needs to go on with this after a restart."""
        names = ("landing", "links_into", "lake", "settle_seconds", "poll_seconds", "dag_id", "not_before", "failed_at")
        return "landing_sensor.LandingTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to say."""
        settling, complaint = Settling(self.settle_seconds), ""
        while True:
            try:
                if await self._another_run_waits():
                    yield TriggerEvent({"made_way": True})
                    return
                waiting = await asyncio.to_thread(self._look)
            except Exception as error:  # noqa: BLE001 - it waits for months: whatever fails now, the next look may find mended
                if str(error) != complaint:
                    complaint = str(error)
                    self.log.warning("The landing zone, the lake or Airflow cannot be asked, the watchdog tells people: %s", complaint)
                waiting = []
            settled = settling.settled(waiting, time.monotonic())
            if self._is_due(settled):
                yield TriggerEvent(_summary(settled, growing=len(waiting) - len(settled)))
                return
            await asyncio.sleep(self.poll_seconds)

    def _look(self) -> list[LandingFile]:
        return new_files(find_files(location(self.landing), list(map(Path, self.links_into))), read_files(location(self.lake)))

    def _is_due(self, settled: list[LandingFile]) -> bool:
        if self.not_before:
            return time.time() >= self.not_before or any((arrived_at(file) or 0.0) > self.failed_at for file in settled)
        return bool(settled)

    async def _another_run_waits(self) -> bool:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        return bool(await sync_to_async(RuntimeTaskInstance.get_dr_count)(dag_id=self.dag_id, states=["queued"]))


def _summary(files: list[LandingFile], *, growing: int) -> dict[str, Any]:
    return {
        "files": len(files),
        "bytes": sum(file.size for file in files),
        "oldest": min(file.modified_at for file in files).isoformat() if files else None,
        "first": [file.path for file in files[:_SHOWN]],
        "still_growing": growing,
    }


class LandingSensor(BaseSensorOperator):
    """Waits for new or changed files that stand still; holds no worker slot while it waits.

    Its XCom is a small summary: files, bytes, oldest (modified_at), first (a few paths), still_growing. A run that a person started, by
    UI, API or command, does not wait.

    Args:
        landing: Root of the landing zone.
        links_into: Folders outside it that links may lead into.
        lake: Where the lake is.
        settle_seconds: How long a file must stand still.
        retry_seconds: After a failed run, how long to wait before the same files are tried again.
    """

    def __init__(
        self, *, landing: str, links_into: list[str], lake: str, settle_seconds: float, retry_seconds: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.landing, self.links_into, self.lake = landing, links_into, lake
        self.settle_seconds, self.retry_seconds = settle_seconds, retry_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Hand over to the triggerer, unless somebody asked for this run."""
        run_type = context["dag_run"].run_type
        if run_type != "scheduled":
            return {"files": None, "asked_for_by": str(run_type)}
        incident = open_incident()
        trigger = LandingTrigger(
            landing=self.landing,
            links_into=self.links_into,
            lake=self.lake,
            settle_seconds=self.settle_seconds,
            poll_seconds=min(5.0, max(1.0, self.settle_seconds / 2)),
            dag_id=self.dag_id,
            not_before=incident.failed_at + self.retry_seconds if incident and incident.retryable else 0.0,
            failed_at=incident.failed_at if incident else 0.0,
        )
        raise TaskDeferred(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Take what the trigger saw.

        Raises:
            AirflowSkipException: Another run wants to start; this one ends without having done anything.
        """
        if event.get("made_way"):
            raise AirflowSkipException("Another run waits to start; this one, which was only waiting for files, makes way.")
        if not event["files"]:
            note_retry()
        return event
