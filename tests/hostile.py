"""Hostile files, the same for the same seed: what a broken player, a careless script or an attacker may deliver.

Hypothesis draws the values, of which it knows nastier ones than people; a random generator puts them into lines and files, which it does
a hundred times faster.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from typing import Any, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.world import DAY, START, event, song

Drawn = TypeVar("Drawn")

_CHARACTERS = "aZ0 é\u00a0\u2028\u0085\x00\ud800\udfff\U0001f600Ã¶&;\"'\\/[{}]$,:\t\n\r\v\f\x1b\x7f<>%\ufeff\ufffd\u0131İßΣ"
_WORDS = ["Björk", "€uro", "\U0001f600 &amp; é", "Ã", "naïve Ã¶", "&amp;lt;b&gt;", "&#39;&#039;&quot;", "[Intro]", "{x}", "${spark.master}"]
_WORDS += ["'; DROP TABLE dwh.songs; --", "%s %(x)s {}", "<script>alert(1)</script>", "\\ud800", "NaN", "null", "x" * 201, "é" * 200]
_WORDS += [
    "\x1b[2J",
    "a\x00b",
    "\ud83d\ude00",
    "\u00a0 \u00a0",
    '""',
    '"quoted"',
    '" "',
    "26\u2028",
    "26\u0085",
    "\uff12\uff16",
    "k" * 60_000,
    "\U0001f600k" * 131_072,
]
_EDGES = re.findall(
    r"\S+",
    "0 -0 0.0 -0.0 26 26.0 26.50 2.6e1 260E-1 1e0 1e400 -1e400 1e-400 01 1. .5 +5 -1 --1 1d 0x1A 1_0 \u0661 NaN -NaN Infinity -Infinity"
    " +Infinity INF 1541105830 1541105830796 1541105830796.0 1.541105830796E12 1541105830796000 946684799999 946684800000 4102444799999"
    " 4102444800000 2147483647 2147483648 9223372036854775807 9223372036854775808 -9223372036854775809 12345678901234567890123"
    " 1e18 1e19 1e999999999999 1e-999999999999 0e999999999999 1.0000000000000000001 90.0000001 -180 5e-324 1.7976931348623159e308",
)
_EDGES += ["2018-11-01T00:00:00Z", "26 ", " 26", "2 6", "", "9" * 4999, "9" * 5001, "0" * 4998 + "26", "1." + "0" * 5000, "7" * 20_000]
_OTHERS = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[1, 2.50]",
    '["x"]',
    '{"a":{"b":[1]}}',
    '{"song":1.50}',
    "undefined",
    "TRUE",
    "'x'",
    '"',
    "",
]
_OTHERS += ["[" * 300 + "]" * 300, "[" * 10_000 + "]" * 10_000, "[" * 10_000, '{"a":' * 700 + "1" + "}" * 700, '"[x"', '"{x"', '"a\tb"']
_KEYS = ["Page", "SONG", "num_songs", "key " * 15_000, "nested", "unknown", "seal", "", " page", "page\x00", "pagé"]
_FRAMES = ["{0} x", "{0}{0}", "{0},{0}", "[{0}]", "\ufeff{0}", "\ufeff\ufeff{0}", " {0}\t", "\v{0}\f", "{0}\u2028", "{0}\x00", "\u00a0{0}"]
_FRAMES += ["{0}]", "{0}}}", "x", "5", "null", "[]", "{{}}", "''", "/**/{0}", "\x1c{0}", "{0}\x85", '"{{}}"', "{0}//"]
_ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n", "\n\ufeff", "\n\r"]
_BAD_BYTES = [
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xc0\x80",
    b"\x00",
    b"\r",
    b"\xf4\x90\x80\x80",
    b"\x80",
]
_OTHER_ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"]
_BRACKETS = [
    ("[", "]"),
    ("[\n", "\n]\n"),
    ("", ""),
    ("", ""),
    ("[", ""),
    ("", "]"),
    ("[[", "]]"),
    ("[", ",]"),
    ("\n", ""),
    ("[]", ""),
    ("[1", "]"),
]


def drawn(strategy: st.SearchStrategy[Drawn], count: int, seed: int) -> list[Drawn]:
    """Draw so many examples of a strategy; the same ones for the same seed."""
    found: list[Drawn] = []

    @hypothesis.seed(seed)
    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(example: Drawn) -> None:
        found.append(example)

    draw()
    return found


def mojibake(text: str, depth: int) -> str:
    """Encode a text as UTF-8 and read it as Latin-1, so many times."""
    for _ in range(depth):
        text = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text


_TEXTS = st.one_of(
    st.text(st.sampled_from(_CHARACTERS), max_size=8),
    st.text(max_size=6),
    st.builds(mojibake, st.sampled_from(_WORDS[:5]) | st.text(max_size=3), st.integers(0, 4)),
)
_NUMBERS = st.one_of(
    st.from_regex(r"[+-]?[0-9]{1,22}(\.[0-9]{0,22})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.floats().map(repr),
    st.integers(-(2**65), 2**65).map(str),
)


class Hostile:
    """Makes hostile lines and files of events and songs.

    Args:
        seed: Another one, other files.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._texts = _WORDS + drawn(_TEXTS, 400, seed)
        self._numbers = _EDGES + drawn(_NUMBERS, 400, seed)

    def event(self) -> dict[str, Any]:
        """An event of few users, days and sessions, so that identities meet again within and across files."""
        rng = self.rng
        ts = START + rng.randrange(3) * DAY + rng.randrange(3) * 1000
        more = {
            "page": rng.choice(["NextSong", "NextSong", "Home"]),
            "level": rng.choice(["free", "paid"]),
            "song": rng.choice(["T", "Other"]),
        }
        return event(ts, rng.choice("12"), rng.choice([1, 2]), rng.randrange(40), **more, artist=rng.choice(["Elena", "X"]), length=1.5)

    def song(self) -> dict[str, Any]:
        """A song record of few songs and artists."""
        rng = self.rng
        latitude, longitude = rng.choice([(None, None), (35.1, -90.0), (None, 5), (91, 0)])
        more = {"artist_latitude": latitude, "artist_longitude": longitude, "year": rng.choice([0, 1999, 2004]), "duration": 1.5}
        return song(f"SO{rng.randrange(40)}", artist_id=f"AR{rng.randrange(9)}", title=rng.choice(["T", "Other", ""]), **more)

    def file(self, kind: str) -> tuple[str, bytes]:
        """Extension and content of a file of `events` or `songs`."""
        rng = self.rng
        extension = rng.choice([".json", ".json", ".json", ".jsonl", ".NDJSON", ".csv", ".csv"])
        make = self.event if kind == "events" else self.song
        if extension == ".csv":
            text = self._csv([make() for _ in range(rng.randrange(1, 9))])
        else:
            lines = [self._framed(self._object(make())) for _ in range(rng.randrange(1, 13))]
            text = self._sequence(lines) if kind == "songs" and rng.random() < 0.5 else self._joined(lines)
        content = self._encoded(text)
        return (extension + ".gz", self._zipped(content)) if rng.random() < 0.12 else (extension, content)

    def _token(self) -> str:
        """A value as JSON source, or what only looks like it."""
        rng = self.rng
        how = rng.random()
        if how < 0.3:
            return rng.choice(self._numbers)
        if how < 0.45:
            return self._quoted(rng.choice(self._numbers))
        return self._quoted(rng.choice(self._texts)) if how < 0.85 else rng.choice(_OTHERS)

    def _quoted(self, text: str) -> str:
        """A text in quotes: escaped to ASCII, escaped as little as JSON allows, or not escaped at all."""
        how = self.rng.random()
        return f'"{text}"' if how < 0.05 else json.dumps(text, ensure_ascii=how < 0.5)

    def _object(self, base: dict[str, Any]) -> str:
        """A JSON object whose members were tampered with, or not."""
        rng, members = self.rng, [(json.dumps(key), json.dumps(value)) for key, value in base.items()]
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 4])):
            place, how = rng.randrange(len(members)), rng.randrange(10)
            key = members[place][0]
            if how == 0:
                del members[place]
            elif how == 1:
                members.append((key, self._token()))
            elif how == 2:
                members.insert(place, (self._quoted(rng.choice([*_KEYS, rng.choice(self._texts)])), self._token()))
            elif how == 3:
                members[place] = (f'"\\u{ord(key[1]):04x}{key[2:]}', self._token())
            else:
                members[place] = (key, self._token())
        if rng.random() < 0.003:
            members += [(f'"key {number}"', "0") for number in range(10_000)]
        comma, colon = rng.choice([(",", ":"), (",", ":"), (", ", ": "), (" ,\t", "\t: ")])
        return "{" + comma.join(key + colon + value for key, value in members) + "}"

    def _framed(self, text: str) -> str:
        """An object as it is, or with something before or behind it, or cut."""
        how = self.rng.random()
        if how < 0.06:
            return self.rng.choice(_FRAMES).format(text)
        return text[: self.rng.randrange(len(text))] if how < 0.09 else text

    def _joined(self, lines: list[str]) -> str:
        end = self.rng.choice(_ENDS)
        return end.join(lines) + self.rng.choice(["", end])

    def _sequence(self, objects: list[str]) -> str:
        """Records pretty-printed, in a row, in arrays, or in what only looks like one of these."""
        rng = self.rng
        if rng.random() < 0.5:
            objects = [text.replace(",", ",\n  ").replace("{", "{\n  ", 1) for text in objects]
        opening, closing = rng.choice(_BRACKETS)
        return opening + rng.choice([",", ",\n", "\n", "", " ", "\n\ufeff", ",,", "\v", ",\ufeff"]).join(objects) + closing

    def _csv(self, rows: list[dict[str, Any]]) -> str:
        rng, written = self.rng, io.StringIO()
        names = rng.sample(list(rows[0]), len(rows[0])) + rng.choice([[], [], [], ["other"], ["page"], [""], [" ts"]])
        writer = csv.writer(written, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), lineterminator=rng.choice(_ENDS))
        if rng.random() < 0.95:
            writer.writerow(names)
        for row in rows:
            cells = [rng.choice(rng.choice([self._numbers, self._texts])) if rng.random() < 0.05 else row.get(name) for name in names]
            writer.writerow(rng.choice([cells] * 18 + [cells[:3], [*cells, "more"]]))
        text = written.getvalue()
        place = rng.randrange(len(text))
        return text[:place] + rng.choice(["", "", "", "", '"', "\x00", "\n", "\ufeff", ",", '"x', "\r"]) + text[place:]

    def _encoded(self, text: str) -> bytes:
        """A text as bytes: mostly UTF-8 as it is, sometimes with bad bytes in it, cut, or in another encoding."""
        rng, content, how = self.rng, text.encode("utf-8", "surrogatepass"), self.rng.random()
        place = rng.randrange(len(content) + 1)
        if how < 0.04:
            return text.encode(rng.choice(_OTHER_ENCODINGS), "surrogatepass")
        if how < 0.08:
            return content[:place]
        return content[:place] + rng.choice(_BAD_BYTES) + content[place:] if how < 0.2 else content

    def _zipped(self, content: bytes) -> bytes:
        """Gzip: whole, of several members, cut, false, nested, or with something behind it."""
        half, whole = len(content) // 2, gzip.compress(content, mtime=0)
        members = gzip.compress(content[:half], mtime=0) + gzip.compress(content[half:], mtime=0)
        broken = [whole[:-4], content, whole + b"x", whole[:-8] + b"\0" * 8, b"", whole[:5], members[:-1]]
        return self.rng.choice([whole, whole, members, members, gzip.compress(whole, mtime=0), whole + b"\0\0", self.rng.choice(broken)])
