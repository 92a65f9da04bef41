"""How the jobs that a task starts name it as their parent in OpenLineage's events."""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger(__name__)


def lineage_parent(ti: Any) -> str:
    """Name the present try of a task, as `namespace/job/run id`, by the provider's own rule; empty where lineage is switched off.

    Whatever goes wrong is told in the log and fails no task.
    """
    try:
        from airflow.providers.openlineage import conf
        from airflow.providers.openlineage.plugins.macros import lineage_parent_id

        return "" if conf.is_disabled() else str(lineage_parent_id(ti))
    except Exception as error:  # noqa: BLE001 - no run fails because it could not be told of
        log.warning("This task could not be named in lineage (%s).", type(error).__name__)
        return ""
