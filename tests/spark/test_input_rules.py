"""Every input rule of section 3 on small hand-written files, all in one delivery, compared with the oracle file by file."""

from __future__ import annotations

import gzip
import json
import os

from tests.world import START, World, event, song


def _line(**fields: object) -> str:
    return json.dumps(event(**fields))


def _events_with(**values: list[object]) -> list[dict[str, object]]:
    """Give an event for every value of every field; identities differ."""
    given = [(name, value) for name, each in values.items() for value in each]
    return [{**event(START + number, item=number), name: value} for number, (name, value) in enumerate(given)]


def _raw(key: str, *tokens: str) -> str:
    """Give an event line for each raw JSON token of a field."""
    lines = []
    for number, token in enumerate(tokens):
        fields = {name: json.dumps(value) for name, value in event(START + number, session=7, item=number).items()}
        fields[key] = token
        lines.append("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}")
    return "\n".join(lines)


def _deliver_events(world: World) -> None:
    texts = [
        "x",
        "",
        " ",
        None,
        5,
        5.5,
        1.50,
        True,
        "  padded\u00a0 ",
        "BjÃ\u0083Â¶rk",
        "BjÃ¶rk",
        "Björk",
        "R&amp;B &amp;lt; &quot;q&#39;",
        "a\u0000b",
        "\ud83d\ude00",
    ]
    world.write(
        "log_data/text.json",
        _events_with(song=texts, artist=texts, location=texts, page=texts, userAgent=['"q"', '" "', '""', '"', "q", ' "x" ', '"a"b"']),
    )
    numbers = [
        "26",
        26.0,
        "26.0",
        2.6,
        "2.6e1",
        "abc",
        "",
        None,
        True,
        "NaN",
        "Infinity",
        -1,
        "-0",
        1e30,
        [1],
        {"a": 1},
        "\uff11",
        " 7 ",
        "0x1A",
        "1d",
        "+5",
        ".5",
        "5.",
    ]
    world.write(
        "log_data/number.json",
        _events_with(
            ts=numbers, sessionId=numbers, itemInSession=numbers, userId=numbers, status=numbers, length=numbers, registration=numbers
        ),
    )
    world.write("log_data/level.json", _events_with(level=["free", "paid", "gold", None, "", "FREE", " paid ", 1], gender=["M", None]))
    world.write(
        "log_data/absent.json",
        [{name: value for name, value in event(item=number).items() if name != absent} for number, absent in enumerate(event())],
    )
    world.write("log_data/endless.json", [event(item=number, length=1e21 * 10**number) for number in range(3)])
    world.write("song_data/endless.json", [song(f"SOE{exponent}", duration=float(f"1e{exponent}")) for exponent in (22, 100, 308)])
    world.write(
        "log_data/home.json",
        [
            event(item=number, page="Home", userId="", song=None, artist=None, level=level, length=None)
            for number, level in enumerate(["free", None])
        ],
    )
    for key in ("song", "userId", "sessionId", "length", "registration", "status"):
        tokens = [
            "1.50",
            "1e2",
            "1E400",
            "NaN",
            "Infinity",
            "-Infinity",
            "INF",
            "01",
            "1.",
            "[1, 2.50]",
            '{"a":  1}',
            "true",
            "9223372036854775807",
            "9223372036854775808",
        ]
        world.write(
            f"log_data/tokens-{key}.json",
            _raw(key, *tokens, "12345678901234567890123", '"26.00"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\\\ud800"', '"\\u0000"'),
        )
    edge = [946_684_799_999, 946_684_800_000, 4_102_444_799_999, 4_102_444_800_000, 1_541_105_830, 1_541_105_830_796_000]
    world.write("log_data/ts.json", [event(ts) for ts in edge])
    good = _line(item=1)
    lines = [
        good,
        good + " x",
        good + good,
        good + "," + good,
        "[" + good + "]",
        good[:-1],
        good + "}",
        good + "]",
        "5",
        "null",
        "{}",
        "not json",
        "'x'",
        good.replace('"', "'"),
        "/**/" + good,
    ]
    world.write(
        "log_data/shape.json",
        "\n".join(
            [*lines, "", "   ", "\ufeff" + _line(item=2), "  " + _line(item=3) + "\t", _line(item=4) + "\u2028", "\v" + _line(item=5)]
        ),
    )
    world.write(
        "log_data/keys.json",
        '{"Page":"x",'
        + _line(item=6)[1:]
        + "\n"
        + _line(item=7)[:-1]
        + ',"level":"paid","x":{"song":1}}'
        + "\n"
        + _line(item=8)[:-1]
        + ',"level":null}',
    )


