"""The oracle against the known figures of the real data, and rule by rule against literal files."""

import gzip
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Deliveries, FileRow, Reject, Warehouse, warehouse_of

DATA = Path(os.environ.get("SONGLAKE_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
needs_data = pytest.mark.skipif(not (DATA / "log_data").is_dir(), reason=f"the real data is not at {DATA}")

TS = 1541105830796  # 2018-11-01T20:57:10.796Z, a Thursday of ISO week 44
EVENT = {"ts": TS, "sessionId": 38, "itemInSession": 0, "userId": "39", "page": "Home", "level": "free"}
PLAY = EVENT | {"page": "NextSong", "song": "Deep", "artist": "Box", "length": 100.5}
SONG = {"song_id": "S1", "title": "Deep", "artist_id": "A1", "artist_name": "Box", "duration": 100.5, "year": 0}
COORDINATES = {"artist_latitude": 35.1, "artist_longitude": -90.0}


def write(landing: Path, path: str, content: str | bytes | list[dict[str, Any]], modified_at: int = 1_700_000_000) -> Path:
    """Write a file below the landing root: bytes, text, or one object a line."""
    if isinstance(content, list):
        content = "\n".join(map(json.dumps, content))
    file = landing / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(file, (modified_at, modified_at))
    return file


def events_of(landing: Path, content: str | bytes | list[dict[str, Any]], name: str = "e.json") -> Warehouse:
    """Compute the warehouse of one event file."""
    write(landing, f"log_data/{name}", content)
    return warehouse_of(landing)


def songs_of(landing: Path, content: str | bytes | list[dict[str, Any]], name: str = "s.json") -> Warehouse:
    """Compute the warehouse of one song file."""
    write(landing, f"song_data/{name}", content)
    return warehouse_of(landing)


def counts(warehouse: Warehouse) -> dict[str, tuple[str, int, int, int, int]]:
    """Show each file's status, lines, accepted, repeated and rejected."""
    return {path: (f.status, f.lines, f.accepted, f.repeated, f.rejected) for path, f in warehouse.files.items()}


def reasons(warehouse: Warehouse) -> list[tuple[str, ...]]:
    """Show each reject's reasons."""
    return [reject.reasons for reject in warehouse.rejects]


# --- the real data ---


@needs_data
def test_real_data_gives_the_known_figures(tmp_path: Path) -> None:
    for name in ("log_data", "song_data"):
        shutil.copytree(DATA / name, tmp_path / name)
    warehouse = warehouse_of(tmp_path)
    tables = warehouse.tables
    plays = tables["songplays"]
    assert (len(warehouse.files), len(warehouse.events), warehouse.rejects) == (101, 8056, [])
    assert {name: len(rows) for name, rows in tables.items()} == {
        "songplays": 6820,
        "users": 97,
        "songs": 71,
        "artists": 69,
        "time": 6813,
        "user_levels": 105,
    }
    assert [row[4] for row in tables["users"]].count("free") == 75
    assert [row[4] for row in tables["users"]].count("paid") == 22
    assert {row[0] for row in tables["users"]} - {row[2] for row in plays} == {21}
    assert [(row[0], row[4], row[5]) for row in plays if row[4]] == [("1542837407796-818-5-15", "SOZCTXZ12AB0182364", "AR5KOSW1187FB35FF4")]
    assert [level for user, level, _, _ in tables["user_levels"] if user == 15] == ["paid", "free", "paid"]
    assert [[row[3] for row in plays].count(level) for level in ("paid", "free")] == [5591, 1229]
    assert sum(row[3] is None for row in tables["songs"]) == 43
    assert sum(row[12] for row in plays) == pytest.approx(1_684_759.74663, abs=1e-5)
    assert (plays[0][1].isoformat(), plays[-1][1].isoformat()) == (
        "2018-11-01T21:01:46.796000+00:00",
        "2018-11-30T19:54:24.796000+00:00",
    )
    assert not any("Ã" in text for row in plays for text in row if isinstance(text, str))


@needs_data
def test_seed_csv_gives_eleven_plays_of_five_users(tmp_path: Path) -> None:
    for source, target in (("raw_events.csv", "log_data"), ("raw_songs.csv", "song_data")):
        (tmp_path / target).mkdir()
        shutil.copy(DATA / "seed" / source, tmp_path / target)
    warehouse = warehouse_of(tmp_path)
    assert counts(warehouse) == {
        "log_data/raw_events.csv": ("loaded", 15, 15, 0, 0),
        "song_data/raw_songs.csv": ("loaded", 11, 11, 0, 0),
    }
    assert (len(warehouse.tables["songplays"]), len(warehouse.tables["users"])) == (11, 5)
    assert not any((row[8] or "").startswith('"') for row in warehouse.tables["songplays"])


# --- files ---


def test_files_are_found_by_folder_and_extension(tmp_path: Path) -> None:
    line = json.dumps(EVENT)
    taken = ["a/log-data/b/x.JSON", "log_data/song_data/no.jsonl", "log_data/%: #=é.ndjson", "log_data/x.y.csv"]
    passed_over = ["x.json", "Log_data/x.json", "log_data/x.txt", "log_data/x.gz", "log_data/_x.json", "log_data/.d/x.json"]
    passed_over += ["log_data/d.part/x.json", "log_data/x.json.tmp", "log_data/x.json.crdownload"]
    for path in taken + passed_over:
        write(tmp_path, path, line)
    files = warehouse_of(tmp_path).files
    assert sorted(files) == sorted(taken)
    assert files["log_data/song_data/no.jsonl"].kind == "songs"


def test_empty_file_is_loaded_with_no_lines(tmp_path: Path) -> None:
    write(tmp_path, "log_data/e.json", b"")
    write(tmp_path, "log_data/e.csv.gz", b"")
    blank = write(tmp_path, "song_data/blank.json", "\ufeff \n\r\v\f\r\n\t")
    size, modified_at = blank.stat().st_size, blank.stat().st_mtime_ns // 1000
    files = warehouse_of(tmp_path).files
    assert files["song_data/blank.json"] == FileRow("songs", "loaded", size, modified_at)
    assert {(file.status, file.lines) for file in files.values()} == {("loaded", 0)}
    assert len(files) == 3


def test_broken_files_are_unreadable_and_others_go_on(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps(EVENT).encode())
    members = whole + gzip.compress(b"\n" + json.dumps(EVENT | {"sessionId": 1}).encode())
    write(tmp_path, "log_data/members.json.gz", members)
    broken = {
        "cut.json.gz": members[:-9],
        "crc.json.gz": whole[:-8] + b"0000" + whole[-4:],
        "false.json.gz": json.dumps(EVENT).encode(),
        "utf16.json": json.dumps(EVENT).encode("utf-16"),
        "utf16le.json": json.dumps(EVENT).encode("utf-16-le"),
        "utf16be.csv": "ts,page".encode("utf-16-be"),
        "utf32.json": json.dumps(EVENT).encode("utf-32"),
        "utf16.json.gz": gzip.compress(json.dumps(EVENT).encode("utf-16")),
    }
    for name, content in broken.items():
        write(tmp_path, f"log_data/{name}", content)
    (tmp_path / "log_data/nothing.json").symlink_to(tmp_path / "absent")
    (tmp_path / "log_data/loop").symlink_to(tmp_path / "log_data")
    (tmp_path / "log_data/self").symlink_to(tmp_path / "log_data/self")
    unreadable = {f"log_data/{name}": ("unreadable", 0, 0, 0, 0) for name in [*broken, "nothing.json", "loop", "self"]}
    assert counts(warehouse_of(tmp_path)) == unreadable | {"log_data/members.json.gz": ("loaded", 2, 2, 0, 0)}


def test_links_are_followed_inside_the_landing_zone_only(tmp_path: Path) -> None:
    for root in ("elsewhere", "landing/log_data"):
        write(tmp_path, f"{root}/d/e.json", [EVENT])
    for root in ("elsewhere", "landing/log_data"):
        (tmp_path / "landing/log_data" / f"to_{root[:4]}").symlink_to(tmp_path / root / "d")
        (tmp_path / "landing/log_data" / f"{root[:4]}.json").symlink_to(tmp_path / root / "d/e.json")
    warehouse = warehouse_of(tmp_path / "landing")
    assert {path: row.status for path, row in warehouse.files.items()} == {
        "log_data/d/e.json": "loaded",
        "log_data/else.json": "unreadable",
        "log_data/land.json": "loaded",
        "log_data/to_else": "unreadable",
        "log_data/to_land/e.json": "loaded",
    }
    assert len(warehouse.events) == 1


# --- deliveries ---


def test_changed_file_counts_with_its_new_content_only_and_a_vanished_one_stays(tmp_path: Path) -> None:
    deliveries = Deliveries()
    first = write(tmp_path, "log_data/a.json", [EVENT, {"ts": 1}])
    deliveries.observe(tmp_path)
    first.unlink()
    write(tmp_path, "log_data/b.json", [EVENT | {"userId": 7}])
    deliveries.observe(tmp_path)
    assert [row[0] for row in deliveries.warehouse().tables["users"]] == [7, 39]
    write(tmp_path, "log_data/a.json", [EVENT | {"userId": 8}], modified_at=1_700_000_001)
    deliveries.observe(tmp_path)
    assert [row[0] for row in deliveries.warehouse().tables["users"]] == [7, 8]
    assert deliveries.warehouse().rejects == []


def test_file_with_same_size_and_time_is_not_read_again(tmp_path: Path) -> None:
    deliveries = Deliveries()
    for user in (1, 2):
        write(tmp_path, "log_data/a.json", [EVENT | {"userId": user}])
        deliveries.observe(tmp_path)
    assert [row[0] for row in deliveries.warehouse().tables["users"]] == [1]


def test_file_that_becomes_unreadable_loses_its_rows_until_it_is_mended(tmp_path: Path) -> None:
    deliveries = Deliveries()
    content = gzip.compress(json.dumps(EVENT).encode())
    write(tmp_path, "log_data/a.json.gz", content)
    deliveries.observe(tmp_path)
    write(tmp_path, "log_data/a.json.gz", content[:-1] + b"x", modified_at=1_700_000_001)
    deliveries.observe(tmp_path)
    assert (counts(deliveries.warehouse()), deliveries.warehouse().events) == ({"log_data/a.json.gz": ("unreadable", 0, 0, 0, 0)}, [])
    write(tmp_path, "log_data/a.json.gz", content, modified_at=1_700_000_001)
    deliveries.observe(tmp_path)
    assert counts(deliveries.warehouse()) == {"log_data/a.json.gz": ("loaded", 1, 1, 0, 0)}


def test_latest_file_says_what_an_event_holds_and_the_path_decides_a_tie(tmp_path: Path) -> None:
    write(tmp_path, "log_data/z.json", [EVENT | {"firstName": "old"}])
    write(tmp_path, "log_data/b.json", [EVENT | {"firstName": "b"}], modified_at=1_700_000_001)
    write(tmp_path, "log_data/c.json", [EVENT | {"firstName": "a"}], modified_at=1_700_000_001)
    assert [event.first_name for event in warehouse_of(tmp_path).events] == ["a"]


def test_play_that_a_later_file_calls_another_page_is_no_play(tmp_path: Path) -> None:
    write(tmp_path, "log_data/a.json", [PLAY])
    write(tmp_path, "log_data/b.json", [EVENT], modified_at=1_700_000_001)
    assert warehouse_of(tmp_path).tables["songplays"] == []


# --- JSON lines ---


def test_lines_end_three_ways_only_and_blank_ones_are_not_counted(tmp_path: Path) -> None:
    lines = [json.dumps(EVENT | {"itemInSession": item, "song": "a\u2028b\x85c"}, ensure_ascii=False) for item in range(4)]
    text = f"\ufeff{lines[0]}\r\n\r\n{lines[1]}\r \t\v\f\r\ufeff {lines[2]}\n\ufeff\n{lines[3]}"
    warehouse = events_of(tmp_path, text)
    assert counts(warehouse) == {"log_data/e.json": ("loaded", 4, 4, 0, 0)}
    assert {event.song for event in warehouse.events} == {"a\u2028b\x85c"}


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "1",
        '"text"',
        "null",
        "{} {}",
        "[{}]",
        '{"a":1,}',
        "{'a':1}",
        '{"a":01}',
        '{"a":1.}',
        '{"a":+1}',
        '{"a":"\t"}',
        '{"a":"\\x"}',
        '{"a" 1}',
        "{a:1}",
        '{"a":-NaN}',
        '{"a":1\x0b}',
        " \ufeff{}",
        '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_event_line_that_is_not_exactly_one_strict_object_is_refused(tmp_path: Path, line: str) -> None:
    assert events_of(tmp_path, line).rejects == [Reject("log_data/e.json", "events", line, ("not_one_object",))]


def test_last_of_a_repeated_key_wins_and_keys_are_exact(tmp_path: Path) -> None:
    line = json.dumps(EVENT | {"Ts": 5, "PAGE": "x", "other": [{}]})[:-1] + ', "page": null, "pa\\u0067e": "About", "x": NaN}'
    assert [event.page for event in events_of(tmp_path, line).events] == ["About"]


def test_numbers_and_booleans_are_taken_as_their_source_text(tmp_path: Path) -> None:
    line = json.dumps(EVENT)[:-1] + ', "song": 1.50E+2, "artist": true}'
    [event] = events_of(tmp_path, line).events
    assert (event.song, event.artist) == ("1.50E+2", "true")


def test_an_object_or_array_in_a_text_field_rejects_the_line(tmp_path: Path) -> None:
    line = json.dumps(EVENT)[:-1] + ', "method": {"a":  [1.0, "x\\n"]}, "auth": []}'
    [reject] = events_of(tmp_path, line).rejects
    assert reject.reasons == ("text_invalid",)


# --- values ---


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("BjÃ\x83Â¶rk", "Björk"),
        ("BjÃ¶rk", "Björk"),
        ("Björk", "Björk"),
        ("Ã¶ €", "Ã¶ €"),
        ("Ã\u00a0", "à"),
        ("Ã\u00a0 Ã", "Ã\u00a0 Ã"),
        ("&amp;lt; &lt;b&gt; &quot;&apos;&#39;&#039;&amp;&nbsp;", "&lt; <b> \"'''&&nbsp;"),
        ("\u00a0\t a\0b \v\f\r\n", "ab"),
        (" \u00a0\0 ", None),
        ("a\ud83d\ude00b\ud83d", "a\U0001f600b\ufffd"),
        ("\u2003a\x1c", "\u2003a\x1c"),
    ],
)
def test_text_is_repaired_decoded_cleaned_and_trimmed(tmp_path: Path, raw: str, cleaned: str | None) -> None:
    assert [event.first_name for event in events_of(tmp_path, [EVENT | {"firstName": raw}]).events] == [cleaned]


