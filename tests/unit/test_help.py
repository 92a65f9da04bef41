"""What help says can be pasted, and the values it shows are those that hold here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from spark_jobs import settings
from spark_jobs.command_line import command_line_of

JOBS = ("ingest", "build_star", "load_postgres", "pipeline", "recommend")


def _job(name: str) -> typer.Typer:
    return command_line_of(import_module(f"spark_jobs.{name}").main)


def _help(app: typer.Typer, *arguments: str) -> str:
    """Print help as in a log, 80 columns wide."""
    shown = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0, shown.output
    return "\n".join(line.strip() for line in shown.output.splitlines())


def _words(text: str) -> str:
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def _examples(text: str) -> Iterator[list[str]]:
    _, _, after = text.partition("Example:\n")
    for line in after.partition("\n\n")[0].replace("\\\n", " ").splitlines():
        yield shlex.split(line)


@pytest.mark.parametrize("name", JOBS)
def test_the_examples_of_a_job_can_be_pasted(name: str) -> None:
    examples = list(_examples(_help(_job(name))))
    assert examples
    for program, script, *arguments in examples:
        assert (program, script) == ("bin/spark-submit", f"spark_jobs/{name}.py")
        get_command(_job(name)).make_context(name, arguments)


def test_help_shows_what_a_setting_is_here_and_where_it_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(settings.PROJECT)
    monkeypatch.setenv("SONGLAKE_LAKE", "elsewhere/lake")
    assert "[default: (conf/songlake.yaml or SONGLAKE_LAKE, here: elsewhere/lake)]" in _words(_help(_job("ingest")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONGLAKE_LAKE", "s3a://lab/lake")
    assert "[default: (conf/songlake.yaml or SONGLAKE_LAKE, here: s3a://lab/lake)]" in _words(_help(_job("ingest")))


def test_help_is_there_where_the_settings_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_SETTLE_SECONDS", "soon")
    assert "SONGLAKE_LAKE; now: Setting 'settle_seconds' cannot be used" in _words(_help(_job("build_star")))


def test_no_type_stands_behind_a_flag() -> None:
    told = _help(_job("recommend"))
    assert "--json" in told
    assert "<bool>" not in told
