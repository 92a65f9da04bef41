"""Keys that nobody knows are told, once each, with the file; a lake of an older Songlake learns to hold them."""

from __future__ import annotations

import json

import psycopg
import pytest

from spark_jobs.contracts import FILES
from tests.world import START, World, event, song


def _told(world: World) -> str | None:
    """Run, and give what the check says."""
    [found] = [result for result in world.run().checks if result.name == "unknown_keys"]
    assert (found.severity, found.passed) == ("warn", found.detail is None)
    return found.detail


def test_unknown_keys_of_a_batch_are_named_once_with_the_file(world: World) -> None:
    world.write("log_data/a.json", [event(item=number, device=1, Artist="other case") for number in range(60)])
    world.write("log_data/b.json", [event(item=100, artist="Björk", device=2), event(item=101)])
    world.write("log_data/c.json", '{"ts": 1, "only refused lines have this": []}\n{"not": "an object"\n')
    world.write("log_data/d.csv", f"ts,userId,sessionId,itemInSession,page,extra column\n{START},1,1,102,Home,x\n")
    world.write("song_data/a.json", json.dumps(song(**{"mood": {"a": 1}, "n\0u&amp;l\ud800": 1}), indent=1))
    assert _told(world) == (
        "kind events, key Artist, first file log_data/a.json, files 1; kind events, key device, first file log_data/a.json, files 2; "
        "kind events, key extra column, first file log_data/d.csv, files 1; "
        "kind events, key only refused lines have this, first file log_data/c.json, files 1; "
        "kind songs, key mood, first file song_data/a.json, files 1; and 1 more"
    )
    world.check()
    with psycopg.connect(world.url) as connection:
        [[keys]] = connection.execute("SELECT unknown_keys FROM ops.files WHERE path = 'song_data/a.json'").fetchall()
    assert keys == ["mood", "nu&l\ufffd"]
    world.write("log_data/a.json", [event(item=103)])
    assert _told(world) is None
    world.check()


def test_a_file_of_thousands_of_keys_names_the_first_few_of_them(world: World) -> None:
    plain = event() | {f"key {number:05}": number for number in range(10_000)}
    special = event(item=1, song="Jóga") | {f"{number:05} ".ljust(5000, "x"): number for number in range(40)}
    world.write("log_data/plain.json", [plain])
    world.write("log_data/special.json", [special])
    assert "and 35 more" in str(_told(world))
    with psycopg.connect(world.url) as connection:
        found = dict(connection.execute("SELECT path, unknown_keys FROM ops.files").fetchall())
    assert found["log_data/plain.json"] == [f"key {number:05}" for number in range(20)]
    assert found["log_data/special.json"] == [f"{number:05} ".ljust(100, "x") for number in range(20)]


def test_a_lake_of_an_older_songlake_gets_the_column_and_keeps_rows_and_bookmarks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("log_data/a.json", [event()])
    with monkeypatch.context() as older:
        older.setitem(FILES.__dict__, "columns", FILES.columns[:-1])
        world.run()
        world.write("log_data/b.json", [event(item=1)])
        older.setattr("spark_jobs.pipeline._stage", lambda *_: None)
        world.run()
    assert world.run().tables["files"].inserted == 1
    world.write("log_data/c.json", [event(item=2, device=1)])
    assert _told(world) == "kind events, key device, first file log_data/c.json, files 1"
    world.check()