def test_bad_bytes_become_replacement_characters(tmp_path: Path) -> None:
    line = json.dumps(EVENT | {"firstName": "a?b"}).encode().replace(b"?", b"\xff\xc3")
    assert [event.first_name for event in events_of(tmp_path, line).events] == ["a\ufffd\ufffdb"]


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [('"Mozilla"', "Mozilla"), (' " Mozilla " ', "Mozilla"), ('"', '"'), ('""', None), ('" "', None), ('"a', '"a'), ('""a""', '"a"')],
)
def test_quotes_round_a_user_agent_are_removed_once(tmp_path: Path, raw: str, cleaned: str | None) -> None:
    assert [event.user_agent for event in events_of(tmp_path, [EVENT | {"userAgent": raw}]).events] == [cleaned]


@pytest.mark.parametrize("raw", ["26", "26.0", '"26"', '" +026. "', "2.6e1", "260E-1", '".26e2"', "26" + ".0" + "0" * 4900, "2600e-02"])
def test_whole_numbers_count_by_value(tmp_path: Path, raw: str) -> None:
    line = json.dumps(EVENT | {"userId": 0}).replace('"userId": 0', f'"userId": {raw}')
    assert [event.user_id for event in events_of(tmp_path, line).events] == [26]


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "-1",
            "1.5",
            '"1.0000000000000000000001"',
            "1E999999999",
            "1e-999999999999999999999",
            "0e0000000000",
            "9223372036854775808",
            "26." + "0" * 4998,
        ),
        *('"1_0"', '"0x1A"', '"٣"', '"nan"', "true", "[1]", '"1 2"'),
    ],
)
def test_user_id_that_is_no_whole_bigint_is_refused(tmp_path: Path, raw: str) -> None:
    line = json.dumps(PLAY | {"userId": 0}).replace('"userId": 0', f'"userId": {raw}')
    assert reasons(events_of(tmp_path, line)) == [("user_id_invalid",)]


