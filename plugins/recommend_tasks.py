"""What the tasks of songlake_recommend do beside the job itself: mails."""

from __future__ import annotations

from airflow.sdk import get_current_context
from task_failures import errors_of_failed, run_link, tell_failure, tell_recovery

from spark_jobs import alerts


def diagnose_recommend() -> None:
    """Mail why `recommend` failed and where its log is, once until it works again."""
    errors, link = errors_of_failed(["recommend"]), run_link(get_current_context())
    tell_failure("recommend", errors, alerts.not_recommended(errors.get("recommend"), f"{link}/tasks/recommend"))


def notify_recommended() -> None:
    """Mail that `recommend` works again, if people were told that it had failed."""
    tell_recovery("recommend")
