"""Let contenders do the same works in turn, round after round, and refuse results where they made different rows."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import results, warehouses
from bench.contenders import SONGLAKE, Contender
from bench.measure import Cost, measure
from bench.works import History, InsideWork, Work

_err = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class _Known:
    """What a contender knows of a history: its own folder, and its database."""

    folder: Path
    database: str


class Stage:
    """Works that are measured in the same rounds, with what they need on disk."""

    def __init__(self, root: Path, server: str, works: Sequence[Work], kept: Path) -> None:
        self._root, self._server, self._works, self._kept = root, server, works, kept
        self._landings: dict[str, Path] = {}
        self._known: dict[tuple[History, str], _Known] = {}

    def run(self, rounds: int) -> None:
        """Prepare, then measure round by round; what a round found is kept at once."""
        begun = time.monotonic()
        histories = list(dict.fromkeys(work.history for work in self._works))
        for number, history in enumerate(histories):
            self._prepare(number, history)
        _err.print(f"{self._works[0].stage}: prepared in {time.monotonic() - begun:.0f} s")
        taken: dict[str, dict[str, list[dict[str, Any]]]] = {work.name: {} for work in self._works}
        for number in range(rounds):
            for work in self._works:
                costs, facts = self._measure(work, f"{work.name}, round {number + 1} of {rounds}")
                for name, cost in costs.items():
                    taken[work.name].setdefault(name, []).append(cost)
                results.keep(self._kept, work.name, work.about, taken[work.name], facts)
        _err.print(f"{self._works[0].stage}: took {time.monotonic() - begun:.0f} s")

    def _prepare(self, number: int, history: History) -> None:
        """Generate a history, let its contenders load it, and make each work's landing zone."""
        landing, held = self._root / f"landing_{number}", self._root / f"held_{number}.json"
        history.deliver(landing, held)
        works = [work for work in self._works if work.history == history]
        contenders = {contender.name: contender for work in works if not work.from_nothing for contender in work.contenders}
        for name, contender in contenders.items():
            known = _Known(self._root / f"known_{number}_{name}", f"known_{number}_{name}")
            known.folder.mkdir()
            url = warehouses.fresh_database(self._server, known.database)
            measure(contender.command(landing, known.folder), _environment(url))
            warehouses.settle(url, analyze=True)
            self._known[history, name] = known
        for work in works:
            own = self._root / f"landing_{work.name}"
            # Links, as a landing zone of ten million events is large; sizes and times are the same.
            shutil.copytree(landing, own, copy_function=lambda source, target: Path(target).hardlink_to(source))
            work.deliver(own, held, history, work.events)
            self._landings[work.name] = own
        shutil.rmtree(landing)

    def _measure(self, work: Work, title: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """Let each contender do the work once and compare what they made; gives costs by contender, and rows by table."""
        costs, made = {}, {}
        compared = {contender.keys_only for contender in work.contenders}
        for contender in work.contenders:
            folder = self._root / "at_work"
            url = self._begin(work, contender, folder)
            cost, printed = measure(contender.command(self._landings[work.name], folder), _environment(url))
            _err.print(f"{title}: {contender.name} {cost.wall_seconds:.1f} s")
            costs[contender.name] = _told(contender, cost, printed)
            wanted = {True} if contender.keys_only else compared
            made[contender.name] = {keys_only: warehouses.digests(url, keys_only=keys_only) for keys_only in wanted}
            shutil.rmtree(folder)
            warehouses.drop_database(self._server, "at_work")
        _refuse_difference(work, made)
        rows = {table: count for table, (count, _) in made[work.contenders[0].name][False].items()}
        return costs, {"new_events": work.events or work.history.events, "rows": rows}

    def _begin(self, work: Work, contender: Contender, folder: Path) -> str:
        """Give a contender what it may know, in a database and a folder of this round's own."""
        known = None if work.from_nothing else self._known[work.history, contender.name]
        if known is None:
            folder.mkdir()
            url = warehouses.fresh_database(self._server, "at_work")
        else:
            shutil.copytree(known.folder, folder)
            url = warehouses.copy_database(self._server, known.database, "at_work")
        warehouses.settle(url)
        return url


def run_inside(root: Path, server: str, work: InsideWork, rounds: int, kept: Path) -> None:
    """Measure a work inside one Spark session and keep what it found."""
    begun = time.monotonic()
    command = ["bash", "-c", '. bin/env.sh && exec "$PYSPARK_PYTHON" -m bench.inside "$@"', "inside"]
    _, printed = measure([*command, work.does, str(work.size), str(rounds), str(root)], _environment(server))
    measured = json.loads(printed.splitlines()[-1])
    for (name, about), costs in zip(work.about.items(), measured.values(), strict=True):
        results.keep(kept, name, about, costs, {"size": work.size})
    _err.print(f"{work.name}: took {time.monotonic() - begun:.0f} s")


def _environment(url: str) -> dict[str, str]:
    return {"WAREHOUSE_URL": url, "TZ": "UTC"}


def _told(contender: Contender, cost: Cost, printed: str) -> dict[str, Any]:
    """Give a cost as it is kept; Songlake tells where its seconds went."""
    stages = {"stages": json.loads(printed)["seconds"]} if contender is SONGLAKE else {}
    return {**asdict(cost), **stages}


def _refuse_difference(work: Work, made: Mapping[str, Mapping[bool, Mapping[str, warehouses.Digest]]]) -> None:
    """Refuse what was measured of contenders that did not make the same rows.

    Raises:
        SystemExit: A table of one differs from the first one's.
    """
    first, *others = work.contenders
    for contender in others:
        keys = contender.keys_only
        wrong = warehouses.differing(made[first.name][keys], made[contender.name][keys])
        if wrong:
            raise SystemExit(f"{work.name}: {first.name} and {contender.name} made different rows in {', '.join(wrong)}.")