@pytest.mark.parametrize("raw", ['""', "null", '" "', "NaN", '"-Infinity"', '"+Infinity"'])
def test_event_without_a_user_is_valid_but_makes_no_user(tmp_path: Path, raw: str) -> None:
    line = json.dumps(EVENT | {"userId": 0}).replace('"userId": 0', f'"userId": {raw}')
    warehouse = events_of(tmp_path, line)
    assert ([event.user_id for event in warehouse.events], warehouse.tables["users"]) == ([None], [])


# --- events ---


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ts": 946684799999}, {"ts_invalid"}),
        ({"ts": 4102444800000}, {"ts_invalid"}),
        ({"ts": None, "sessionId": -1, "itemInSession": 2**31}, {"ts_invalid", "session_id_invalid", "item_in_session_invalid"}),
        ({"length": "x", "status": 2.5, "level": "Paid"}, {"number_invalid", "level_invalid"}),
        ({"page": " "}, {"page_missing"}),
        ({"page": "NextSong"}, {"play_without_song", "play_without_artist"}),
        ({"page": "NextSong", "userId": "", "level": None}, {f"play_without_{what}" for what in ("user", "level", "song", "artist")}),
        ({"page": "NextSong", "userId": "x", "level": "x", "song": 1, "artist": 1}, {"user_id_invalid", "level_invalid"}),
    ],
)
def test_event_is_refused_for_every_reason_that_applies(tmp_path: Path, change: dict[str, Any], expected: set[str]) -> None:
    assert reasons(events_of(tmp_path, [EVENT | change])) == [tuple(sorted(expected))]


