"""A bucket of its own for each test, in one object store for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spark_jobs.locations import ObjectPath
from tests.object_store import ObjectStore, endpoint


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with endpoint() as running:
        yield running


@pytest.fixture
def bucket(store: ObjectStore) -> Iterator[ObjectPath]:
    yield store.bucket()
    store.fail(times=0)
