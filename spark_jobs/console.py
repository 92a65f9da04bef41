"""What people see: errors in two sentences, progress, tables in a terminal and plain lines in a log."""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spark_jobs.errors import SonglakeError
from spark_jobs.machine import explain
from spark_jobs.settings import PROJECT

LOG_FILE = PROJECT / "data" / "logs" / "songlake.log"


def visible(text: str) -> str:
    """Spell out every character that is not shown as itself, such as escapes and changes of direction.

    Lines and file names are others' work: printed as they are, they could move the cursor, colour or clear what was told, or forge a line.
    """
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)


class _Terminal(Console):
    """Prints texts with nothing in them that the terminal would obey."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(visible(each) if isinstance(each, str) else each for each in objects), **options)

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704 - rich calls it where it caught that


out = _Terminal()
err = _Terminal(stderr=True)


def configure_logs() -> None:
    """Send log lines to stderr: coloured for a terminal, plain otherwise."""
    # Where Java ends, py4j would show the same trace once for each call that then fails; and one where somebody presses Ctrl-C meanwhile.
    logging.getLogger().addFilter(lambda record: not str(record.msg).endswith(" while sending command."))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def run_command(command: Callable[[], int | None]) -> int:
    """Run a command and turn errors into what a person can act on.

    Returns:
        The exit code: the command's own, an error's, or 1 for an error that is nobody's fault but ours.
    """
    configure_logs()
    code = 0
    try:
        code = _run(command)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` has; what is left goes nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in _unread():
            os.dup2(nowhere, output)
        return code or 128 + signal.SIGPIPE
    return code


def _run(command: Callable[[], int | None]) -> int:
    try:
        return command() or 0
    except SonglakeError as error:
        _say("Error", error.what, error.fix)
        return error.exit_code
    except KeyboardInterrupt:
        _say("Stopped", "The command was interrupted.", "Run it again: it goes on where it is safe to.")
        return 130
    except Exception as error:  # the last line of defence: a trace goes to the log, never to a person
        if isinstance(error, BrokenPipeError) and _unread():
            raise
        where, known = _keep_trace(), explain(error)
        if known is not None:
            _say("Error", known.what, known.fix)
            return known.exit_code
        _say(
            "Error",
            f"Something went wrong that Songlake did not expect ({type(error).__name__}).",
            f"The trace is in {where}; nothing half-done is live.",
        )
        return 1


def _unread() -> list[int]:
    """Give which of stdout and stderr nobody reads any more, to tell our output from a connection that broke."""
    outputs = select.poll()
    for output in (1, 2):
        outputs.register(output, 0)
    return [output for output, _ in outputs.poll(0)]


def _say(title: str, what: str, fix: str) -> None:
    err.print(f"[bold red]{title}:[/] ", end="")
    err.print(what, markup=False, highlight=False, soft_wrap=True)
    err.print(fix, markup=False, highlight=False, soft_wrap=True)


def _keep_trace() -> Path | str:
    try:
        LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
        with LOG_FILE.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat()}\n{traceback.format_exc()}\n")
    except OSError:
        traceback.print_exc()
        return "the lines above"
    return LOG_FILE


class Stages:
    """Times the stages of a run and tells of each as it goes: a spinner in a terminal, log lines otherwise."""

    def __init__(self) -> None:
        """Begin with no stage."""
        self.seconds: dict[str, float] = {}
        self._log = structlog.get_logger()

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a stage; the callable that comes back tells how far it is."""
        begun = time.monotonic()
        try:
            if err.is_terminal:
                with err.status(name) as status:
                    yield lambda text: status.update(Text(visible(f"{name}: {text}")))
            else:
                self._log.info("stage begins", stage=name)
                yield lambda text: None
        finally:
            self.seconds[name] = round(time.monotonic() - begun, 2)
        if not err.is_terminal:
            self._log.info("stage done", stage=name, seconds=self.seconds[name])


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; columns whose cells are all numbers are set to the right."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        numeric = all(row[place].replace(",", "").replace(".", "").lstrip("+-").isdigit() for row in rows if row[place])
        table.add_column(column, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    out.print(table)