def test_bounds_of_event_numbers_are_accepted(tmp_path: Path) -> None:
    low = {"ts": 946684800000, "sessionId": "-0", "itemInSession": 0, "userId": 0, "status": -(2**31)}
    high = {"ts": 4102444799999, "sessionId": 2**63 - 1, "itemInSession": 2**31 - 1, "userId": 2**63 - 1, "status": "2147483647"}
    assert [event[:4] for event in events_of(tmp_path, [EVENT | low, EVENT | high]).events] == [
        (946684800000, 0, 0, 0),
        (4102444799999, 2**63 - 1, 2**31 - 1, 2**63 - 1),
    ]


@pytest.mark.parametrize("length", ["0", "-1", "-0.0", "1e400", "NaN", '"Infinity"', "null"])
def test_length_that_is_not_finite_and_positive_becomes_null(tmp_path: Path, length: str) -> None:
    line = json.dumps(PLAY).replace("100.5", length)
    assert [row[12] for row in events_of(tmp_path, line).tables["songplays"]] == [None]


def test_registration_is_rounded_to_microseconds_and_null_outside_its_years(tmp_path: Path) -> None:
    values = [1540919166796.1234, 0, -1, 4102444800000, 4102444799999.9]
    warehouse = events_of(tmp_path, [EVENT | {"userId": user, "registration": value} for user, value in enumerate(values)])
    assert [row[5] for row in warehouse.tables["users"]] == [
        datetime(2018, 10, 30, 17, 6, 6, 796123, UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        None,
        None,
        datetime(2099, 12, 31, 23, 59, 59, 999900, UTC),
    ]


def test_repeated_identity_counts_once_with_its_greatest_content(tmp_path: Path) -> None:
    contents: list[dict[str, Any]] = [
        {"song": "b"},
        {"song": "é"},
        {"song": "z"},
        {"song": "é", "artist": "x"},
        {"level": None, "song": "😀"},
    ]
    warehouse = events_of(tmp_path, [EVENT | content for content in contents] + [EVENT | {"userId": None}])
    assert counts(warehouse) == {"log_data/e.json": ("loaded", 6, 2, 4, 0)}
    assert [(event.user_id, event.song, event.artist) for event in warehouse.events] == [(None, None, None), (39, "é", "x")]


# --- CSV ---


def test_csv_takes_columns_by_exact_name_in_any_order(tmp_path: Path) -> None:
    text = (
        '\ufeff\r\npage,"ts",page,x,sessionId,itemInSession,Level\r\nA,1541105830796,"B ""q""\r\nline",,1,2.0,paid\r'
        "\r   \n\ufeffA,1541105830796,C,,1,3,"
    )
    warehouse = events_of(tmp_path, text, "e.CSV")
    assert counts(warehouse) == {"log_data/e.CSV": ("loaded", 2, 2, 0, 0)}
    assert [(event.item_in_session, event.page, event.level) for event in warehouse.events] == [(2, 'B "q"\r\nline', None), (3, "C", None)]


def test_csv_records_with_wrong_cell_counts_or_quotes_are_refused_alone(tmp_path: Path) -> None:
    good = f"{TS},1,0,Home"
    long = "x" * 200_000
    text = f'ts,sessionId,itemInSession,page\n1,2\n{good}\n"{long}"x,1\r\n1,2,3,4,"5\n6"\n1,"open\n{good}\n\n'
    warehouse = events_of(tmp_path, text, "e.csv")
    assert [(reject.raw_line, reject.reasons) for reject in warehouse.rejects] == [
        ("1,2", ("wrong_cell_count",)),
        (f'"{long}"x,1', ("not_csv",)),
        ('1,2,3,4,"5\n6"', ("wrong_cell_count",)),
        (f'1,"open\n{good}', ("not_csv",)),
    ]
    assert counts(warehouse) == {"log_data/e.csv": ("loaded", 5, 1, 0, 4)}


def test_csv_header_that_is_refused_takes_the_rest_of_the_file(tmp_path: Path) -> None:
    text = '"ts"x,page\n1,2\n3,4\n'
    assert events_of(tmp_path, text, "e.csv").rejects == [Reject("log_data/e.csv", "events", text[:-1], ("not_csv",))]


# --- songs ---


def test_song_files_may_be_lines_pretty_printed_joined_or_arrays(tmp_path: Path) -> None:
    songs = [SONG | {"song_id": f"S{number}"} for number in range(3)]
    pretty = [json.dumps(song, indent=1) for song in songs]
    texts = {
        "lines": "\n".join(map(json.dumps, songs)),
        "pretty": "\ufeff" + "\r\n\ufeff".join(pretty),
        "joined": "".join(map(json.dumps, songs)),
        "array": json.dumps(songs),
        "arrays": json.dumps(songs[:1], indent=2) + pretty[1] + "[]" + json.dumps(songs[2:]),
    }
    for name, text in texts.items():
        write(tmp_path, f"song_data/{name}.json", text)
    warehouse = warehouse_of(tmp_path)
    assert counts(warehouse) == {f"song_data/{name}.json": ("loaded", 3, 3, 0, 0) for name in sorted(texts)}
    assert warehouse.tables["songs"] == [(f"S{number}", "Deep", "A1", None, 100.5) for number in range(3)]


@pytest.mark.parametrize(
    ("text", "lines", "raw_lines"),
    [
        ('{song}\n{"a":\n1}\n{song}', 4, ['{"a":', "1}"]),
        ('[{song}, 1, [{}], "x", null]', 5, ["1", "[{}]", '"x"', "null"]),
        ("[{song}, {bad}, {song}]\n", 2, ["{bad}, {song}]"]),
        ("[{song} {song}]", 2, ["{song}]"]),
        ("[{song},]", 2, ["]"]),
        ("[{song}, ", 2, [""]),
        ("[{song}", 2, [""]),
        ("\n1 {song}\r\n]{song}\r\n", 3, ["1", "]{song}"]),
    ],
)
def test_song_text_is_refused_from_its_break_on(tmp_path: Path, text: str, lines: int, raw_lines: list[str]) -> None:
    song = json.dumps(SONG)
    warehouse = songs_of(tmp_path, text.replace("{song}", song))
    assert [reject.raw_line for reject in warehouse.rejects] == [raw.replace("{song}", song) for raw in raw_lines]
    assert set(reasons(warehouse)) == {("not_one_object",)}
    assert warehouse.files["song_data/s.json"].lines == lines
    assert len(warehouse.songs) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"song_id": "x" * 201, "artist_id": " ", "artist_name": None}, {"song_id_too_long", "artist_id_missing", "artist_name_missing"}),
        ({"song_id": None, "artist_id": "😀" * 201}, {"song_id_missing", "artist_id_too_long"}),
        ({"duration": 0}, {"duration_invalid"}),
        ({"duration": "1e999", "year": 1999.5}, {"duration_invalid", "number_invalid"}),
        ({"duration": None}, {"duration_invalid"}),
        ({"duration": "3:20"}, {"duration_invalid"}),
        ({"artist_latitude": "north"}, {"number_invalid"}),
        ({"year": 2**31}, {"number_invalid"}),
    ],
)
def test_song_is_refused_for_every_reason_that_applies(tmp_path: Path, change: dict[str, Any], expected: set[str]) -> None:
    assert reasons(songs_of(tmp_path, [SONG | change])) == [tuple(sorted(expected))]