def _deliver_forms(world: World) -> None:
    world.write("log_data/crlf.JSONL", "\r\n".join([_line(item=1), "", _line(item=2)]))
    world.write("log_data/cr.ndjson", "\r".join([_line(item=3), _line(item=4), ""]))
    world.write("log_data/bom.json", b"\xef\xbb\xbf" + _line(item=5).encode() + b"\n\xef\xbb\xbf" + _line(item=6).encode())
    world.write("log_data/bad-bytes.json", _line(item=7).encode().replace(b"Elena", b"El\xffn\xc3a\xed\xa0\x80"))
    world.write(
        "log_data/repeated.json",
        [event(item=1), event(item=1, song="Z"), event(item=1, song=None, page="Home"), event(item=2), event(item=2)],
    )
    world.write("log_data/members.json.gz", gzip.compress(_line(item=8).encode() + b"\n") + gzip.compress(_line(item=9).encode()))
    world.write("log_data/cut.json.gz", gzip.compress(_line(item=10).encode() * 50)[:-20])
    world.write("log_data/false.json.gz", _line(item=11))
    world.write("log_data/utf16.json", _line(item=12).encode("utf-16"))
    world.write("log_data/utf16-bare.json", _line(item=12).encode("utf-16-le"))
    world.write("log_data/empty.json", b"")
    world.write("log_data/empty.json.gz", b"")
    world.write("log_data/blank.json", b"\n \n\t\n")
    world.write("log_data/a b%20#=ü.json", [event(item=13)])
    world.write("log_data/co:lon?*[1]{2}'\"\\.json", [event(item=14)])
    world.write("log_data/year=2018/x.json", [event(item=15)])
    for passed_over in ("_hidden.json", ".hidden.json", "x.json.tmp", "x.json.part", "x.json.crdownload", "_folder/x.json"):
        world.write(f"log_data/{passed_over}", [event(item=16)])
    for unrecognised in ("log_data/readme.txt", "elsewhere/x.json"):
        world.write(unrecognised, [event(item=17)])
    world.write("deep/song-data/log_data/x.json", [event(item=18)])
    os.symlink("nowhere.json", world.landing / "log_data" / "dangling.json")
    os.symlink(world.landing, world.landing / "log_data" / "loop")
    world.write("log_data/long.json", _line(item=19, song="x" * 20_000_000) + "\n" + "y" * 20_000_000)


def _deliver_csv(world: World) -> None:
    names = list(event())
    row = [str(value) if value is not None else "" for value in event(START, item=20).values()]

    def cells(item: int, **changed: str) -> str:
        values = {**dict(zip(names, row, strict=True)), "itemInSession": str(item), **changed}
        return ",".join('"' + value.replace('"', '""') + '"' for value in values.values())

    head = ",".join(names)
    records = [
        cells(21),
        cells(22, song='a "b"\nc'),
        cells(23) + ",x",
        "x,y",
        "",
        cells(24),
        '"a"b,c',
        cells(25, artist="BjÃ\u0083Â¶rk"),
        '"never closed',
    ]
    world.write("log_data/events.csv", head + "\n" + "\n".join(records))
    world.write(
        "log_data/turned.csv.gz", gzip.compress(("\ufeff" + ",".join(reversed(names)) + "\r\n" + ",".join(reversed(row)) + "\r\n").encode())
    )
    world.write("log_data/header-only.csv", head)
    world.write("log_data/bad-header.csv", '"a\n' + cells(26))
    world.write("log_data/other-columns.csv", "a,b\n1,2\n")
    world.write("song_data/songs.csv", "song_id,title,artist_id,artist_name,duration,year\nSOC,T,ARC,N,1.5,0\nSOC2,,ARC,N,x,1\n")


def _deliver_songs(world: World) -> None:
    one, two = json.dumps(song("SO2")), json.dumps(song("SO3"))
    pretty = json.dumps(song("SO4"), indent=2)
    for number, text in enumerate(
        [
            one,
            one + "\n" + two,
            pretty,
            pretty + "\n" + json.dumps(song("SO5"), indent=1),
            f"[{one},{two}]",
            f"[\n{one},\n{two}\n]\n",
            one + two,
            f"[{one}, 5, {two}]",
            pretty + "\n5 junk",
            f"[{one},",
            f"[{one}",
            f"[{one},]",
            f"[{one}] x",
            "[]",
            "",
            "  \n",
            f"{one}\nnot json\n{two}",
            f"\n\n{pretty}",
            f"[[{one}]]",
            "junk",
            f"\ufeff[{one}]",
        ]
    ):
        world.write(f"song_data/shape-{number:02}.json", text)
    values = [1, 1.0, "1", "x", None, "", -1, 0, 1e400, True, [1]]
    records = [
        {**song(f"SOV{number}"), name: value}
        for number, (name, value) in enumerate((n, v) for n in ("duration", "year", "artist_latitude") for v in values)
    ]
    coordinates = [(35.1, -90.0), (91, 0), (0, 181), ("35.14968", "-90.04892"), (None, 5), (-90, 180)]
    records += [song(f"SOL{number}", artist_latitude=lat, artist_longitude=lon) for number, (lat, lon) in enumerate(coordinates)]
    ids = ["", None, " ", 5, "x" * 200, "x" * 201, "é" * 200, {"a": 1}]
    records += [
        {**song(f"SOI{number}"), name: value}
        for number, (name, value) in enumerate((n, v) for n in ("song_id", "artist_id", "artist_name", "title") for v in ids)
    ]
    world.write("song_data/values.jsonl", "\n".join(json.dumps(record).replace("Infinity", "1e400") for record in records))


def test_lines_are_accepted_repeated_or_rejected_as_the_rules_say(world: World) -> None:
    for deliver in (_deliver_events, _deliver_forms, _deliver_csv, _deliver_songs):
        deliver(world)
    world.deliveries.observe(world.landing)
    from spark_jobs.contracts import STAR
    from spark_jobs.landing.find import find_files
    from spark_jobs.landing.ingest import ingest
    from spark_jobs.session import start_session
    from spark_jobs.star_refresh import refresh_star
    from tests.world import compare_files, delta_rows

    ingest(find_files(world.landing), world.lake, start_session)
    wanted = world.deliveries.warehouse()
    compare_files(world.lake, wanted)
    refresh_star(world.lake, start_session)
    for table in STAR:
        assert delta_rows(world.lake, table) == wanted.tables[table.name], table.name
