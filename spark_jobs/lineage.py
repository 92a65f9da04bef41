"""OpenLineage events of every run, whichever way it was started: which stage read what and wrote what, and how it ended.

The names of jobs and datasets, and why events are made here, are in docs/adr/0017-lineage-from-the-stages.md. Telling never fails a run.
"""

from __future__ import annotations

import glob
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from spark_jobs.contracts import CATALOG, EVENTS, FILES, LAKE, SONGPLAYS, STAGED, STAR, USERS, Table
from spark_jobs.errors import SonglakeError
from spark_jobs.lake.log import lake_path
from spark_jobs.locations import Location, ObjectPath
from spark_jobs.settings import PROJECT, Settings
from spark_jobs.warehouse.check import CheckResult, failed
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.contracts import MARTS, MODEL_RUNS, RECOMMENDATIONS

PARENT = "OPENLINEAGE_PARENT_ID"
"""Variable that names the run which started this one, as `namespace/job/run id`."""
FOLDER = PROJECT / "data" / "logs" / "lineage"
"""Where events go unless a transport is set."""

ELSEWHERE = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT")
"""Beginnings of OpenLineage's own variables that say where events go."""

_PRODUCER = "urn:songlake"
_SPEC = "https://openlineage.io/spec/"

Event = dict[str, Any]
Datasets = list[dict[str, str]]


@dataclass
class Told:
    """What may be said of a stage while it works.

    Attributes:
        refused: Why it failed although nothing was raised; the gate refuses so.
    """

    refused: str | None = None


@dataclass
class Lineage:
    """Tells of the stages of one run.

    Attributes:
        settings: Where landing zone and lake are.
        connection: To the warehouse, whose address names its tables.
        parent: The run that started this one, `namespace/job/run id`.
        whole: Name of the run itself, which begins with its first stage; None where one stage is all there is.
    """

    settings: Settings
    connection: Connection | None = None
    parent: str | None = field(default_factory=lambda: os.environ.get(PARENT))
    whole: str | None = None
    _run: str | None = None
    _failed: str | None = None

    @contextmanager
    def run(self) -> Iterator[Lineage]:
        """Tell how the whole ends; a run in which no stage had anything to do is not told of."""
        try:
            yield self
        except BaseException as error:
            self._failed = _said(error)
            raise
        finally:
            if self._run is not None:
                self._tell("FAIL" if self._failed else "COMPLETE", self.whole, self._run, self.parent, self._failed)

    @contextmanager
    def stage(self, name: str) -> Iterator[Told]:
        """Tell of one stage: that it began, and how it ended."""
        parent = self._begun()
        run, told = str(uuid.uuid4()), Told()
        self._tell("START", name, run, parent)
        try:
            yield told
        except BaseException as error:
            told.refused = _said(error)
            raise
        finally:
            self._failed = told.refused or self._failed
            self._tell("FAIL" if told.refused else "COMPLETE", name, run, parent, told.refused)

    def _begun(self) -> str | None:
        """Give what stages have as parent; the whole run begins by that."""
        if self.whole is None:
            return self.parent
        if self._run is None:
            self._run = str(uuid.uuid4())
            self._tell("START", self.whole, self._run, self.parent)
        return f"{_namespace()}/{self.whole}/{self._run}"

    def _tell(self, kind: str, job: str | None, run: str, parent: str | None, failed: str | None = None) -> None:
        """Tell one event; where that cannot be done, say so once and go on."""
        if _given_up or _is_off():
            return
        try:
            reads, writes = ([], []) if job == self.whole else _datasets(str(job), self.settings, self.connection)
            _emit(
                {
                    "eventType": kind,
                    "eventTime": datetime.now(UTC).isoformat(),
                    "producer": _PRODUCER,
                    "schemaURL": f"{_SPEC}2-0-2/OpenLineage.json#/$defs/RunEvent",
                    "run": {"runId": run, "facets": {**_parent_facet(parent), **_error_facet(failed)}},
                    "job": {"namespace": _namespace(), "name": job, "facets": {}},
                    "inputs": reads,
                    "outputs": writes,
                }
            )
        except Exception as error:  # noqa: BLE001 - no run fails because it could not be told of
            _given_up.append(type(error).__name__)
            structlog.get_logger().warning("lineage could not be told; this process goes on without", error=type(error).__name__)


def _namespace() -> str:
    return os.environ.get("OPENLINEAGE_NAMESPACE") or os.environ.get("AIRFLOW__OPENLINEAGE__NAMESPACE") or "songlake"


def _said(error: BaseException) -> str:
    """Say what went wrong, with no row of a person in it: of an error that is not ours, only its name."""
    return error.what if isinstance(error, SonglakeError) else type(error).__name__


