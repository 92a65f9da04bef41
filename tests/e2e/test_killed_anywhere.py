"""A run killed anywhere is repaired by the next: lake and warehouse end equal to the oracle."""

from __future__ import annotations

import random
import time

import pytest

from tests.e2e.conftest import Cli, kill_group, wait_for
from tests.world import DAY, START, World, event, song

STAR_TABLES = ("songs", "artists", "songplays", "time", "users")
BOUNDARIES = ("events", "catalog", "rejects", "files", *STAR_TABLES, "staging", "publish", "published")


def _deliver_first(world: World) -> None:
    world.write("log_data/1.json", [event(item=number, level="free") for number in range(5)] + [event(START + DAY, item=6)])
    world.write("log_data/2.json", [event(START + DAY, "2", item=7, level="paid")])
    world.write("song_data/1.json", [song("SO1"), song("SO2", title="Other")])


def _deliver_second(world: World) -> None:
    """Change a file that was read, bring a new day, refuse a line, and let a song arrive after its plays."""
    world.write("log_data/1.json", [event(item=number, level="paid") for number in range(3)])
    world.write("log_data/3.json", [event(START + 2 * DAY, item=8, song="Late"), event(START + 2 * DAY, "2", item=9, level="free")])
    world.write("log_data/4.json", "not json\n")
    world.write("song_data/2.json", [song("SO3", title="Late")])
    world.write("log_data/5.json", [event(START + 3 * DAY, item=number) for number in range(30)])


def _make_every_star_table_stale(world: World, number: int) -> None:
    """They are written side by side, so a run killed at one of them may have written others."""
    world.write(f"log_data/more-{number}.json", [event(START + number * DAY, item=100 + number)])
    world.write("song_data/more.json", [song("SO9", artist_id=f"AR{number}")])


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_every_commit_the_next_run_ends_equal_to_the_oracle(cli: Cli) -> None:
    _deliver_first(cli.world)
    assert cli.run().code == 0
    cli.world.check()
    _deliver_second(cli.world)
    for number, boundary in enumerate(BOUNDARIES):
        if boundary in STAR_TABLES:
            _make_every_star_table_stale(cli.world, number)
        live = cli.world.row_versions()
        process = cli.start("run", SONGLAKE_PAUSE_AT=boundary)
        wait_for(process, f"paused at {boundary}")
        kill_group(process)
        if boundary == "published":
            cli.world.deliveries.observe(cli.world.landing)
            cli.world.check()
        else:
            assert cli.world.row_versions() == live, f"readers saw something of a run killed at {boundary}"
    finished = cli.run()
    assert finished.code == 0, finished.err
    cli.world.check()


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_random_moments_the_next_run_ends_equal_to_the_oracle(cli: Cli) -> None:
    rng = random.Random(7)
    _deliver_first(cli.world)
    for _ in range(3):
        process = cli.start("run")
        time.sleep(rng.uniform(3, 40))
        if process.poll() is None:
            kill_group(process)
    assert cli.run().code == 0
    cli.world.check()


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_rows_of_a_changed_file_survive_a_killed_batch_although_the_file_is_archived(cli: Cli) -> None:
    _deliver_first(cli.world)
    assert cli.run().code == 0
    changed = cli.world.write("log_data/1.json", [event(item=9)])
    process = cli.start("run", SONGLAKE_PAUSE_AT="events")
    wait_for(process, "paused at events")
    kill_group(process)
    changed.unlink()
    cli.world.write("log_data/6.json", [event(START + 5 * DAY, item=1)])
    assert cli.run().code == 0
    cli.world.check()
