"""The part of `make up` that needs PostgreSQL alone: Airflow's own database."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from spark_jobs.settings import Airflow, Settings
from spark_jobs.stack_home import StackHome, make_environment
from spark_jobs.warehouse import embedded


def metadata_owner(settings: Settings) -> str:
    """Who Airflow is in its database."""
    address = make_environment(settings)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
    with psycopg.connect(address) as connection:
        return connection.info.user


def test_airflow_reaches_its_database_after_its_folder_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    postgres = tmp_path / "postgres"
    before, after = (Settings(postgres_home=postgres, airflow=Airflow(home=tmp_path / name)) for name in ("before", "after"))
    try:
        for settings in (before, after):
            assert StackHome(settings.airflow.home).make()
            assert metadata_owner(settings) == "airflow"
    finally:
        embedded.stop(postgres)
