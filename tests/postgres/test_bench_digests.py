"""Contenders of the benchmark that made different rows are told apart."""

from __future__ import annotations

import pytest

from bench.warehouses import differing, digests
from spark_jobs.warehouse.connection import Connection

_USERS = "INSERT INTO dwh.users (user_id, first_name, level, last_seen_at) VALUES "
_ADA, _BELA = "(1, 'Ada', 'free', '2018-11-01T00:00Z')", "(2, 'Bela', 'paid', '2018-11-02T00:00Z')"


def test_order_of_rows_does_not_count(url: str, warehouse: Connection) -> None:
    warehouse.execute(f"{_USERS}{_ADA}, {_BELA}")
    before = digests(url)
    warehouse.execute("DELETE FROM dwh.users")
    warehouse.execute(f"{_USERS}{_BELA}, {_ADA}")
    assert digests(url) == before
    assert before["users"][0] == 2


@pytest.mark.parametrize(
    ("change", "changes_keys"),
    [
        ("UPDATE dwh.users SET level = 'paid' WHERE user_id = 1", False),
        ("UPDATE dwh.users SET first_name = NULL WHERE user_id = 1", False),
        ("UPDATE dwh.users SET first_name = CASE user_id WHEN 1 THEN 'Bela' ELSE 'Ada' END", False),
        ("UPDATE dwh.users SET last_seen_at = last_seen_at + interval '1 microsecond' WHERE user_id = 2", False),
        ("UPDATE dwh.users SET user_id = 3 WHERE user_id = 2", True),
        ("DELETE FROM dwh.users WHERE user_id = 2", True),
    ],
)
def test_changed_row_is_noticed(url: str, warehouse: Connection, change: str, changes_keys: bool) -> None:
    warehouse.execute(f"{_USERS}{_ADA}, {_BELA}")
    before, keys = digests(url), digests(url, keys_only=True)
    warehouse.execute(change)
    assert [told.split()[0] for told in differing(before, digests(url))] == ["users"]
    assert bool(differing(keys, digests(url, keys_only=True))) == changes_keys
