"""Word the mails: subject, and body by `templates/mail.html.j2`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from spark_jobs.diagnosis import Diagnosis, tail

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_AGAIN = {
    "recommend": "Recommendations are up to date with what is live",
    "maintenance": "Lake, warehouse and reports are maintained again",
}


@dataclass(frozen=True)
class Mail:
    """A mail, ready to be sent.

    Attributes:
        subject: What happened, and to which batch.
        html: Why, counts before and after, what to do, a link to the run.
    """

    subject: str
    html: str


def failure(diagnosis: Diagnosis, link: str) -> Mail:
    """Word that a run failed, or that the gate refused its batch."""
    if diagnosis.refused:
        names = ", ".join(check.name for check in diagnosis.checks if check.severity == "fail")
        return _mail(
            f"Songlake: batch {diagnosis.batch} refused by {names}",
            "The quality gate refused a batch.",
            f"Mend the files named above: what is delivered anew is loaded by itself. Or overrule the gate on record: "
            f"bin/songlake accept {diagnosis.batch} --reason TEXT",
            diagnosis,
            link,
        )
    return _mail(
        f"Songlake: {', '.join(sorted(diagnosis.failed))} failed{_of(diagnosis)}",
        "A run failed after all its retries.",
        "Mend what the error says. Songlake tries again by itself; to go on at once, clear the failed tasks in the run below.",
        diagnosis,
        link,
    )


def warning(diagnosis: Diagnosis, link: str) -> Mail:
    """Word that a batch went live although checks of severity `warn` did not pass."""
    names = ", ".join(check.name for check in diagnosis.checks if check.severity == "warn")
    return _mail(
        f"Songlake: batch {diagnosis.batch} is live, with a warning by {names}",
        "A batch went live, and something about it looks wrong.",
        "Look at what the checks found; nothing has to be done for the pipeline to go on.",
        diagnosis,
        link,
    )


def recovery(diagnosis: Diagnosis, since: str, link: str) -> Mail:
    """Word that the pipeline works again."""
    return _mail(
        f"Songlake: recovered{f', batch {diagnosis.batch} is live' if diagnosis.batch else ', everything is published'}",
        f"The pipeline works again; it had failed since {since}.",
        "Nothing.",
        diagnosis,
        link,
    )


def late(count: int, shown: list[str], minutes: float, link: str) -> Mail:
    """Word that files wait longer than they should; `shown` names the first of them."""
    return _mail(
        f"Songlake: {count:,} files wait longer than {minutes:g} minutes",
        "Files that were delivered are not in the warehouse in time:",
        "See whether the DAG songlake is paused or red, and whether Airflow's four components run: docs/operations.md, 'A red run'.",
        Diagnosis(notes=shown),
        link,
    )


def blind(sentence: str, link: str) -> Mail:
    """Word that nobody can tell whether files wait."""
    return _mail(
        "Songlake: the landing zone, the lake or the warehouse cannot be read",
        "The watchdog cannot tell whether files wait, and the pipeline cannot take any:",
        "Mend what the sentence says; Songlake goes on by itself then.",
        Diagnosis(notes=[sentence]),
        link,
    )


def not_recommended(error: str | None, link: str) -> Mail:
    """Word that recommendations could not be made anew; `error` is the task's, `link` leads to its log."""
    return _mail(
        "Songlake: recommend failed",
        "Recommendations could not be made anew, after all retries. Those of before stay live, and all other tables are as they were.",
        "Mend what the error says. The next publication runs it anew; to go on at once, clear recommend with what is downstream of it.",
        Diagnosis(failed={"recommend": tail(error)}),
        link,
    )


def not_maintained(errors: Mapping[str, str | None], link: str) -> Mail:
    """Word that maintenance failed; `errors` gives each failed task's."""
    return _mail(
        "Songlake: maintenance failed",
        "The weekly maintenance failed, after all retries. What is live stays as it is; files that nobody needs any more stay too.",
        "Mend what the error says, then clear the failed tasks with what is downstream of them; or wait for the next week's run.",
        Diagnosis(failed={task: tail(error) for task, error in errors.items()}),
        link,
    )


def works_again(what: str, since: str, link: str) -> Mail:
    """Word that what runs beside the pipeline works again, `recommend` or `maintenance`."""
    return _mail(f"Songlake: recovered, {what} works", f"{_AGAIN[what]}; {what} had failed since {since}.", "Nothing.", Diagnosis(), link)


def _of(diagnosis: Diagnosis) -> str:
    return f", batch {diagnosis.batch}" if diagnosis.batch else ""


def _mail(subject: str, what: str, to_do: str, diagnosis: Diagnosis, link: str) -> Mail:
    return Mail(subject, _template().render(what=what, to_do=to_do, diagnosis=diagnosis, link=link))


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("mail.html.j2")
