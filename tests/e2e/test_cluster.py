"""The same jobs on a cluster: a master and two workers, of which parts die in the middle."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.e2e.cluster import SECRET, Cluster, cluster
from tests.e2e.conftest import Cli, kill_group, wait_for
from tests.scratch import wait_until
from tests.sparkenv import PROJECT
from tests.world import DAY, START, World, event, song


def _deliver(world: World) -> None:
    for day in range(2):
        plays = [event(START + day * DAY + 1000 * n, str(n % 40), n // 20, n, song=f"Title {n % 90}") for n in range(1000)]
        world.write(f"log_data/{day}.json", plays)
    world.write("log_data/refused.json", "not json\n" * 20)
    world.write("song_data/all.json", [song(f"SO{n}", title=f"Title {n}", artist_id=f"AR{n % 7}") for n in range(60)])


def _stop_in_a_task(run: subprocess.Popen[str], made: Cluster, worker: int) -> psutil.Process:
    """Give the executor of a worker, stopped in the middle of a task."""
    assert wait_until(lambda: made.executors(worker), 120)
    (executor,) = made.executors(worker)

    def stopped() -> bool:
        executor.suspend()
        time.sleep(0.2)  # the worker writes down what it has said until then
        if made.is_in_a_task(worker):
            return True
        executor.resume()
        return False

    assert wait_until(stopped, 240, every=0.02)
    assert run.poll() is None
    return executor


@pytest.mark.slow
def test_an_executor_and_a_worker_that_die_in_the_middle_cost_a_delivery_nothing(cli: Cli, tmp_path: Path) -> None:
    _deliver(cli.world)
    cli.world.deliveries.observe(cli.world.landing)
    # What workers on other machines do not have: the landing zone, and of Songlake more than Spark and its jars.
    hidden = [cli.world.landing, *(PROJECT / name for name in ("conf", "spark_jobs", "sql"))]
    with cluster(tmp_path / "cluster", hidden) as made:
        run = cli.start("run", SPARK_PROPERTIES_FILE=str(made.properties), _SPARK_AUTH_SECRET=SECRET)
        try:
            wait_for(run, "stage=ingest")
            _stop_in_a_task(run, made, 0).kill()
            assert not [one for one in psutil.process_iter(["cmdline"]) if SECRET in " ".join(one.info["cmdline"] or [])]
            wait_for(run, "stage=build_star")
            _stop_in_a_task(run, made, 1)
            kill_group(made.workers[1])
            _, said = run.communicate(timeout=240)
        finally:
            if run.poll() is None:
                kill_group(run)
    assert run.returncode == 0, said
    cli.world.check()
    events = made.events()
    lost = sorted(one["Removed Reason"] for one in events if one["Event"] == "SparkListenerExecutorRemoved")
    assert [reason.split(":")[0] for reason in lost] == ["Command exited with code 137", "worker lost"]
    ended = Counter(
        (one["Task Info"]["Executor ID"], one["Task End Reason"]["Reason"]) for one in events if one["Event"] == "SparkListenerTaskEnd"
    )
    assert {who for who, why in ended if why == "ExecutorLostFailure"} == {"0", "1"}, "they were killed between two tasks"
    assert "driver" not in {who for who, _ in ended}
    assert ended["2", "Success"] > 10
    assert SECRET not in made.texts()
