"""Reads an export back with nothing of the product: files by pyarrow and by hand, digests by the rule that the manifest states."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from pyarrow import parquet

Rows = list[dict[str, Any]]


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def files(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and digest of every file but the manifest."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
    return {str(path.relative_to(folder)): (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in found}


def check(folder: Path, url: str) -> dict[str, Any]:
    """Recompute every digest and count from the files and from the warehouse, and give the manifest."""
    told = manifest(folder)
    assert {file["path"]: (file["bytes"], file["sha256"]) for table in told["tables"] for file in table["files"]} == files(folder)
    for table in told["tables"]:
        lines, rows = (_csv_lines if told["format"] == "csv" else _parquet_lines)(folder, table)
        assert [file["rows"] for file in table["files"]] == rows
        assert table["rows"] == sum(rows)
        assert table["rows_sha256"] == hashlib.sha256(lines).hexdigest() == _digest_of(url, table["query"]), table["name"]
    return told


def parquet_rows(folder: Path, table: str) -> Rows:
    return [row for path in sorted((folder / table).glob("*.parquet")) for row in parquet.read_table(path).to_pylist()]


def csv_rows(folder: Path, table: str) -> list[list[str]]:
    """Cells as the csv module reads them, the header first."""
    return [row for path in sorted((folder / table).glob("*.csv")) for row in csv.reader(path.open(newline="", encoding="utf-8"))]


def _digest_of(url: str, query: str) -> str:
    digest = hashlib.sha256()
    with psycopg.connect(url, options="-c TimeZone=UTC") as connection, connection.cursor().copy(query) as copy:
        for lines in copy:
            digest.update(lines)
    return digest.hexdigest()


def _csv_lines(folder: Path, table: dict[str, Any]) -> tuple[bytes, list[int]]:
    """All lines without the headers, and the rows of each file."""
    lines, rows = b"", []
    for file in table["files"]:
        head, _, body = (folder / file["path"]).read_bytes().partition(b"\n")
        assert head.decode().split(",") == [column["name"] for column in table["columns"]]
        lines += body
        with (folder / file["path"]).open(newline="", encoding="utf-8") as text:
            rows.append(len(list(csv.reader(text))) - 1)
    return lines, rows


def _parquet_lines(folder: Path, table: dict[str, Any]) -> tuple[bytes, list[int]]:
    """The same rows as lines of CSV, as PostgreSQL would write them."""
    lines, rows = [], []
    for file in table["files"]:
        found = parquet.read_table(folder / file["path"])
        assert [(field.name, str(field.type)) for field in found.schema] == [(c["name"], c["arrow_type"]) for c in table["columns"]]
        lines += [",".join(map(_cell, row.values())) + "\n" for row in found.to_pylist()]
        rows.append(found.num_rows)
    return "".join(lines).encode(), rows


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "t" if value else "f"
        case float():
            return _double(value)
        case datetime():
            moment = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
            return moment + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "") + "+00"
        case int() | Decimal():
            return str(value)
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if text == "" or set(text) & set('",\n\r') else text


def _double(value: float) -> str:
    """Write a double as PostgreSQL does: the shortest digits, an exponent from 1e15 on and below 1e-4."""
    sign, digits, power = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(power, int)
    exponent = power + len(digits) - 1
    if -4 <= exponent < 15:
        return f"{Decimal(repr(value)).normalize():f}"
    written = "".join(map(str, digits))
    return f"{'-' * sign}{written[0]}{'.' * (len(written) > 1)}{written[1:]}e{exponent:+03}"