@pytest.mark.parametrize(
    ("latitude", "longitude", "kept"),
    [(90, -180, True), (90.01, 0, False), (0, 181, False), (None, 5, False), (5, "NaN", False), ("1e1", "0.5", True)],
)
def test_coordinates_are_kept_together_or_not_at_all(tmp_path: Path, latitude: Any, longitude: Any, kept: bool) -> None:
    [artist] = songs_of(tmp_path, [SONG | {"artist_latitude": latitude, "artist_longitude": longitude}]).tables["artists"]
    assert artist[3:] == ((float(latitude), float(longitude)) if kept else (None, None))


# --- star ---


def test_every_star_column_of_one_matched_play(tmp_path: Path) -> None:
    person = {"firstName": "Walter", "lastName": "Frye", "gender": "M", "registration": 1000.5, "location": "Hayward", "userAgent": '"M"'}
    write(tmp_path, "log_data/e.json", [PLAY | person | {"status": 200}])
    tables = songs_of(tmp_path, [SONG | COORDINATES | {"year": 1969, "artist_location": "Memphis"}]).tables
    start = datetime(2018, 11, 1, 20, 57, 10, 796000, UTC)
    registered = datetime(1970, 1, 1, 0, 0, 1, 500, UTC)
    assert tables == {
        "songplays": [
            (f"{TS}-38-0-39", start, 39, "free", "S1", "A1", 38, "Hayward", "M", 0, "Deep", "Box", 100.5),
        ],
        "users": [(39, "Walter", "Frye", "M", "free", registered, start)],
        "songs": [("S1", "Deep", "A1", 1969, 100.5)],
        "artists": [("A1", "Box", "Memphis", 35.1, -90.0)],
        "time": [(start, 20, 1, 44, 11, 2018, 4)],
        "user_levels": [(39, "free", start, None)],
    }


