"""Traces of rows whose way is known: one delivery with what can happen on the way, asked from every side."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyspark.sql import SparkSession, functions

from spark_jobs.contracts import FILES
from spark_jobs.errors import BadUsage, InputMissing
from spark_jobs.star import songplays
from spark_jobs.trace import command, known
from spark_jobs.trace.play import PlayTrace, trace_play
from spark_jobs.trace.song import trace_song
from spark_jobs.trace.user import trace_user
from tests.lineage import endings, names, parse, tell_to, told
from tests.names import NAMES
from tests.scratch import scratch_database
from tests.world import DAY, START, World, event, song

NOISY = {
    "artist": "  BjÃ¶rk &amp; Co ",
    "length": "269.58322",
    "userId": "1",
    "registration": -5,
    "location": "",
    "status": 200,
}
BJORK = f"{START}-7-0-1"
TWICE = f"{START + 1000}-1-1-1"
CSV = f"{START + 2000}-1-2-2"
ZIPPED = f"{START + 3000}-1-3-2"
FREE = f"{START + 4000}-1-4-2"
HOME = f"{START + 5000}-1-5-3"


@pytest.fixture(scope="module")
def delivered(spark: SparkSession, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with scratch_database(postgres_server) as url, pytest.MonkeyPatch.context() as environment:
        world = World(tmp_path_factory.mktemp("trace"), url)
        _deliver(world)
        tell_to(world.root / "lineage", environment)
        assert world.run().published
        yield world


def _deliver(world: World) -> None:
    twice = event(START + 1000, item=1)
    lesser, refused = {**twice, "level": "free"}, {**twice, "level": "gold"}
    again = {**twice, "level": "paid"}
    world.write("log_data/1.json", [event(START, session=7.0, **NOISY), {**twice, "level": "paid", "song": "Old"}])
    world.write("log_data/2.json", "\n\n" + "\n".join(map(json.dumps, (lesser, refused, again, again))))
    names = "ts,userId,sessionId,itemInSession,page,level,song,artist,length,userAgent"
    world.write("log_data/3.csv", f'{names}\n{START + 2000},2,1,2,NextSong,free,"Setanta\nmatins",ELENA,269.583,"""Lynx"""\n')
    lines = [event(START + 3000, "2", item=3, length=269.9), event(START + 4000, "2", item=4, song="Nothing", length=0)]
    world.write("log_data/4.json.gz", gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    world.write("log_data/5.json", [event(START + 5000, "3", item=5, page="Home", song=None, artist=None, length=None)])
    world.write("log_data/6.json", [event(START + DAY, item=6, level="paid"), *(event(START + 6000 + n, "4", item=9) for n in range(20))])
    bjork = song("SO9", title="Setanta  Matins", artist_name="björk & co", artist_id="AR9", year="1999.0")
    world.write("song_data/1.json", [song("SO2"), song("SO1"), song("SO3", duration=270.0), song("SO4", title="")])
    world.write("song_data/2.json", [bjork, song("SO5"), song("SO6", artist_latitude=99.0, artist_longitude=1.0)])
    world.write("song_data/3.json", json.dumps([song("SO5", title="Now another")], indent=1))


def _changes(trace: Any) -> dict[str, tuple[str, object, str]]:
    return {change.column: (change.raw, change.cleaned, change.how) for change in trace.source.changes}


def _play(world: World, songplay_id: str) -> PlayTrace:
    return trace_play(world.settings(), songplay_id)


def test_a_play_is_traced_to_its_line_and_told_what_cleaning_changed(delivered: World) -> None:
    trace = _play(delivered, BJORK)
    assert (trace.source.file, [(line.number, line.became) for line in trace.source.lines]) == ("log_data/1.json", [(1, "the row")])
    assert trace.source.lines[0].raw == (delivered.landing / "log_data/1.json").read_text().split("\n")[0]
    repaired = "UTF-8 that was read as Latin-1 is repaired; entities are decoded; white space at the ends is trimmed"
    assert _changes(trace) == {
        "artist": ('"  BjÃ¶rk &amp; Co "', "Björk & Co", repaired),
        "location": ('""', None, "blank means none"),
        "user_agent": ('"\\"Mozilla/5.0 (X11; Linux x86_64)\\""', "Mozilla/5.0 (X11; Linux x86_64)", "quotes round the whole are dropped"),
        "session_id": ("7.0", 7, "the number counts by its value"),
        "user_id": ('"1"', 1, "the text is taken as the number that it names"),
        "length": ('"269.58322"', 269.58322, "the text is taken as the number that it names"),
        "registration": ("-5", None, "a registration outside 1970 to 2100 counts as none"),
    }
    assert trace.match is not None
    assert (trace.match.candidates, trace.song_id, trace.notes) == (["SO9"], "SO9", [])


def test_of_two_files_the_later_decides_and_of_its_lines_the_greatest(delivered: World) -> None:
    trace = _play(delivered, TWICE)
    assert trace.source.file == "log_data/2.json"
    assert trace.source.why == "It was modified last."
    assert [(line.number, line.became, line.why) for line in trace.source.lines] == [
        (3, "said otherwise and lost", "level is 'free', and the greater 'paid' wins"),
        (4, "refused", "level is neither free nor paid"),
        (5, "the row", ""),
        (6, "the same again", ""),
    ]
    assert [(other.file, other.differs, other.why) for other in trace.others] == [
        ("log_data/1.json", {"song": "Old"}, "It was modified earlier.")
    ]


def test_of_several_songs_that_fit_the_smallest_is_told_and_why_others_do_not(delivered: World) -> None:
    trace = _play(delivered, TWICE)
    assert trace.match is not None
    assert (trace.match.candidates, trace.song_id) == (["SO1", "SO2", "SO6"], "SO1")
    assert trace.match.why == "Title, artist and length are those of SO1, the smallest of 3 such songs."
    assert [(near.song_id, near.why) for near in trace.match.near] == [
        ("SO3", "it is 417 ms longer"),
        ("SO5", "song_data/2.json says so, and the later song_data/3.json otherwise"),
    ]


def test_a_record_of_csv_over_two_lines_is_found_and_matches_by_folded_names(delivered: World) -> None:
    trace = _play(delivered, CSV)
    assert [(line.number, line.raw.count("\n")) for line in trace.source.lines] == [(2, 1)]
    assert _changes(trace) == {"user_agent": ('"\\"Lynx\\""', "Lynx", "quotes round the whole are dropped")}
    assert trace.match is not None
    assert (trace.match.title, trace.match.duration_ms, trace.match.candidates[0]) == ("setanta matins", 269583.0, "SO1")


def test_a_play_without_a_song_is_told_why(delivered: World) -> None:
    near, nothing = _play(delivered, ZIPPED), _play(delivered, FREE)
    assert near.match is not None
    assert nothing.match is not None
    assert (near.source.lines[0].number, nothing.source.lines[0].number) == (1, 2)
    assert near.match.why == "The catalogue has this title and artist, and none of this length."
    assert "SO1" in {song.song_id for song in near.match.near if song.why == "it is 317 ms shorter"}
    assert nothing.match.why == "No song of the catalogue has this title and artist."
    assert _changes(nothing)["length"] == ("0", None, "a length that is not finite and greater than 0 counts as none")


def test_an_event_that_is_no_play_says_so(delivered: World) -> None:
    trace = _play(delivered, HOME)
    assert (trace.match, trace.live) == (None, None)
    assert trace.notes == ["This event is no play: its page is Home, and only NextSong makes a songplay."]


def test_the_load_that_published_the_play_is_named_with_its_checks(delivered: World) -> None:
    live = _play(delivered, BJORK).live
    assert live is not None
    assert (live.is_live, live.differs) == (True, {})
    assert live.load is not None
    assert (live.load.status, live.load.published_at is not None) == ("published", True)
    assert {check["check"]: check["result"] for check in live.load.checks}["staged_counts"] == "passed"


def test_a_warehouse_that_is_down_is_told_and_the_rest_is_shown(delivered: World, capsys: pytest.CaptureFixture[str]) -> None:
    down = replace(delivered, url="postgresql://x:secret@127.0.0.1:1/x")
    command.show(down.settings(), BJORK, None, as_json=False)
    shown = capsys.readouterr().out
    assert "is not running there" in shown
    assert "log_data/1.json, line 1" in shown
    assert "secret" not in shown
    assert trace_user(down.settings(), "1").counts == {}
    assert trace_song(down.settings(), "SO1").counts == {}


def test_a_user_is_traced_to_their_latest_event_and_those_before(delivered: World) -> None:
    trace = trace_user(delivered.settings(), "1")
    assert trace.source is not None
    assert (trace.source.file, trace.source.lines[0].number) == ("log_data/6.json", 1)
    assert (trace.before, trace.counts["plays"], trace.counts["days"]) == ([], 3, 2)
    assert [level["level"] for level in trace.levels] == ["free", "paid"]
    four = trace_user(delivered.settings(), "4")
    assert (four.before_count, [row["ts"] for row in four.before]) == (19, [START + 6018 - n for n in range(10)])
    assert four.live.is_live


def test_a_song_is_traced_to_its_record_its_artist_and_plays(delivered: World) -> None:
    trace = trace_song(delivered.settings(), "SO1")
    assert (trace.source.file, trace.source.lines[0].number) == ("song_data/1.json", 2)
    assert (trace.artist.song_id, trace.artist.records) == ("SO1", 6)
    assert trace.counts["plays"] == 23
    assert [(plays["length"], plays["song_id"], plays["plays"], plays["ms_off"]) for plays in trace.near] == [(269.9, None, 1, 317.0)]
    other = trace_song(delivered.settings(), "SO2")
    assert (other.counts["plays"], other.notes) == (
        0,
        ["Its plays are given to SO1: of songs that are alike the smallest id is taken."],
    )
    later = trace_song(delivered.settings(), "SO5")
    assert (later.source.file, later.source.lines[0].number, later.others[0].differs) == (
        "song_data/3.json",
        2,
        {"title": "Setanta matins"},
    )
    untitled, placeless = trace_song(delivered.settings(), "SO4"), trace_song(delivered.settings(), "SO6")
    assert untitled.notes == ["The song has no title, so no play matches it."]
    assert _changes(placeless)["artist_latitude"] == ("99.0", None, "coordinates off the earth, or one without the other, count as none")


def test_spark_python_and_the_lakes_engine_fold_names_alike(spark: SparkSession, delivered: World) -> None:
    by_spark = [songplays.folded(functions.lit(one)) == songplays.folded(functions.lit(other)) for one, other, _ in NAMES]
    by_engine = tuple(
        f"{known.folded(known.literal(one))} = {known.folded(known.literal(other))} AS n{n}" for n, (one, other, _) in enumerate(NAMES)
    )
    same = [same for *_, same in NAMES]
    assert list(spark.range(1).select(*by_spark).collect()[0]) == same
    assert list(known.Lake(delivered.settings().lake).rows(FILES, "true", by_engine)[0].values()) == same
    assert [known.fold(one) == known.fold(other) for one, other, _ in NAMES] == same


def test_the_run_told_its_lineage_from_the_files_to_the_warehouse(delivered: World) -> None:
    events = told(delivered.root / "lineage")
    stages = ["ingest", "build_star", "load_postgres", "check_quality", "publish"]
    each = [(stage, kind) for stage in stages for kind in ("START", "COMPLETE")]
    assert endings(events) == [("run", "START"), *each, ("run", "COMPLETE")]
    done = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE" and parse(event)}
    for before, after in pairwise(stages):
        assert set(names(done[after]["inputs"])) & set(names([*done[before]["outputs"], *done[before]["inputs"]])), after
    database = urlsplit(delivered.url)
    live = {f"{database.path[1:]}.dwh.{name}" for name in ("artists", "songs", "users", "time", "songplays")}
    live |= {f"{database.path[1:]}.dwh.{name}" for name in ("kept_play_runs", "kept_song_months")}
    assert set(names(done["publish"]["outputs"])) == live | {f"{database.path[1:]}.ops.files"}
    assert {dataset["namespace"] for dataset in done["publish"]["outputs"]} == {f"postgres://{database.hostname}:{database.port}"}


def test_json_holds_what_the_page_shows(delivered: World, capsys: pytest.CaptureFixture[str]) -> None:
    for what, key in ((BJORK, None), ("songplay", BJORK), ("user", "1"), ("song", "SO1")):
        command.show(delivered.settings(), what, key, as_json=True)
        assert json.loads(capsys.readouterr().out)["source"]["lines"]
        command.show(delivered.settings(), what, key, as_json=False)
        assert "Load " in capsys.readouterr().out


def test_what_the_lake_does_not_know_says_where_else_to_look(delivered: World) -> None:
    with pytest.raises(InputMissing, match=r"log_data/2\.json line 4"):
        _play(delivered, f"{START + 1000}-1-1-9")
    delivered.write("log_data/waits.json", [event(START + 7000)])
    try:
        with pytest.raises(InputMissing, match="1 files wait"):
            _play(delivered, f"{START + 7000}-1-0-1")
    finally:
        (delivered.landing / "log_data/waits.json").unlink()
    for what, key in (("user", "77"), ("song", "SO'7")):
        with pytest.raises(InputMissing):
            command.show(delivered.settings(), what, key, as_json=False)
    for what, key in (("hello", None), ("user", "x"), ("album", "1")):
        with pytest.raises(BadUsage):
            command.show(delivered.settings(), what, key, as_json=False)


def test_a_file_that_is_gone_or_changed_is_told_and_what_the_lake_knows_is_shown(delivered: World) -> None:
    path = delivered.landing / "log_data/1.json"
    content, moment = path.read_bytes(), path.stat().st_mtime
    try:
        path.unlink()
        assert "no longer in the landing zone" in str(_play(delivered, BJORK).source.note)
        delivered.write("log_data/1.json", content, moment + 5)
        changed = _play(delivered, BJORK)
        assert "was changed since it was read" in str(changed.source.note)
        assert (changed.source.lines, changed.event["artist"], changed.song_id) == ([], "Björk & Co", "SO9")
        delivered.write("log_data/1.json", content.replace(b"Setanta", b"Satanta"), moment)
        assert "changed without changing its time" in str(_play(delivered, BJORK).source.note)
    finally:
        delivered.write("log_data/1.json", content, moment)
