"""What help says can be pasted, and the values it shows are those that hold here."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from spark_jobs import settings
from spark_jobs.cli import app
from spark_jobs.command_line import command_line_of

COMMANDS = get_command(app)
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


def _examples(text: str) -> list[list[str]]:
    _, _, after = text.partition("Example:\n")
    return [shlex.split(line) for line in after.partition("\n\n")[0].splitlines()]


@pytest.mark.parametrize("name", JOBS)
def test_the_examples_of_a_job_can_be_pasted(name: str) -> None:
    examples = _examples(_help(_job(name)))
    assert examples
    for program, script, *arguments in examples:
        assert (program, script) == ("bin/spark-submit", f"spark_jobs/{name}.py")
        get_command(_job(name)).make_context(name, arguments)


def _commands(group: Any, *path: str) -> list[tuple[Any, list[str]]]:
    """Give the group and all commands below it, with their names."""
    below = getattr(group, "commands", {}).items()
    return [(group, [*path]), *(found for name, command in below for found in _commands(command, *path, name))]


@pytest.mark.parametrize(("command", "path"), [pytest.param(*found, id=" ".join(found[1])) for found in _commands(COMMANDS)])
def test_the_help_of_a_command_has_examples_to_paste_and_all_defaults(command: Any, path: list[str]) -> None:
    told = _help(app, *path)
    examples = _examples(told)
    assert examples
    for example in examples:
        program, *arguments = takewhile(lambda word: word != "|", example)
        assert (program, arguments[: len(path)]) == ("bin/songlake", path)
        _parse(arguments)
    options = " " + _words(told).partition(" Options ")[2]
    for option in filter(_has_default, command.params):
        assert "[default: " in options.partition(f" {option.opts[-1]} ")[2].partition(" --")[0], option.name


def _parse(arguments: list[str]) -> None:
    command: Any = COMMANDS
    while hasattr(command, "commands"):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context(command.name, arguments)


def _has_default(option: Any) -> bool:
    return isinstance(option, TyperOption) and not option.required and not option.is_flag and option.name != "reason"


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
    monkeypatch.setenv("SONGLAKE_EXPORT__TABLES", "songplays,users")
    assert "SONGLAKE_LAKE; now: A variable of the environment cannot be used" in _words(_help(_job("build_star")))


def test_no_type_stands_behind_a_flag() -> None:
    told = _help(_job("recommend"))
    assert "--json" in told
    assert "<bool>" not in told