@pytest.mark.parametrize(
    ("song", "matched"),
    [
        ({"title": " dEEP", "artist_name": "BOX"}, "S1"),
        ({"duration": 100.5004}, "S1"),
        ({"duration": 100.5005}, None),
        ({"title": "Deep Soul"}, None),
        ({"title": None}, None),
        ({"artist_name": "Bo x"}, None),
    ],
)
def test_play_matches_by_folded_names_and_milliseconds(tmp_path: Path, song: dict[str, Any], matched: str | None) -> None:
    write(tmp_path, "log_data/e.json", [PLAY])
    assert [row[4] for row in songs_of(tmp_path, [SONG | song]).tables["songplays"]] == [matched]


def test_play_of_several_candidates_takes_the_smallest_song_id_and_white_runs_are_one(tmp_path: Path) -> None:
    write(tmp_path, "log_data/e.json", [PLAY | {"song": "So\u00a0\t Deep"}])
    songs = [SONG | {"song_id": song_id, "artist_id": f"A{song_id}", "title": "so deep"} for song_id in ("b", "B", "a")]
    assert [row[4:6] for row in songs_of(tmp_path, songs).tables["songplays"]] == [("B", "AB")]


def test_user_is_taken_from_the_latest_event_by_time_session_and_item(tmp_path: Path) -> None:
    events = [
        EVENT | {"sessionId": session, "itemInSession": item, "firstName": name}
        for session, item, name in [(38, 9, "a"), (39, 2, "c"), (39, 1, "b")]
    ]
    assert [row[1] for row in events_of(tmp_path, [*events, EVENT | {"ts": TS - 1, "sessionId": 99}]).tables["users"]] == ["c"]


