"""The questions of `examples/`: each file's answer is what it gives on the sample data of `make demo`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_jobs.generator import generate
from spark_jobs.warehouse.connection import Connection, connect
from tests.marts import fill_star
from tests.oracle import warehouse_of
from tests.scratch import scratch_database

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.sql"))
ANSWER = "-- Answer on the sample data of make demo:"


@pytest.fixture(scope="module")
def sample(postgres_server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A warehouse with the sample data; the oracle's, which a run's is proven equal to elsewhere."""
    landing = tmp_path_factory.mktemp("sample")
    generate(landing)
    with scratch_database(postgres_server, template) as url, connect(url, application_name="test") as connection:
        fill_star(connection, warehouse_of(landing).tables)
        connection.execute("SET TimeZone = 'Pacific/Auckland'")
        yield connection


def test_there_are_ten_questions() -> None:
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_gives_the_answer_that_it_states(sample: Connection, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    stated = [line.removeprefix("--   ") for line in lines[lines.index(ANSWER) + 1 :] if line.startswith("--   ")]
    asked = sample.execute(text.encode())
    names = [column.name for column in asked.description or ()]
    rows = [["-" if value is None else str(value) for value in row] for row in asked.fetchall()]
    assert stated == [" | ".join(row) for row in [names, *rows]]
