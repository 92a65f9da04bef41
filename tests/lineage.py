"""Lineage that was told to files: read it, and see that OpenLineage's own classes take it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run, parent_run

Event = dict[str, Any]


def tell_to(folder: Path, environment: pytest.MonkeyPatch) -> None:
    """Switch lineage on, to files of a folder."""
    environment.delenv("OPENLINEAGE_DISABLED", raising=False)
    environment.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", transport(folder))
    environment.setattr("spark_jobs.lineage._given_up", [])


def transport(folder: Path) -> str:
    """The transport that writes one file an event into a folder."""
    return json.dumps({"type": "file", "log_file_path": str(folder / "event")})


def told(folder: Path) -> list[Event]:
    """All events, in the order in which they were told."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("event-*.json"))]


def endings(events: list[Event]) -> list[tuple[str, str]]:
    """Job and kind of each event."""
    return [(event["job"]["name"], event["eventType"]) for event in events]


def names(datasets: list[Event]) -> list[str]:
    """Names of datasets, in order."""
    return [dataset["name"] for dataset in datasets]


def parse(event: Event) -> RunEvent:
    """Read an event by OpenLineage's own classes, which refuse keys, times and ids that its schema does not have."""
    run, job, facets = event["run"], event["job"], dict(event["run"]["facets"])
    makers: dict[str, Callable[[Event], Any]] = {
        "parent": lambda facet: parent_run.ParentRunFacet(run=parent_run.Run(**facet["run"]), job=parent_run.Job(**facet["job"])),
        "errorMessage": lambda facet: error_message_run.ErrorMessageRunFacet(
            message=facet["message"], programmingLanguage=facet["programmingLanguage"]
        ),
    }
    read = {name: makers[name](facet) for name, facet in facets.items()}
    for name, facet in read.items():
        assert facet._schemaURL == facets[name]["_schemaURL"]
    parsed = RunEvent(
        eventType=RunState[event["eventType"]],
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=Run(runId=run["runId"], facets=read),
        job=Job(**job),
        inputs=[InputDataset(**dataset) for dataset in event["inputs"]],
        outputs=[OutputDataset(**dataset) for dataset in event["outputs"]],
    )
    assert parsed.schemaURL == event["schemaURL"]
    assert set(event) == {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"}
    return parsed
