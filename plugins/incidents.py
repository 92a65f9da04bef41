"""Remember in an Airflow variable what is wrong, so that people are told once an incident, and told when it is over."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from logging import Logger

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk import Connection, Variable
from airflow.sdk.exceptions import AirflowNotFoundException

from spark_jobs.alerts import Mail
from spark_jobs.settings import Alerts

VARIABLE = "songlake_incident"
MAIL_SERVER = "smtp_default"


@dataclass(frozen=True)
class Incident:
    """What is wrong now.

    Attributes:
        signature: In a few words that stay the same while the same thing is wrong.
        opened_at: Since when (seconds since 1970).
        failed_at: When a run failed last (seconds since 1970).
        retryable: Whether trying again without new files can help.
        told: Whether the mail about it was sent.
    """

    signature: str
    opened_at: float
    failed_at: float
    retryable: bool
    told: bool = False

    def is_over(self, published_at: datetime | None) -> bool:
        """Whether it ended without a task of Airflow's: after a refusal a batch went live, accepted or loaded in a terminal."""
        return not self.retryable and published_at is not None and published_at.timestamp() > self.failed_at


def open_incident() -> Incident | None:
    """Give the incident that is open."""
    held = Variable.get(VARIABLE, default=None, deserialize_json=True)
    return Incident(**held) if held else None


def note_failure(signature: str, *, retryable: bool, published_at: datetime | None) -> Incident:
    """Open an incident, or go on with the one that is open; another signature is another incident to tell of.

    Args:
        signature: In a few words, what is wrong.
        retryable: Whether trying again without new files can help.
        published_at: When a batch went live last, if that is known.
    """
    now, held = time.time(), open_incident()
    if held is not None and held.is_over(published_at):
        held = None
    if held is not None and held.signature == signature:
        incident = replace(held, failed_at=now)
    else:
        incident = Incident(signature, held.opened_at if held else now, now, retryable)
    _keep(incident)
    return incident


def mark_told(incident: Incident) -> None:
    """Remember that people were told."""
    _keep(replace(incident, told=True))


def note_retry() -> None:
    """Remember that a run was tried again without new files, so that the next such try waits as long."""
    held = open_incident()
    if held is not None:
        _keep(replace(held, failed_at=time.time()))


def close_incident() -> None:
    """Close the incident, if one is open."""
    Variable.delete(VARIABLE)


def _keep(incident: Incident) -> None:
    Variable.set(VARIABLE, asdict(incident), serialize_json=True)


def was_told(subject: str) -> str:
    """Tell what was mailed last about a thing that may go on for long; empty once it was over."""
    return str(Variable.get(f"songlake_told_{subject}", default=""))


def remember_told(subject: str, signature: str) -> None:
    """Remember what was mailed about it, after the mail has gone; an empty signature says that it is over."""
    if was_told(subject) != signature:
        Variable.set(f"songlake_told_{subject}", signature)


def send(mail: Mail, alerts: Alerts, log: Logger) -> None:
    """Send a mail by the connection smtp_default; without addresses or connection say in the log what would have been sent.

    Raises:
        OSError: The mail server cannot be reached or refuses; the task's retries try again.
    """
    if not alerts.mail_to:
        log.warning("No mail: alerts.mail_to of conf/songlake.yaml is empty. It would have said: %s", mail.subject)
        return
    try:
        Connection.get(MAIL_SERVER)
    except AirflowNotFoundException:
        log.warning("No mail: Airflow has no connection %s. It would have said: %s", MAIL_SERVER, mail.subject)
        return
    with SmtpHook(smtp_conn_id=MAIL_SERVER) as hook:
        hook.send_email_smtp(to=alerts.mail_to, from_email=alerts.mail_from, subject=mail.subject, html_content=mail.html)
