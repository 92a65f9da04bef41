"""Write the data dictionary from the contracts and the headers of views, so that it cannot say anything else. Imports nothing of Spark.

python -m spark_jobs.dictionary
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spark_jobs.contracts import CATALOG, EVENTS, FILES, LAKE, STAR, Column, Table
from spark_jobs.landing.fields import FIELDS
from spark_jobs.landing.reasons import Reason
from spark_jobs.warehouse.contracts import MARTS, MODEL_RUNS, OPS, RECOMMENDATIONS
from spark_jobs.warehouse.views import View, views

DICTIONARY = Path(__file__).resolve().parent.parent / "docs" / "data_dictionary.md"

_INTRODUCTION = """\
# Data dictionary

Written by `python -m spark_jobs.dictionary` from `spark_jobs/contracts.py`, `spark_jobs/warehouse/contracts.py`, the headers of `sql/views`
and `spark_jobs/landing/reasons.py`. Do not edit it: a test compares it with them.

Types are PostgreSQL's names. In Delta, `text` is string, `text[]` array of strings, `bigint` long, `integer` integer, `double precision`
double, and `timestamp with time zone` timestamp. Every time is UTC. A column that may not be null says so under *null*. The same sentences
stand as comments on the tables and columns in PostgreSQL.
"""
_LAKE = """\
## The lake

Delta tables under the lake's folder. They hold what each file of the landing zone says now. Delta only; PostgreSQL has a copy of `files`.
"""
_STAR = """\
## The star schema

Delta tables under `star/` in the lake's folder, and PostgreSQL tables in the schema `dwh`. The partition column `start_date` is in Delta
only.
"""
_VIEWS = """\
## Views for analysts

PostgreSQL only: views of the schema `dwh`, which answer from what the last batch published. Their SQL is in `sql/views`. How to connect,
and questions with their answers: [analysts](analysts.md).
"""
_MARTS = """\
### Kept for the views

PostgreSQL tables in the schema `dwh` that `publish` fills from 2,000,000 plays on, and from then on changes with every batch, in the same
transaction. Ask the views; [adr/0016](adr/0016-marts.md) says why there are two.
"""
_OPS = """\
## The books

PostgreSQL tables in the schema `ops`: how the data came into the warehouse. `ops.files` has the columns of the lake's `files`, as they were
when the last batch was published. The schema `staging` holds one batch on its way: a table for each star table and for `files`, with the
same columns and `deleted` (true: the key goes; false: the row is as here).
"""
_MODEL = """\
## The model

What `bin/songlake recommend` publishes, `dwh.recommendations`, and how its runs fared, `ops.model_runs`; PostgreSQL only. How to read
them, and what they are worth: [model](model.md).
"""
_KEYS = """\
## Keys of the lines

What a line of an event file or a song file may say, as JSON keys or names of CSV columns; other keys are ignored. Numbers may come as
numbers or as their text. A play (`"page": "NextSong"`) also needs user, level, song and artist. Example lines are in the
[README](../README.md#your-own-files); the rules are in [adr/0006](adr/0006-input-rules-in-detail.md).
"""
_REASONS = """\
## Why a line is refused

The column `reasons` of `rejects` holds every reason that applies. `bin/songlake rejects` prints the sentences. The rules in detail:
[adr/0006](adr/0006-input-rules-in-detail.md).

| reason | meaning |
|---|---|
"""


def render() -> str:
    """Give the data dictionary as Markdown."""
    lake, star, ops = ([_table(table) for table in tables] for tables in (LAKE, STAR, OPS))
    seen = [_VIEWS, *map(_view, views()), _MARTS, *map(_table, MARTS)]
    model = [_MODEL, _table(RECOMMENDATIONS), _table(MODEL_RUNS)]
    return "\n".join([_INTRODUCTION, _LAKE, *lake, _STAR, *star, *seen, _OPS, *ops, *model, _keys(), _reasons()])


def _table(table: Table) -> str:
    facts = [f"- **One row is** {table.grain}.", f"- **Key**: {', '.join(table.key)}."]
    if table.partitioned_by:
        facts.append(f"- **Partitioned in Delta by** {', '.join(table.partitioned_by)}.")
    if table.sources:
        facts.append(f"- **Follows** the lake's {' and '.join(table.sources)}.")
    if table is FILES:
        facts.append("- **In PostgreSQL** as `ops.files`.")
    head = "| column | type | null | what it holds |\n|---|---|---|---|"
    return "\n".join([f"### {table.name}", "", table.about, "", *facts, "", head, *_rows(table.columns), ""])


def _rows(columns: Iterable[Column]) -> Iterable[str]:
    for column in columns:
        yield f"| {column.name} | {column.type.value} | {'' if column.nullable else 'never'} | {_cell(column.about)} |"


def _view(view: View) -> str:
    facts = [f"- **One row is** {view.grain}", f"- **Key**: {view.key}", *(f"- **Mind**: {caveat}" for caveat in view.caveats)]
    head = "| column | type | what it holds |\n|---|---|---|"
    rows = [f"| {column.name} | {column.type.value} | {_cell(column.about)} |" for column in view.columns]
    return "\n".join([f"### {view.name} (view)", "", view.about, "", *facts, "", head, *rows, ""])


def _keys() -> str:
    """Give the keys of event and song lines, with the columns that they become."""
    parts = [_KEYS]
    for kind, table in (("events", EVENTS), ("songs", CATALOG)):
        fields, about = FIELDS[kind], {column.name: column for column in table.columns}
        parts += [f"### {kind} (keys)", "", "| key | column | may lack | what it holds |", "|---|---|---|---|"]
        keys = {name: key for kept in (fields.texts, fields.wholes, fields.doubles) for name, key in kept.items()}
        named = [about[name] for name in table.column_names if name in keys]
        parts += [f"| `{keys[c.name]}` | {c.name} | {'yes' if c.nullable else 'no'} | {_cell(c.about)} |" for c in named]
        parts.append("")
    return "\n".join(parts)


def _reasons() -> str:
    return _REASONS + "".join(f"| `{reason.value}` | {_cell(reason.sentence)} |\n" for reason in Reason)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write docs/data_dictionary.md."""
    DICTIONARY.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
