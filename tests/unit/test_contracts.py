"""What the contracts promise about themselves, and that the data dictionary says the same."""

from __future__ import annotations

import pytest

from spark_jobs.contracts import LAKE, STAR, Table
from spark_jobs.dictionary import DICTIONARY, render
from spark_jobs.landing.reasons import Reason
from spark_jobs.warehouse.contracts import MARTS, MODEL_RUNS, OPS, RECOMMENDATIONS

TABLES = [*LAKE, *STAR, *MARTS, *OPS, RECOMMENDATIONS, MODEL_RUNS]


def test_data_dictionary_is_what_the_contracts_say() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == render(), "docs/data_dictionary.md has drifted: run python -m spark_jobs.dictionary"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_key_and_partition_columns_are_columns_of_the_table(table: Table) -> None:
    assert set(table.key) | set(table.partitioned_by) <= set(table.column_names)


@pytest.mark.parametrize("table", [table for table in TABLES if table.name != "events"], ids=lambda table: table.name)
def test_key_columns_are_never_null(table: Table) -> None:
    assert [column.name for column in table.columns if column.name in table.key and column.nullable] == []


def test_star_tables_leave_their_partition_column_in_delta() -> None:
    assert {table.name: "start_date" in [column.name for column in table.warehouse_columns] for table in STAR} == {
        "artists": False,
        "songs": False,
        "users": False,
        "time": False,
        "songplays": False,
    }


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert len({reason.sentence for reason in Reason}) == len(Reason) == 22
