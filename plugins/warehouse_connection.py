"""The warehouse's address, from Airflow's connection songlake_warehouse; masked wherever Airflow shows or logs something."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from spark_jobs.errors import BadUsage

CONNECTION = "songlake_warehouse"


def warehouse_url() -> str:
    """Give `postgresql://user:password@host:port/database`; the password is masked from here on, also as the address spells it.

    Raises:
        BadUsage: Airflow has no such connection.
    """
    try:
        connection = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        raise BadUsage(
            f"Airflow has no connection {CONNECTION}.", "Add one of type postgres, or set AIRFLOW_CONN_SONGLAKE_WAREHOUSE."
        ) from None
    if connection.password:
        mask_secret(connection.password)
        mask_secret(quote(connection.password, safe=""))
    return connection.get_uri()
