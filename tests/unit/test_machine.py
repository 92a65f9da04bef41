"""Errors of a broken machine, as Python, Java and PostgreSQL word them."""

from __future__ import annotations

import errno
import os

import pytest

from spark_jobs.machine import disk_fault, explain

NO_ROOM = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"[Errno 28] {NO_ROOM}: '/lake/.lock'", "A disk is full (/lake/.lock)."),
        (
            f"java.io.FileNotFoundException: /tmp/blockmgr-1/0c/x ({NO_ROOM})\n\tat java.base/java.io.F",
            "A disk is full (/tmp/blockmgr-1/0c/x).",
        ),
        (f"rows to file:/lake/events. SQLSTATE: 58030\nCaused by: java.io.IOException: {NO_ROOM}", "A disk is full (/lake/events)."),
        (f"java.io.IOException: {NO_ROOM}\n\tat java.base/java.io.X", "A disk is full (table users could not be written)."),
        ("Generic LocalFileSystem error: Disk quota exceeded", "A disk is full (table users could not be written)."),
        ("/lake/x (Read-only file system)", "A file cannot be read or written (/lake/x): Read-only file system."),
    ],
)
def test_broken_disk_is_told_with_its_place(said: str, told: str) -> None:
    fault = disk_fault(said, "table users")
    assert fault is not None
    assert (fault.what, fault.exit_code) == (told, 3)


@pytest.mark.parametrize("said", [f"org.postgresql.util.PSQLException: could not extend file: {NO_ROOM}", "division by zero", ""])
def test_another_error_is_not_taken_for_a_broken_disk(said: str) -> None:
    assert disk_fault(said) is None


def test_broken_disk_is_found_behind_the_error_it_caused() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, NO_ROOM, "/lake/files")
        except OSError as error:
            raise ValueError("a stream was closed") from error
    except ValueError as error:
        fault = explain(error)
    assert fault is not None
    assert fault.what == "A disk is full (/lake/files)."
