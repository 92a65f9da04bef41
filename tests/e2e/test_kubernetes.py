"""Executors in pods, as deploy/kubernetes asks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Cli
from tests.e2e.kubernetes_api import DRIVER, kubernetes
from tests.sparkenv import PROJECT
from tests.world import compare_accepted, compare_files, event, song

DEPLOY = PROJECT / "deploy" / "kubernetes"


@pytest.mark.slow
def test_executors_in_pods_do_the_work_and_the_driver_asks_for_what_its_role_allows(cli: Cli, tmp_path: Path) -> None:
    world = cli.world
    world.write("log_data/1.json", [event(item=number) for number in range(20)])
    world.write("song_data/1.json", [song()])
    world.deliveries.observe(world.landing)
    with kubernetes(tmp_path / "pods") as made:
        here = {
            "spark.master": f"k8s://{made.url}",
            "spark.executor.instances": "1",
            "spark.executor.cores": "1",
            "spark.executor.memory": "700m",
            "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.driver.port": "0",
            "spark.blockManager.port": "0",
            "spark.kubernetes.executor.podTemplateFile": str(DEPLOY / "executor.yaml"),
        }
        texts = [(PROJECT / "conf" / "spark-defaults.conf").read_text(), (DEPLOY / "spark.conf").read_text()]
        properties = tmp_path / "spark.conf"
        properties.write_text("".join([*texts, *(f"{name} {value}\n" for name, value in here.items())]))
        given = {"SPARK_PROPERTIES_FILE": str(properties), "POD_NAME": DRIVER}
        done = cli("spark_jobs/ingest.py", program="bin/spark-submit", **given)
        said = "".join(path.read_text() for path in made.logs.iterdir())
    assert done.code == 0, done.out + done.err
    wanted = world.deliveries.warehouse()
    compare_files(world.lake, wanted)
    compare_accepted(world.lake, wanted)
    assert said.count("Finished task") > 5
    (role,) = [one for one in yaml.safe_load_all((DEPLOY / "songlake.yaml").read_text()) if one["kind"] == "Role"]
    allowed = {(verb, resource) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert made.asked <= allowed
    (pod,) = made.created
    assert pod["metadata"]["ownerReferences"][0]["name"] == DRIVER
    assert [claim["claimName"] for one in pod["spec"]["volumes"] if (claim := one.get("persistentVolumeClaim"))] == ["songlake-lake"]
    assert "WAREHOUSE_URL" not in json.dumps(pod)
