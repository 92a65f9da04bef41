"""What the tasks of songlake and songlake_watchdog do that need no Spark: gate, publish, export, mails, diagnosis, report, watch."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from incidents import close_incident, mark_told, note_failure, open_incident, remember_told, send, was_told
from task_failures import errors_of_failed, minute, run_link
from task_lineage import lineage_parent
from warehouse_connection import warehouse_url

from spark_jobs import alerts, settings
from spark_jobs.diagnosis import UNREADABLE, Diagnosis, examine, not_passed
from spark_jobs.errors import BadUsage, GateFailed, ServiceUnreachable, SonglakeError
from spark_jobs.landing.find import find_files
from spark_jobs.lateness import late_files
from spark_jobs.lineage import Lineage, refusal
from spark_jobs.pipeline import writing
from spark_jobs.warehouse import batches
from spark_jobs.warehouse.accept import accept
from spark_jobs.warehouse.check import LOST_ROWS, CheckResult, check, failed, recorded
from spark_jobs.warehouse.connection import connect, session_name
from spark_jobs.warehouse.publish import publish

log = logging.getLogger(__name__)

_EXPORT_FAILED = Diagnosis(failed={"export": ""}).signature
_SHOWN = 10


def check_staged_batch() -> str:
    """Ask the gate about the staged batch; the run's parameters may overrule it, on record. Gives the batch.

    Raises:
        AirflowSkipException: Everything is published.
        AirflowFailException: The gate refuses the batch; trying again would not help.
    """
    chosen, params = settings.load(), get_current_context()["params"]
    with writing(warehouse_url(), "check_quality") as (connection, _):
        name = batches.staged_batch(connection)
        batch = batches.find(connection, name) if name else None
        if batch is None or batch.status == "published":
            _end_incident(Diagnosis(), chosen)
            raise AirflowSkipException("Nothing is staged: everything is published.")
        with Lineage(chosen, connection, lineage_parent(get_current_context()["ti"])).stage("check_quality") as told:
            results = check(connection, batch.batch_id, chosen.gate)
            told.refused = refusal(results)
        for result in not_passed(results):
            log.warning("Check %s (%s) did not pass: %s Found: %s", result.name, result.severity, result.about, result.detail)
        refused = [result.name for result in failed(results)]
        overruled = params["accept_reason"] and params["accept"] and LOST_ROWS not in refused
        if refused and not overruled:
            raise AirflowFailException(f"The quality gate refused batch {batch.batch_id}: {', '.join(refused)}. What was live stays live.")
        if refused:
            by = f"airflow run {get_current_context()['run_id']}"
            try:
                accept(
                    connection,
                    batch.batch_id,
                    reason=params["accept_reason"],
                    checks=params["accept"],
                    by=by,
                    warehouse=chosen.warehouse,
                )
            except GateFailed as error:
                raise AirflowFailException(str(error)) from error
    return batch.batch_id


def publish_batch(batch: str) -> dict[str, Any]:
    """Make the batch live; gives it with the rows before and after by table. A batch that is live already is left alone."""
    chosen, parent = settings.load(), lineage_parent(get_current_context()["ti"])
    with writing(warehouse_url(), "publish") as (connection, _), Lineage(chosen, connection, parent).stage("publish"):
        changes = publish(connection, batch, chosen.warehouse)
    for table, change in changes.items():
        log.info("Table %s: %s rows before, %s after", table, change.before, change.after)
    return {"batch": batch, "tables": {table: [change.before, change.after] for table, change in changes.items()}}


def export_warehouse() -> str:
    """Export what is live to where the setting `export.to` says; gives the place. What is exported already is left alone."""
    from spark_jobs.export.export import export

    chosen = settings.load()
    if chosen.export.to is None:
        raise AirflowSkipException("The setting export.to names no place any more.")
    _skip_where_run_made_way()
    parent = lineage_parent(get_current_context()["ti"])
    with (
        connect(warehouse_url(), application_name=session_name("export")) as connection,
        Lineage(chosen, connection, parent).stage("export"),
    ):
        outcome = export(connection, chosen.export.to, chosen.export.format, chosen.export.tables, lambda text: None)
    for note in outcome.notes:
        log.warning("%s", note)
    for table in outcome.manifest.tables:
        log.info("Table %s: %s rows in %s files", table.name, table.rows, len(table.files))
    log.info("Export %s: %s", outcome.place, "written" if outcome.is_new else "there already")
    _end_incident(Diagnosis(), chosen, by_export=True)
    return outcome.place


def notify_people(published: dict[str, Any]) -> None:
    """Mail that the pipeline has recovered, and what checks warn of; each once."""
    chosen, context = settings.load(), get_current_context()
    with connect(warehouse_url(), application_name=session_name("notify")) as connection:
        found = not_passed(recorded(connection, published["batch"]))
    tables = {table: (before, after) for table, (before, after) in published["tables"].items()}
    diagnosis = Diagnosis(batch=published["batch"], checks=found, tables=tables)
    _end_incident(diagnosis, chosen)
    warned = ", ".join(_warning(check) for check in found if check.severity == "warn")
    if warned and warned != was_told("warnings"):
        send(alerts.warning(diagnosis, run_link(context)), chosen.alerts, log)
    remember_told("warnings", warned)


def _warning(check: CheckResult) -> str:
    """Say what a check warns of in words that stay the same while the same thing is wrong; each unreadable file is a thing of its own."""
    return f"{check.name} ({check.detail})" if check.name == UNREADABLE else check.name


def _end_incident(diagnosis: Diagnosis, chosen: settings.Settings, *, by_export: bool = False) -> None:
    """Mail that the pipeline has recovered, if people were told that it had failed, and close the incident.

    That an export failed is over when one succeeds, or none is wanted any more; a batch that goes live says nothing of it.
    """
    incident = open_incident()
    if incident is None or by_export != (incident.signature == _EXPORT_FAILED and chosen.export.to is not None):
        return
    if incident.told:
        send(alerts.recovery(diagnosis, minute(incident.opened_at), run_link(get_current_context())), chosen.alerts, log)
    close_incident()


def diagnose_run(upstream: list[str]) -> None:
    """Gather why the run failed, for the log and for a mail that is sent once an incident."""
    chosen, context = settings.load(), get_current_context()
    try:
        url = warehouse_url()
    except BadUsage:
        url = None
    diagnosis = examine(chosen.lake, url, errors_of_failed(upstream))
    incident = note_failure(diagnosis.signature, retryable=not diagnosis.refused, published_at=diagnosis.published_at)
    _log_diagnosis(diagnosis)
    if not incident.told:
        send(alerts.failure(diagnosis, run_link(context)), chosen.alerts, log)
        mark_told(incident)


def _log_diagnosis(diagnosis: Diagnosis) -> None:
    for task, error in diagnosis.failed.items():
        log.error("Task %s failed:\n%s", task, error)
    for check_ in diagnosis.checks:
        log.error("Check %s (%s): %s Found: %s", check_.name, check_.severity, check_.about, check_.detail)
    for reason, lines in diagnosis.reasons.items():
        log.error("Refused lines: %s x %s: %s", lines, reason, diagnosis.sentence_of(reason))
    for path, cause in diagnosis.unreadable.items():
        log.error("Unreadable: %s: %s", path, cause)
    for note in diagnosis.notes:
        log.error("%s", note)


def write_report() -> str:
    """Write the run's page, and give its path; a run that made way for another has none.

    Raises:
        AirflowSkipException: Nothing was done that a page could tell of.
    """
    from spark_jobs.report_page import page_path, write_page

    chosen, context = settings.load(), get_current_context()
    _skip_where_run_made_way()
    with connect(warehouse_url(), application_name=session_name("report")) as connection:
        return str(write_page(connection, chosen.lake, chosen.reports, page_path(chosen.reports, context["run_id"]).stem))


def _skip_where_run_made_way() -> None:
    if get_current_context()["ti"].xcom_pull(task_ids="wait_for_files") is None:
        raise AirflowSkipException("This run made way for another and did nothing.")


def look_for_late_files() -> None:
    """Mail once, and fail, while a file waits longer than `alerts.sla_minutes` to be published, or nobody can tell.

    Raises:
        AirflowFailException: Files are late, or the landing zone or the lake cannot be read.
    """
    chosen, link = settings.load(), run_link(get_current_context())
    minutes = chosen.alerts.sla_minutes
    try:
        late = _late_files(chosen)
    except SonglakeError as error:
        _tell_once("blind", alerts.blind(str(error), link), chosen.alerts)
        raise AirflowFailException(str(error)) from error
    if late:
        lines = [f"{path}: {waited / 60:,.0f} minutes" for path, waited in list(late.items())[:_SHOWN]]
        _tell_once("late", alerts.late(len(late), lines, minutes, link), chosen.alerts)
        raise AirflowFailException(f"{len(late)} files wait longer than {minutes:g} minutes: {'; '.join(lines)}")
    remember_told("watchdog", "")


def _late_files(chosen: settings.Settings) -> dict[str, float]:
    landing, seconds = find_files(chosen.landing, chosen.links_into), chosen.alerts.sla_minutes * 60
    try:
        with connect(warehouse_url(), application_name=session_name("watchdog")) as connection:
            return late_files(landing, chosen.lake, connection, seconds)
    except ServiceUnreachable as error:
        # What the lake has is not in the warehouse for sure, so nothing may be said to be over.
        late = late_files(landing, chosen.lake, None, seconds)
        if not late:
            raise
        log.warning("%s The lake's books must do.", error)
        return late


def _tell_once(signature: str, mail: alerts.Mail, chosen: settings.Alerts) -> None:
    if was_told("watchdog") != signature:
        send(mail, chosen, log)
        remember_told("watchdog", signature)
