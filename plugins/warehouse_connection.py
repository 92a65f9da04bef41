"""The warehouse's address, from Airflow's connection songlake_warehouse; masked wherever Airflow shows or logs something."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Connection
from airflow.sdk.log import mask_secret

CONNECTION = "songlake_warehouse"


def warehouse_url() -> str:
    """Give `postgresql://user:password@host:port/database`; the password is masked from here on, also as the address spells it."""
    connection = Connection.get(CONNECTION)
    if connection.password:
        mask_secret(connection.password)
        mask_secret(quote(connection.password, safe=""))
    return connection.get_uri()
