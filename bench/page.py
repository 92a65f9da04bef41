"""The figures of docs/performance.md, as Markdown made of results."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.bars import BARS, Medians
from bench.results import Result
from bench.works import INSIDE, WORKS

BEGIN, END = "<!-- figures: written by python -m bench.report -->\n", "<!-- end of figures -->\n"
_ORDER = [*(work.name for work in WORKS), *(name for work in INSIDE for name in work.about)]
_STAGED = ("load-1e5", "load-1e6", "load-1e7", "day-1", "day-10", "day-100", "late", "song")


def with_figures(page: str, results: Mapping[str, Result]) -> str:
    """Give a page with the figures between its two marks written anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return before + BEGIN + figures(results) + END + after


def figures(results: Mapping[str, Result]) -> str:
    """Give all tables."""
    chosen = {name: results[name] for name in _ORDER if name in results}
    return "\n".join(["", _machines(chosen.values()), _bars(chosen), _costs(chosen), _stages(chosen)])


def cells(costs: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Give wall with least and most, CPU, memory and rounds as text."""
    walls = [cost["wall_seconds"] for cost in costs]
    cpu, memory = (statistics.median(cost[name] for cost in costs) for name in ("cpu_seconds", "peak_rss_bytes"))
    return f"{statistics.median(walls):.1f} ({min(walls):.1f} to {max(walls):.1f})", f"{cpu:.1f}", f"{memory / 2**30:.2f}", str(len(costs))


def _machines(results: Iterable[Result]) -> str:
    """Tell where and when each work was measured; the load shows whether the machine had other work."""
    lines: dict[str, list[str]] = {}
    for result in results:
        machine = result["machine"]
        versions = ", ".join(f"{name} {version}" for name, version in sorted(machine["versions"].items()))
        system = f"{machine['system']}, Python {machine['python']}"
        where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {system}"
        lines.setdefault(f"{where}; {versions}", []).append(f"{result['work']} {result['measured_at'][:16]} (load {machine['load']})")
    return "".join(f"{where}.\nMeasured: {', '.join(works)}.\n" for where, works in lines.items())


def _bars(results: Mapping[str, Result]) -> str:
    medians, rows = Medians(results), []
    for bar in BARS:
        try:
            found = bar.found(medians)
        except KeyError:
            rows.append((bar.work, bar.wanted, "not measured", ""))
        else:
            rows.append((bar.work, bar.wanted, f"{found:.2f}", "yes" if bar.reached(found) else "**no**"))
    return _table("## Bars", ("work", "to reach", "measured", "reached"), rows)


def _costs(results: Mapping[str, Result]) -> str:
    rows = [
        (name if not number else "", result["about"] if not number else "", contender, *cells(costs))
        for name, result in results.items()
        for number, (contender, costs) in enumerate(result["costs"].items())
    ]
    return _table("## Costs", ("work", "what", "contender", "seconds", "CPU s", "peak GiB", "rounds"), rows)


def _stages(results: Mapping[str, Result]) -> str:
    """Say where Songlake's seconds went; what is in no stage is the start of Python, the commit of logs, and the end of the JVM."""
    rows, names = [], ("ingest", "build_star", "load_postgres", "check_quality", "publish")
    for work in _STAGED:
        costs = results[work]["costs"]["songlake"] if work in results else []
        if costs:
            spent = [statistics.median(cost["stages"].get(name, 0.0) for cost in costs) for name in names]
            whole = statistics.median(cost["wall_seconds"] for cost in costs)
            rows.append((work, *(f"{seconds:.1f}" for seconds in (*spent, whole - sum(spent)))))
    return _table("## Songlake's seconds by stage", ("work", *names, "outside"), rows)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return f"{title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