@pytest.mark.parametrize(
    ("records", "chosen"),
    [
        ([{"artist_location": "L", "year": 2000}, COORDINATES], "s1"),
        ([{"year": 2000}, {"artist_location": "L"}], "s1"),
        ([{"year": 0}, {"year": -5}, {"year": 1999}, {"year": 1998}], "s2"),
        ([{"year": 1999}, {"year": 1999}], "s0"),
    ],
)
def test_artist_is_taken_whole_from_the_best_record(tmp_path: Path, records: list[dict[str, Any]], chosen: str) -> None:
    songs = [SONG | record | {"song_id": f"s{n}", "artist_name": f"s{n}"} for n, record in enumerate(records)]
    assert [row[1] for row in songs_of(tmp_path, songs[::-1]).tables["artists"]] == [chosen]


def test_user_levels_are_stretches_of_plays(tmp_path: Path) -> None:
    levels = ["paid", "paid", "free", "free", "paid"]
    plays = [PLAY | {"ts": TS + n, "level": level} for n, level in enumerate(levels)]
    home = EVENT | {"ts": TS + 3, "level": "paid", "itemInSession": 7}
    start = [datetime(2018, 11, 1, 20, 57, 10, 796000 + 1000 * n, UTC) for n in range(5)]
    assert events_of(tmp_path, [*plays, home]).tables["user_levels"] == [
        (39, "paid", start[0], start[2]),
        (39, "free", start[2], start[4]),
        (39, "paid", start[4], None),
    ]


def test_weeks_are_iso_weeks(tmp_path: Path) -> None:
    sunday = int(datetime(2017, 1, 1, 23, 59, 59, 999000, UTC).timestamp() * 1000)
    [row] = events_of(tmp_path, [PLAY | {"ts": sunday}]).tables["time"]
    assert row[1:] == (23, 1, 52, 1, 2017, 7)
