"""When people are told, and that they can do without a mail server."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from incidents import Incident

from tests.sparkenv import PROJECT

NOW = datetime(2018, 11, 15, tzinfo=UTC)

_SEND = """
import logging
from incidents import send
from spark_jobs.alerts import Mail
from spark_jobs.settings import Alerts
send(Mail("Songlake: recovered", "<p>"), Alerts(mail_to=["on-call@example.org"]), logging.getLogger("alerts"))
"""


@pytest.mark.parametrize(
    ("retryable", "later", "over"),
    [(False, 1, True), (False, -1, False), (False, None, False), (True, 1, False)],
    ids=["a batch went live since", "none since", "none ever", "what fails fails whatever went live"],
)
def test_a_refusal_is_over_once_a_batch_went_live_without_airflow(retryable: bool, later: int | None, over: bool) -> None:
    incident = Incident("gate: rejected_share", opened_at=0, failed_at=NOW.timestamp(), retryable=retryable, told=True)
    assert incident.is_over(None if later is None else NOW + timedelta(seconds=later)) is over


def test_without_a_mail_server_the_log_says_what_would_have_been_mailed(airflow_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SEND], env=airflow_environment, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr[-2000:]
    assert "No mail: Airflow has no connection smtp_default. It would have said: Songlake: recovered" in done.stdout + done.stderr
