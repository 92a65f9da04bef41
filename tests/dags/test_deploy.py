"""What deploy/ says agrees with the project's own files, with Kubernetes' schema, with Spark and with Airflow's Spark operator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiClient

from tests.sparkenv import PROJECT

DEPLOY = PROJECT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
DOCUMENTS: list[dict[str, Any]] = [
    document for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")) for document in yaml.safe_load_all(file.read_text())
]
EXECUTOR: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "executor.yaml").read_text())
CLUSTERS = sorted(path.parent.name for path in DEPLOY.glob("*/spark.conf"))


def settings(cluster: str) -> dict[str, str]:
    """A cluster's own lines."""
    lines = (DEPLOY / cluster / "spark.conf").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def named(kind: str, name: str = "") -> dict[str, Any]:
    """The one document of a kind."""
    (found,) = [one for one in DOCUMENTS if one["kind"] == kind and name in one["metadata"].get("name", "")]
    return found


def driver() -> dict[str, Any]:
    """The driver's pod."""
    return named("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: f"{one['kind']} {one['metadata'].get('name', '')}")
def test_kubernetes_knows_every_field(document):
    group, _, version = document["apiVersion"].rpartition("/")
    model = f"V1{document['kind']}"
    assert (version, group) in {("v1", ""), ("v1", "batch"), ("v1", "networking.k8s.io"), ("v1", "rbac.authorization.k8s.io")}
    client = ApiClient()
    read = client.deserialize(SimpleNamespace(data=json.dumps(document)), model)
    assert client.sanitize_for_serialization(read) == document


def test_driver_and_executors_run_from_the_image_of_compose_as_its_user():
    image = COMPOSE["airflow-init"]["image"]
    uid = int(re.search(r"--uid (\d+)", (PROJECT / "docker" / "Dockerfile").read_text())[1])
    assert settings("kubernetes")["spark.kubernetes.container.image"] == driver()["containers"][0]["image"] == image
    for pod in (driver(), EXECUTOR["spec"]):
        assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]) == (uid, True)
        assert pod["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_driver_and_executors_find_the_lake_at_one_place_and_executors_find_nothing_else():
    (container,) = driver()["containers"]
    given = {one["name"]: one.get("value") for one in container["env"]}
    mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    compose = COMPOSE["airflow-scheduler"]["environment"]
    assert (mounted["lake"], mounted["landing"]) == (given["SONGLAKE_LAKE"], given["SONGLAKE_LANDING"])
    assert (given["SONGLAKE_LAKE"], given["SONGLAKE_LANDING"]) == (compose["SONGLAKE_LAKE"], compose["SONGLAKE_LANDING"])
    assert EXECUTOR["spec"]["containers"][0]["volumeMounts"] == [{"name": "lake", "mountPath": mounted["lake"]}]
    claims = {one["name"]: one["persistentVolumeClaim"]["claimName"] for one in driver()["volumes"] if "persistentVolumeClaim" in one}
    assert {claims["lake"], claims["landing"]} == {one["metadata"]["name"] for one in DOCUMENTS if one["kind"] == "PersistentVolumeClaim"}
    assert EXECUTOR["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claims["lake"]
    assert Path(given["SPARK_PROPERTIES_FILE"]).parent == Path(mounted["spark"])
    assert Path(settings("kubernetes")["spark.kubernetes.executor.podTemplateFile"]).parent == Path(mounted["spark"])


def test_accounts_ports_and_names_agree():
    own = settings("kubernetes")
    assert own["spark.kubernetes.authenticate.executor.serviceAccountName"] == named("ServiceAccount", "executor")["metadata"]["name"]
    assert driver()["serviceAccountName"] == named("ServiceAccount", "driver")["metadata"]["name"]
    assert {one["metadata"]["namespace"] for one in DOCUMENTS if one["kind"] != "Pod"} == {own["spark.kubernetes.namespace"]}
    opened = {str(one["port"]) for one in named("NetworkPolicy")["spec"]["ingress"][0]["ports"]}
    assert opened == {own["spark.driver.port"], own["spark.blockManager.port"]}
    assert own["spark.kubernetes.driver.pod.name"] == "${env:POD_NAME}"
    assert "POD_NAME" in {one["name"] for one in driver()["containers"][0]["env"]}


def test_no_secret_stands_in_deploy():
    texts = "".join(path.read_text() for path in DEPLOY.rglob("*") if path.is_file())
    assert not re.search(r"spark\.authenticate\.secret|password|://[^\s\"]*:[^\s\"]*@", texts)
    url = next(one for one in driver()["containers"][0]["env"] if one["name"] == "WAREHOUSE_URL")
    assert set(url["valueFrom"]) == {"secretKeyRef"}


@pytest.fixture(scope="module")
def known() -> bytes:
    """What stands in the classes of Spark's own jars."""
    found = b""
    for jar in (PROJECT / ".venv").glob("lib/python*/site-packages/pyspark/jars/spark-*.jar"):
        if re.match(r"spark-(core|kubernetes|yarn|sql|sql-api|catalyst|common-utils|network-common|launcher)_", jar.name):
            with zipfile.ZipFile(jar) as packed:
                classes = [name for name in packed.namelist() if re.search(r"(onfig|Conf|package|Constants)[\w$]*\.class$", name)]
                found += b"".join(map(packed.read, classes))
    return found


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_spark_knows_every_setting(cluster, known):
    free = ("spark.executorEnv.", "spark.yarn.appMasterEnv.", "spark.kubernetes.authenticate.executor.")
    assert [name for name in settings(cluster) if not name.startswith(free) and name.encode() not in known] == []


def test_spark_submit_takes_the_settings_for_yarn_and_asks_for_hadoops_own(tmp_path):
    properties = tmp_path / "spark.conf"
    properties.write_text((PROJECT / "conf" / "spark-defaults.conf").read_text() + (DEPLOY / "yarn" / "spark.conf").read_text())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK", "HADOOP", "YARN"))}
    done = subprocess.run(
        [PROJECT / "bin" / "spark-submit", "--verbose", "spark_jobs/ingest.py"],
        env={**kept, "SPARK_PROPERTIES_FILE": str(properties)},
        capture_output=True,
        text=True,
        cwd=PROJECT,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "When running with master 'yarn' either HADOOP_CONF_DIR or YARN_CONF_DIR must be set" in said
    taken = dict(re.findall(r"^Adding default property: ([\w.]+)=(.*)$", said, re.MULTILINE))
    assert settings("yarn").items() <= taken.items()
    assert taken["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension"


_SUBMIT = """
import json, sys
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
print(json.dumps([SparkSubmitHook(conn_id=name)._build_spark_submit_command("ingest.py") for name in sys.argv[1:]]))
"""


def test_airflow_submits_to_the_cluster_that_the_connection_names(airflow_environment):
    masters = {"standalone": "spark://spark-master:7077", "kubernetes": "k8s://https://kubernetes.default.svc", "yarn": "yarn"}
    connections = {name: json.loads((DEPLOY / "airflow" / f"{name}.json").read_text())["spark_default"] for name in masters}
    given = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in connections.items()}
    done = subprocess.run([sys.executable, "-c", _SUBMIT, *masters], env={**airflow_environment, **given}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    commands = dict(zip(masters, json.loads(done.stdout.splitlines()[-1]), strict=True))
    assert {name: command[:3] for name, command in commands.items()} == {
        name: ["spark-submit", "--master", master] for name, master in masters.items()
    }
    assert {command[command.index("--deploy-mode") + 1] for command in commands.values()} == {"client"}
    assert {cluster: settings(cluster)["spark.master"] for cluster in CLUSTERS} == {cluster: masters[cluster] for cluster in CLUSTERS}
    assert json.loads(COMPOSE["airflow-scheduler"]["environment"]["AIRFLOW_CONN_SPARK_DEFAULT"]) == connections["standalone"]
