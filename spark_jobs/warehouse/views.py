"""The views of `sql/views`, as the headers of their files declare them; data dictionary and PostgreSQL's comments come from here.

A header is comments before the statement: what the view is for, then one entry each of `Grain:` and `Key:`, any number of `Caveat:`, and
`Column NAME TYPE:` for each column in order. A line that begins with more than one space goes on with the entry above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from spark_jobs.contracts import Column, Type
from spark_jobs.warehouse.statements import SQL

_ENTRY = re.compile(r"(Grain|Key|Caveat|Column|Called by)\b:? ?(.*)")
_COLUMN = re.compile(r"(\w+) ([a-z ]+): (.+)")


@dataclass(frozen=True)
class View:
    """One view of the schema `dwh`.

    Attributes:
        path: Its file.
        about: What it is for.
        grain: What one row is.
        key: Columns that name a row, in words.
        caveats: What its numbers do not say.
        columns: All columns in order.
    """

    path: Path
    about: str
    grain: str
    key: str
    caveats: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """Its name, which is that of its file."""
        return self.path.stem


def views() -> tuple[View, ...]:
    """Read all views, those of `sql/views/base` first, which the others are made of; by name.

    Raises:
        ValueError: A header lacks an entry or has a column of no known type; the file is named.
    """
    return tuple(_view(path) for folder in (SQL / "views" / "base", SQL / "views") for path in sorted(folder.glob("*.sql")))


def comments(view: View) -> sql.Composed:
    """Compose the statements that write a view's header into PostgreSQL, where database tools show it."""
    told = " ".join([view.about, f"Grain: {view.grain}", *view.caveats])
    about = sql.SQL("COMMENT ON VIEW {} IS {};").format(sql.Identifier("dwh", view.name), told)
    each = [
        sql.SQL("COMMENT ON COLUMN {} IS {};").format(sql.Identifier("dwh", view.name, column.name), column.about)
        for column in view.columns
    ]
    return sql.SQL("\n").join([about, *each])


def _view(path: Path) -> View:
    about: list[str] = []
    entries: dict[str, list[str]] = {"Grain": [], "Key": [], "Caveat": [], "Column": [], "Called by": []}
    told = about
    for line in _header(path):
        entry = _ENTRY.fullmatch(line)
        if entry:
            told = entries[entry[1]]
            told.append(entry[2])
        elif told and (told is about or line.startswith("  ")):
            told[-1] += f" {line.strip()}"
        else:
            told.append(line)
    if not about or len(entries["Grain"]) != 1 or len(entries["Key"]) != 1 or not entries["Column"]:
        raise ValueError(f"{path}: the header has to say what the view is for, its Grain, its Key and each Column, once.")
    columns = tuple(_column(path, text) for text in entries["Column"])
    return View(path, " ".join(about), entries["Grain"][0], entries["Key"][0], tuple(entries["Caveat"]), columns)


def _header(path: Path) -> list[str]:
    """The comment lines before the statement, without their dashes and one space."""
    lines = path.read_text(encoding="utf-8").split("\nCREATE ", 1)[0].split("\n")
    return [line.removeprefix("--").removeprefix(" ") for line in lines]


def _column(path: Path, text: str) -> Column:
    found = _COLUMN.fullmatch(text)
    if found is None or found[2] not in set(Type):
        raise ValueError(f"{path}: not a column of a known type: {text}")
    return Column(found[1], Type(found[2]), found[3])
