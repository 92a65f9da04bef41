"""What happens when a task of a DAG fails: it is tried again, its error is kept, and people are told once until it works again."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context, conf, get_current_context
from incidents import remember_told, send, was_told

from spark_jobs import settings
from spark_jobs.alerts import Mail, works_again
from spark_jobs.diagnosis import tail

log = logging.getLogger(__name__)

_ERROR = "error"
_ERROR_CHARACTERS = 4000


def remember_error(context: Context) -> None:
    """Keep the end of a failed task's error where `diagnose` finds it."""
    error = context.get("exception")
    context["ti"].xcom_push(key=_ERROR, value=str(error)[-_ERROR_CHARACTERS:])


def tried_again() -> dict[str, Any]:
    """Give the `default_args` of a DAG whose tasks are tried three times again, and whose `diagnose` wants to know their errors."""
    return {
        "owner": "data",
        "retries": 3,
        "retry_delay": timedelta(seconds=settings.load().airflow.retry_seconds),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=3),
        "on_failure_callback": remember_error,
    }


def errors_of_failed(upstream: list[str]) -> dict[str, str | None]:
    """Give the error of each of these tasks that failed in this run; none where the task died without a word."""
    ti = get_current_context()["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id], task_ids=upstream)[ti.run_id]
    return {name: ti.xcom_pull(task_ids=name, key=_ERROR) for name in upstream if states.get(name) == "failed"}


def tell_failure(subject: str, errors: Mapping[str, str | None], mail: Mail) -> None:
    """Log the errors, and send the mail once until `tell_recovery` of the same subject."""
    for name, error in errors.items():
        log.error("Task %s failed:\n%s", name, tail(error))
    if not was_told(subject):
        send(mail, settings.load().alerts, log)
        remember_told(subject, minute(time.time()))


def tell_recovery(subject: str) -> None:
    """Send a mail that it works again, if people were told that it had failed."""
    if since := was_told(subject):
        send(works_again(subject, since, run_link(get_current_context())), settings.load().alerts, log)
    remember_told(subject, "")


def run_link(context: Context) -> str:
    """Give the run's address in the UI."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{context['dag_run'].dag_id}/runs/{context['run_id']}"


def minute(seconds: float) -> str:
    """Write a moment (seconds since 1970) as mails do."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