def _parent_facet(parent: str | None) -> Event:
    namespace, _, rest = (parent or "").partition("/")
    job, _, run = rest.rpartition("/")
    if not run:
        return {}
    return {"parent": {**_facet("1-2-0", "ParentRunFacet"), "run": {"runId": run}, "job": {"namespace": namespace, "name": job}}}


def _error_facet(failed: str | None) -> Event:
    if failed is None:
        return {}
    return {"errorMessage": {**_facet("1-0-1", "ErrorMessageRunFacet"), "message": failed, "programmingLanguage": "PYTHON"}}


def _facet(version: str, name: str) -> Event:
    return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}facets/{version}/{name}.json#/$defs/{name}"}


def _datasets(stage: str, settings: Settings, connection: Connection | None) -> tuple[Datasets, Datasets]:
    """Give what a stage reads and what it writes."""

    def lake(tables: Iterable[Table]) -> Datasets:
        return [_placed(lake_path(settings.lake, table)) for table in tables]

    def warehouse(schema: str, tables: Iterable[str]) -> Datasets:
        assert connection is not None  # noqa: S101 - the stages of the warehouse have one
        info = connection.info
        where = f"postgres://{info.host}:{info.port}"
        schemas = {FILES.name: "ops", MODEL_RUNS.name: "ops"} if schema == "dwh" else {}
        return [{"namespace": where, "name": f"{info.dbname}.{schemas.get(name, schema)}.{name}"} for name in tables]

    staged = [table.name for table in STAGED]
    match stage:
        case "ingest":
            return [_placed(settings.landing)], lake(LAKE)
        case "build_star":
            return lake((EVENTS, CATALOG)), lake(STAR)
        case "load_postgres":
            return lake(STAGED), warehouse("staging", staged)
        case "check_quality":
            return [*warehouse("staging", staged), *warehouse("dwh", staged)], []
        case "publish":
            return warehouse("staging", staged), warehouse("dwh", [*staged, *(table.name for table in MARTS)])
        case "recommend":
            return lake((SONGPLAYS, USERS)), warehouse("dwh", (RECOMMENDATIONS.name, MODEL_RUNS.name))
        case "export" if settings.export.to is not None:
            return warehouse("dwh", settings.export.tables or [table.name for table in STAR]), [_placed(settings.export.to)]
    raise ValueError(stage)


def _placed(place: Location) -> dict[str, str]:
    if isinstance(place, ObjectPath):
        return {"namespace": f"s3://{place.bucket}", "name": place.key or "/"}
    return {"namespace": "file", "name": str(place)}


def refusal(results: Iterable[CheckResult]) -> str | None:
    """Say which checks keep a batch out; None where none does."""
    refused = [result.name for result in failed(results)]
    return f"The quality gate refused the batch: {', '.join(refused)}." if refused else None


def event_files() -> tuple[Path, str] | None:
    """Tell the folder that events are written to and the pattern of their names; None where they go elsewhere, or nowhere."""
    with suppress(ValueError):
        prefix = None if _is_off() else _file_prefix(_transport())
        return None if prefix is None else (Path(prefix).parent, f"{glob.escape(Path(prefix).name)}-*.json")
    return None


_given_up: list[str] = []
"""Not empty once telling failed: a server that does not answer is not waited for again by this process."""


def _emit(event: Event) -> None:
    transport = _transport()
    prefix = _file_prefix(transport)
    if prefix is not None:
        Path(prefix).parent.mkdir(parents=True, exist_ok=True)
        Path(f"{prefix}-{datetime.now(UTC):%Y%m%d-%H%M%S.%f}.json").write_text(json.dumps(event) + "\n", encoding="utf-8")
        return
    # Its import takes a third of a second, which only those pay whose events go further than to a file.
    from openlineage.client import OpenLineageClient

    sink: Any = OpenLineageClient(config={"transport": transport} if transport else None).transport
    sink.emit(event)


def _is_off() -> bool:
    said = os.environ.get("OPENLINEAGE_DISABLED", ""), os.environ.get("AIRFLOW__OPENLINEAGE__DISABLED", "")
    return any(each.strip().lower() in ("true", "1", "t") for each in said)


def _transport() -> dict[str, Any] | None:
    """Give the transport: Airflow's setting, so that tasks and jobs tell the same place; None where OpenLineage's own variables say it."""
    if given := os.environ.get("AIRFLOW__OPENLINEAGE__TRANSPORT"):
        return dict(json.loads(given))
    if any(name.startswith(ELSEWHERE) for name in os.environ):
        return None
    return {"type": "file", "log_file_path": str(FOLDER / "event")}


def _file_prefix(transport: dict[str, Any] | None) -> str | None:
    """Give what the names of event files begin with, where each event is a file of this machine."""
    path = str((transport or {}).get("log_file_path", ""))
    return path if path and transport == {"type": "file", "log_file_path": path} and "://" not in path else None
