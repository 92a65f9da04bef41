"""Hostile landing zones: many small trees below one root, with odd names, links and times, and what becomes of them later."""

from __future__ import annotations

import os
from pathlib import Path

from tests.hostile import Hostile

_NAMES = [
    "a b",
    "a%20b",
    "a:b",
    "a#b",
    "a=b",
    "é",
    "e\u0301",
    "a\nb",
    "a\\b",
    "a\\x5cb",
    "a\\xffb",
    "${x}",
    "${spark.master}",
    "$(id)",
    "{}",
    "{0}",
]
_NAMES += [
    "'q'",
    '"q"',
    "`id`",
    "*",
    "?",
    "[a]",
    "a;b",
    "a|b",
    "a,b",
    "~",
    "-rf",
    "--",
    "\x1b[2J",
    "\u202e",
    "\u2028",
    "\r",
    "\t",
    " ",
    "a ",
    " a",
]
_NAMES += [
    "x" * 200,
    "é" * 60,
    "\U0001f600",
    "%s",
    "%(x)s",
    "' OR 1=1 --",
    "<b>",
    "&amp;",
    "CON",
    "\x7f",
    "\ufeff",
    "\x01",
    "'); DROP TABLE x; --",
]
_NAMES += [os.fsdecode(name) for name in (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"a\xffb", b"\xfe")]
_HIDDEN = ["_a", ".a", "_", "._"]
_FOLDERS = {"events": ["log_data", "log-data"], "songs": ["song_data", "song-data"]}
_OTHER_FOLDERS = ["Log_data", "log_data ", "song_data.json", "logs", "log_data.tmp", "_log_data", "day=1", "song_data", "log-data"]
_TIMES = [0, -1, 1, -(2**31), 2**31, 2**32, 9_300_000_000, 15_000_000_000, -2_000_000_000]


def plant(root: Path, hostile: Hostile, trees: int) -> None:
    """Fill a landing root with so many trees of a few files each."""
    for number in range(trees):
        tree = root / f"tree-{number:04}"
        for kind in hostile.rng.choices(["events", "songs"], weights=[3, 2], k=hostile.rng.randrange(1, 4)):
            _put(_folder(tree, kind, hostile), kind, hostile)
        if hostile.rng.random() < 0.3:
            _link(tree, hostile)
        if hostile.rng.random() < 0.1:
            os.mkfifo(_free(tree, "pipe.json"))


def disturb(root: Path, hostile: Hostile) -> None:
    """Change some files of a landing root: other content, only another time, gone, a link in the place, and a few new ones."""
    rng = hostile.rng
    for path in sorted(root.rglob("*"), key=os.fsencode):
        if path.is_symlink() or not path.is_file() or rng.random() < 0.6:
            continue
        kind = "songs" if "song" in str(path.parent) else "events"
        how = rng.random()
        if how < 0.1:
            path.unlink()
        elif how < 0.2:
            path.unlink()
            path.symlink_to(rng.choice(["nowhere", path.name, "/etc/passwd"]))
        elif how < 0.3:
            _stamp(path, hostile)
        else:
            path.write_bytes(hostile.file(kind)[1])
            _stamp(path, hostile)
    for tree in sorted(root.iterdir())[::10]:
        _put(_folder(tree, "events", hostile), "events", hostile)


def _folder(tree: Path, kind: str, hostile: Hostile) -> Path:
    rng = hostile.rng
    above = rng.choice([[], [], [rng.choice(_NAMES)], [rng.choice(_OTHER_FOLDERS)]])
    below = rng.choice(
        [[], [], [rng.choice(_NAMES)], [rng.choice(_OTHER_FOLDERS)], [rng.choice(_HIDDEN)], ["2018", "11", rng.choice(_NAMES)]]
    )
    folder = tree.joinpath(*above, rng.choice(_FOLDERS[kind]), *below)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _put(folder: Path, kind: str, hostile: Hostile) -> None:
    rng = hostile.rng
    extension, content = hostile.file(kind)
    stem = rng.choice([rng.choice(_NAMES), rng.choice(_NAMES), "plain", rng.choice(_HIDDEN)] if rng.random() < 0.2 else _NAMES)
    ending = rng.choice([".tmp", ".PART", ".crdownload", ".txt", ".gz", ".json.zip"]) if rng.random() < 0.05 else ""
    path = _free(folder, stem + extension + ending)
    path.write_bytes(content)
    _stamp(path, hostile)


def _free(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    while os.path.lexists(folder / name):
        number += 1
        name = f"{number}{name}"
    return folder / name


def _stamp(path: Path, hostile: Hostile) -> None:
    """Give a file a time: mostly one of few in 2020, so that files meet, sometimes one far off."""
    rng = hostile.rng
    seconds = rng.choice(_TIMES) if rng.random() < 0.1 else 1_600_000_000 + rng.randrange(50)
    moment = seconds * 10**9 + rng.choice([0, 0, 1, 999, 1000, 123_456_789, 999_999_999])
    os.utime(path, ns=(moment, moment))


def _link(tree: Path, hostile: Hostile) -> None:
    """Put a link somewhere: to a file or folder of the tree or outside, to nothing, to itself, in a loop."""
    rng = hostile.rng
    inside = [path for path in sorted(tree.rglob("*"), key=os.fsencode) if not path.is_fifo()]
    targets = [*inside, tree, tree.parent, Path("nowhere"), Path("."), Path(".."), Path("/etc/passwd"), Path("/etc"), Path("/dev/null")]
    folder = rng.choice([path for path in inside if path.is_dir() and not path.is_symlink()])
    link = _free(folder, rng.choice(["link", "link.json", "link.csv.gz", "_link.json", rng.choice(_NAMES) + ".json"]))
    link.symlink_to(link.name if rng.random() < 0.1 else rng.choice(targets))
