"""What is printed shows what there is, and nothing in it drives the terminal."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_jobs import console
from spark_jobs.errors import InputMissing
from tests.hostile_texts import ALL


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a person's terminal gets: colours and all."""
    got = io.StringIO()
    for name in ("out", "err"):
        monkeypatch.setattr(console, name, type(console.out)(file=got, force_terminal=True, color_system=None, width=2_000))
    return got


def controls(text: str) -> set[str]:
    """Give the characters that a terminal would obey, but for line ends."""
    return {character for character in text if not character.isprintable()} - {"\n"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a é 😀 [x]", "a é 😀 [x]"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\x9b1m\u202e\u2028", "\\x9b1m\\u202e\\u2028"),
        ("\ud800\U000e0001", "\\ud800\\U000e0001"),
    ],
)
def test_what_is_no_printable_character_is_spelt_out(text: str, shown: str) -> None:
    assert console.visible(text) == shown


def test_texts_of_files_do_nothing_in_a_terminal_and_are_shown_whole(terminal: io.StringIO) -> None:
    console.print_table("Files", ["file"], [[text] for text in ALL])
    for text in ALL:
        console.out.print(f"Note: {text}", markup=False, highlight=False, soft_wrap=True)
    printed = terminal.getvalue()
    assert controls(printed) == set()
    assert [text for text in ALL if printed.count(console.visible(text)) < 2] == []


@pytest.mark.parametrize("text", ALL)
def test_an_error_that_names_a_file_does_nothing_in_a_terminal(terminal: io.StringIO, text: str) -> None:
    def command() -> None:
        raise InputMissing(f"The file {text} is gone.", f"Put {text} back.")

    assert console.run_command(command) == 3
    assert terminal.getvalue() == f"Error: The file {console.visible(text)} is gone.\nPut {console.visible(text)} back.\n"


@pytest.mark.parametrize("text", ALL)
def test_the_progress_of_a_stage_shows_the_file_and_does_nothing_else(terminal: io.StringIO, text: str) -> None:
    with console.Stages().stage("ingest") as tell:
        tell(text)
        shown = io.StringIO()
        type(console.err)(file=shown, width=2_000).print(console.err._live_stack[-1].renderable)
    assert f"ingest: {console.visible(text)}" in shown.getvalue()


@pytest.mark.parametrize("said", ["sys.stdout.write('word')", "sys.stdout.write('word' * 100_000)", "out.print('word\\n' * 100_000)"])
def test_a_reader_that_has_seen_enough_ends_a_command_without_a_word(said: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = f"import sys; from spark_jobs.console import out, run_command; sys.exit(run_command(lambda: {said} and None))"
    done = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, cwd=console.PROJECT, text=True)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
    both = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=writer, cwd=console.PROJECT)
    assert both.returncode == 128 + signal.SIGPIPE
    os.close(writer)


def test_an_error_keeps_its_exit_code_where_nobody_reads_what_was_printed_before(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from spark_jobs.console import run_command\n"
        "from spark_jobs.errors import InputMissing\n"
        "def command():\n"
        "    sys.stdout.write('word')\n"
        "    raise InputMissing('It is gone.', 'Put it back.')\n"
        "sys.exit(run_command(command))\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    later = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run([sys.executable, program], stdout=writer, stderr=subprocess.PIPE, cwd=console.PROJECT, env=later, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (3, "Error: It is gone.\nPut it back.\n")


def test_a_connection_that_breaks_is_no_reader_that_has_seen_enough(terminal: io.StringIO) -> None:
    def command() -> None:
        raise BrokenPipeError

    assert console.run_command(command) == 1
    assert terminal.getvalue().startswith("Error: Something went wrong that Songlake did not expect (BrokenPipeError).\n")
