"""Settings: `conf/songlake.yaml`, over it `SONGLAKE_*` from the environment, over that the command line."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PostgresDsn, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError, YamlConfigSettingsSource

from spark_jobs.errors import BadUsage
from spark_jobs.locations import Location, ObjectPath, location

PROJECT = Path(__file__).resolve().parent.parent
_NOT_SETTINGS = {"SONGLAKE_ROOT", "SONGLAKE_PAUSE_AT"}
"""Variables of bin/env.sh and of tests."""
WRITER_POOL = "songlake_writer"
"""Airflow's pool of one slot: runs, backfills and maintenance never write side by side."""
_Place = Annotated[Location, BeforeValidator(location)]
_UNSAFE, _ENCODED = re.compile(r"[^A-Za-z0-9/_.=-]"), re.compile("%[0-9A-Fa-f]{2}")
CONF = PROJECT / "conf" / "songlake.yaml"


class Gate(BaseModel):
    """When the quality gate refuses a batch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_rejected_share: float = Field(default=0.05, ge=0, le=1, description="share of refused lines per kind, over all unpublished files")
    max_deleted_share: float = Field(default=0.10, ge=0, le=1, description="share of a live table that one batch may delete ...")
    max_deleted_rows: int = Field(default=1000, ge=0, description="... if that is also more rows than this")


class Warehouse(BaseModel):
    """How the jobs talk to PostgreSQL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connections: int = Field(default=2, ge=1, le=32, description="JDBC connections that write staging side by side")
    lock_timeout_seconds: int = Field(default=30, ge=1, description="how long publish waits for a table that somebody has locked")


class Airflow(BaseModel):
    """The Airflow that `make up` starts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(default=PROJECT / "data" / "airflow", description="its configuration, secrets and logs")
    port: int = Field(default=8080, ge=1, le=65535, description="port of its UI and API on 127.0.0.1")
    retry_seconds: float = Field(default=30, gt=0, description="wait before a failed task is tried again, doubled each time")


class Alerts(BaseModel):
    """Whom Airflow tells, and when; the mail server is Airflow's connection smtp_default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mail_to: list[str] = Field(default=[], description="addresses that get mails; none, no mails")
    mail_from: str = Field(default="songlake@localhost", description="sender of the mails")
    sla_minutes: float = Field(default=60, gt=0, description="a file that waits longer to be published raises an alert")
    retry_minutes: float = Field(default=15, gt=0, description="after how long a failed run is tried again without new files")


class Maintenance(BaseModel):
    """What the weekly maintenance keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lake_days: int = Field(default=30, ge=1, description="how long the lake's replaced files stay readable")
    report_days: int = Field(default=90, ge=1, description="how long report pages are kept")


class Export(BaseModel):
    """What `bin/songlake export` takes where its arguments say nothing, and whether each run in Airflow exports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: _Place | None = Field(
        default=None, description="folder or s3a://bucket/prefix that runs in Airflow export to; none, they export nothing"
    )
    format: Literal["parquet", "csv"] = Field(default="parquet", description="format of the files")
    tables: tuple[str, ...] = Field(default=(), description="tables and views of dwh; none: the tables of the star")


class _ConfigFile(YamlConfigSettingsSource):
    """The settings file, which may hold everything but the warehouse's address: that has a password in it."""

    def __call__(self) -> dict[str, Any]:
        found = super().__call__()
        if any(str(name).lower() == "warehouse_url" for name in found):
            raise BadUsage(
                f"The warehouse's address stands in {self.yaml_file_path}.", "Take it out there and set WAREHOUSE_URL in the environment."
            )
        return found


