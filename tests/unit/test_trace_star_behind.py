"""What a trace says where the star is not what the lake holds: not derived yet, or removed to be derived anew. No JVM, no PostgreSQL."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from spark_jobs.contracts import EVENTS, SONGPLAYS
from spark_jobs.errors import InputMissing
from spark_jobs.lake import snapshot
from spark_jobs.trace import command
from spark_jobs.trace.play import trace_play
from spark_jobs.trace.user import trace_user
from tests.postgres.lake import commit, ingest
from tests.postgres.staging import MIDNIGHT, Row, file, play
from tests.world import World

BEHIND = "The star is behind the lake; the next run brings it up to date."
PLAY = play()
PLAY_ID = PLAY["songplay_id"]


def event(**values: object) -> Row:
    taken = {name: PLAY[name] for name in ("session_id", "item_in_session", "user_id", "level", "length")}
    told = {"ts": round(MIDNIGHT.timestamp() * 1000), "page": "NextSong", "song": PLAY["song_title"], "artist": PLAY["artist_name"]}
    lineage = {"source_file": "log_data/a.json", "source_modified_at": MIDNIGHT, "batch_id": "A"}
    return {**taken, **told, "event_date": MIDNIGHT.date(), **lineage, **values}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A lake with one event and the play derived from it, and a warehouse that does not answer."""
    world = World(tmp_path, "postgresql://nobody:nothing@127.0.0.1:1/nowhere")
    ingest(world.lake, "A", [])
    read(world, event())
    sources = {name: at.as_dict() for name, at in snapshot.require_counted(world.lake).items() if name in SONGPLAYS.sources}
    commit(world.lake, SONGPLAYS, [PLAY | {"start_date": MIDNIGHT.date()}], {"sources": sources})
    return world


def read(world: World, row: Row) -> None:
    commit(world.lake, EVENTS, [row], {"batch_id": "A"})
    ingest(world.lake, "A", [file(row["source_file"])])


def test_a_play_is_found_by_its_id_however_its_numbers_are_written(world: World) -> None:
    for written in (PLAY_ID, f"0{PLAY_ID}", PLAY_ID.replace("-7", "-\u06607")):
        trace = trace_play(world.settings(), written)
        assert (trace.songplay_id, trace.notes) == (PLAY_ID, [])


def test_a_play_whose_event_says_otherwise_by_now_is_told_to_be_behind(world: World) -> None:
    read(world, event(level="paid", source_file="log_data/b.json"))
    trace = trace_play(world.settings(), PLAY_ID)
    assert (trace.event["level"], trace.notes) == ("paid", [BEHIND])


def test_where_the_star_was_removed_a_play_is_traced_and_a_user_is_told_to_come_with_the_next_run(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(world.lake / "star")
    command.show(world.settings(), PLAY_ID, None, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["source"]["file"], shown["notes"]) == ("log_data/a.json", [BEHIND])
    with pytest.raises(InputMissing, match=r"users has no user 7.*star is behind the lake; the next run"):
        trace_user(world.settings(), "7")


def test_a_lake_that_is_not_there_is_told_whatever_is_traced(world: World) -> None:
    shutil.rmtree(world.lake)
    for what, key in (("songplay", PLAY_ID), ("user", "7"), ("song", "SO1")):
        with pytest.raises(InputMissing, match="There is no lake"):
            command.show(world.settings(), what, key, as_json=True)


def test_a_song_id_of_broken_bytes_is_no_fault_of_the_lake(world: World) -> None:
    with pytest.raises(InputMissing, match="knows no song of that id"):
        command.show(world.settings(), "song", "SO\udcff", as_json=True)
