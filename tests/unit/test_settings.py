"""Settings: the file, over it the environment, over that the command line; what is wrong is named, a password never."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_jobs.errors import BadUsage
from spark_jobs.settings import PROJECT, Settings, load


@pytest.fixture(autouse=True)
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of the test's own, and an environment without settings."""
    for name in ("WAREHOUSE_URL", "SONGLAKE_LANDING", "SONGLAKE_LAKE", "SONGLAKE_POSTGRES_HOME", "SONGLAKE_GATE__MAX_REJECTED_SHARE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "songlake.yaml"
    path.write_text("landing: from/file\ngate:\n  max_rejected_share: 0.2\n")
    monkeypatch.setitem(Settings.model_config, "yaml_file", path)
    return path


def test_relative_paths_of_the_file_are_taken_from_the_project_folder() -> None:
    assert load().landing == PROJECT / "from" / "file"


def test_what_the_file_leaves_out_has_its_default() -> None:
    settings = load()
    assert (settings.lake, settings.gate.max_deleted_rows, settings.warehouse.connections) == (PROJECT / "data" / "lake", 1000, 2)


def test_environment_wins_over_the_file_also_between_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_LANDING", "/from/environment")
    monkeypatch.setenv("SONGLAKE_GATE__MAX_REJECTED_SHARE", "0.3")
    assert (load().landing, load().gate.max_rejected_share) == (Path("/from/environment"), 0.3)


def test_command_line_wins_over_the_environment_and_its_paths_are_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGLAKE_LANDING", "/from/environment")
    monkeypatch.chdir(tmp_path)
    assert load(landing=Path("here"), lake=None).landing == tmp_path / "here"


@pytest.mark.parametrize(("text", "name"), [("lakes: x\n", "lakes"), ("gate:\n  max_reject_share: 0.1\n", "gate.max_reject_share")])
def test_unknown_key_of_the_file_is_refused_by_name(conf: Path, text: str, name: str) -> None:
    conf.write_text(text)
    with pytest.raises(BadUsage) as error:
        load()
    assert error.value.exit_code == 2
    assert f"Setting {name!r} cannot be used" in error.value.what


def test_unknown_key_of_a_level_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_GATE__MAX_REJECT_SHARE", "0.1")
    with pytest.raises(BadUsage):
        load()


def test_unknown_key_of_the_top_level_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_LANDINGS", "/elsewhere")
    with pytest.raises(BadUsage):
        load()


def test_value_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_GATE__MAX_REJECTED_SHARE", "5")
    with pytest.raises(BadUsage, match=r"gate\.max_rejected_share"):
        load()


def test_list_in_the_environment_that_is_no_json_is_refused_with_how_to_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONGLAKE_EXPORT__TABLES", "songplays,users")
    with pytest.raises(BadUsage, match="export") as refused:
        load()
    assert refused.value.fix == 'A list is written as JSON: ["one", "two"].'


def test_the_address_of_the_warehouse_may_not_stand_in_the_file(conf: Path) -> None:
    conf.write_text("warehouse_url: postgresql://u:word@h/d\n")
    with pytest.raises(BadUsage) as error:
        load()
    assert "word" not in str(error.value)


def test_the_password_does_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://songlake:s3cret@localhost:5432/songlake")
    settings = load()
    assert "s3cret" not in repr(settings)
    assert settings.warehouse_url is not None
    assert settings.warehouse_url.get_secret_value() == "postgresql://songlake:s3cret@localhost:5432/songlake"


@pytest.mark.parametrize(
    "url", ["mysql://songlake:s3cret@localhost/songlake", "songlake:s3cret", "postgresql://songlake:s3cret@host:port/db"]
)
def test_an_address_that_is_not_postgresql_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", url)
    with pytest.raises(BadUsage) as error:
        load()
    assert error.value.what == "WAREHOUSE_URL is not a PostgreSQL address."
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("folder", ["a%20b/lake", "lake%c3"])
def test_a_folder_for_the_lake_that_deltalake_spells_otherwise_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="a percent sign and two hexadecimal digits"):
        load(lake=tmp_path / folder)
    assert load(lake=tmp_path / "100% ours").lake == tmp_path / "100% ours"