class Settings(BaseSettings):
    """Everything a user may set; unknown keys are refused."""

    model_config = SettingsConfigDict(
        env_prefix="SONGLAKE_",
        env_nested_delimiter="__",
        yaml_file=CONF,
        yaml_file_encoding="utf-8",
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
    )

    landing: _Place = Field(default=PROJECT / "data" / "landing", description="root of the landing zone, a folder or s3a://bucket/prefix")
    links_into: tuple[Path, ...] = Field(default=(), description="folders outside the landing zone that links in it may lead into")
    lake: _Place = Field(default=PROJECT / "data" / "lake", description="where the Delta tables are, a folder or s3a://bucket/prefix")
    postgres_home: Path = Field(default=PROJECT / "data" / "postgres", description="the embedded PostgreSQL's own folder")
    settle_seconds: float = Field(default=10, ge=0, description="how long a file must stand still before the sensor takes it")
    reports: Path = Field(default=PROJECT / "reports", description="folder of the report pages, one a run")
    gate: Gate = Gate()
    warehouse: Warehouse = Warehouse()
    airflow: Airflow = Airflow()
    alerts: Alerts = Alerts()
    maintenance: Maintenance = Maintenance()
    export: Export = Export()
    warehouse_url: SecretStr | None = Field(default=None, validation_alias="WAREHOUSE_URL", description="only from the environment")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: command line, environment, file."""
        return init_settings, env_settings, _ConfigFile(settings_cls)


def load(**overrides: Any) -> Settings:
    """Read the settings once; `overrides` are the command line's, None meaning not given.

    Relative paths of the file and the environment are taken from the project's folder, those of the command line from the current one.

    Raises:
        BadUsage: A key is unknown or a value cannot be used; the sentence names it.
    """
    given: dict[str, Any] = {name: from_here(value) for name, value in overrides.items() if value is not None}
    _refuse_unknown_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        # The value itself is left out: it could be a password.
        raise BadUsage(
            f"Setting {where!r} cannot be used: {first['msg']}.",
            f"Mend it in {CONF}, in {variable(where)} or on the command line.",
        ) from None
    except SettingsError as error:
        raise BadUsage(f"A variable of the environment cannot be used: {error}.", 'A list is written as JSON: ["one", "two"].') from None
    rooted: dict[str, Any] = {name: _rooted(getattr(settings, name)) for name in ("landing", "lake", "postgres_home", "reports")}
    rooted["links_into"] = tuple(PROJECT / folder for folder in settings.links_into)
    rooted["export"] = settings.export.model_copy(update={"to": settings.export.to and _rooted(settings.export.to)})
    rooted["airflow"] = settings.airflow.model_copy(update={"home": PROJECT / settings.airflow.home})
    settings = settings.model_copy(update=rooted)
    if isinstance(settings.lake, Path) and _ENCODED.search(str(settings.lake)):
        # deltalake would look in the folder whose name that stands for.
        raise BadUsage(
            f"The lake cannot be in {settings.lake}: a percent sign and two hexadecimal digits stand for another character.",
            "Take another folder.",
        )
    if isinstance(settings.lake, ObjectPath) and _UNSAFE.search(settings.lake.key):
        # deltalake asks for parts of the log under another spelling of such a key.
        raise BadUsage("The lake's prefix has characters that not all of its readers spell alike.", "Take letters, digits and -_.=/ alone.")
    if settings.warehouse_url is not None:
        _check_url(settings.warehouse_url.get_secret_value())
    return settings


def variable(name: str) -> str:
    """Name the variable of the environment that holds a setting, `export.to` for example."""
    return f"SONGLAKE_{name.upper().replace('.', '__')}"


def from_here(given: str | Path | ObjectPath) -> Location:
    """Read a place of the command line, whose relative paths are taken from the current folder.

    Raises:
        BadUsage: It is an address of another kind.
    """
    place = location(given)
    return place.absolute() if isinstance(place, Path) else place


def _rooted(place: Location) -> Location:
    return PROJECT / place if isinstance(place, Path) else place


def _refuse_unknown_variables() -> None:
    """Refuse a misspelt SONGLAKE_ variable, which would have no effect without a word."""
    known = {f"SONGLAKE_{name.upper()}" for name in Settings.model_fields if name != "warehouse_url"} | _NOT_SETTINGS
    for name in os.environ:
        if name.startswith("SONGLAKE_") and not name.startswith("SONGLAKE_TEST_") and name.split("__")[0].upper() not in known:
            raise BadUsage(
                f"{name} in the environment is no setting.", f"Unset it, or take one of {', '.join(sorted(known - _NOT_SETTINGS))}."
            )


@cache
def _url_adapter() -> TypeAdapter[PostgresDsn]:
    return TypeAdapter(PostgresDsn)


def _check_url(url: str) -> None:
    try:
        _url_adapter().validate_python(url)
    except ValidationError:
        raise BadUsage("WAREHOUSE_URL is not a PostgreSQL address.", "Write it as postgresql://user:password@host:port/database.") from None
