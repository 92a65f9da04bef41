"""What is to be reached, and what was."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.results import Result


class Medians:
    """Medians over the rounds of each work; a work that was not measured raises KeyError."""

    def __init__(self, results: Mapping[str, Result]) -> None:
        self._results = results

    def costs(self, work: str, contender: str) -> list[dict[str, Any]]:
        """Give what each round cost."""
        costs: list[dict[str, Any]] = self._results[work]["costs"][contender]
        return costs

    def wall(self, work: str, contender: str = "songlake") -> float:
        """Give seconds."""
        return float(statistics.median(cost["wall_seconds"] for cost in self.costs(work, contender)))

    def cpu(self, work: str, contender: str = "songlake") -> float:
        """Give CPU seconds."""
        return float(statistics.median(cost["cpu_seconds"] for cost in self.costs(work, contender)))

    def peak_gib(self, work: str, contender: str = "songlake") -> float:
        """Give the most memory of any round."""
        return float(max(cost["peak_rss_bytes"] for cost in self.costs(work, contender))) / 2**30


@dataclass(frozen=True)
class Bar:
    """A bar of issue 6.

    Attributes:
        work: What is done.
        wanted: What is to be reached, in words.
        found: Computes what was reached.
        limit: The bar.
        at_least: Whether what was reached should be the limit or more, instead of the limit or less.
    """

    work: str
    wanted: str
    found: Callable[[Medians], float]
    limit: float
    at_least: bool = False

    def reached(self, found: float) -> bool:
        """Tell whether that reaches the bar."""
        return found >= self.limit if self.at_least else found <= self.limit


def _marginal(medians: Medians) -> float:
    songlake, duckdb = (medians.wall("load-1e7", name) - medians.wall("load-1e6", name) for name in ("songlake", "duckdb"))
    return songlake / duckdb


def _spread(medians: Medians) -> float:
    days = [medians.wall(f"day-{days}") for days in (1, 10, 100)]
    return max(days) / min(days)


def _growth_a_file(medians: Medians) -> float:
    return (medians.wall("songs-100000") / 100_000) / (medians.wall("songs-15000") / 15_000)


BARS = (
    Bar("first load of 1e6", "at most 7 times DuckDB's time", lambda m: m.wall("load-1e6") / m.wall("load-1e6", "duckdb"), 7),
    Bar("first load of 1e6", "at most 8 times DuckDB's CPU time", lambda m: m.cpu("load-1e6") / m.cpu("load-1e6", "duckdb"), 8),
    Bar("first load of 1e6", "naive pipeline at least 5 times slower", lambda m: m.wall("load-1e6", "naive") / m.wall("load-1e6"), 5, True),
    Bar("first load of 1e7", "at most 4 times DuckDB's time", lambda m: m.wall("load-1e7") / m.wall("load-1e7", "duckdb"), 4),
    Bar("from 1e6 to 1e7", "at most 3.5 times DuckDB's further time", _marginal, 3.5),
    Bar("first load of 1e7", "peak under 5 GiB", lambda m: m.peak_gib("load-1e7"), 5),
    Bar("a day of 100,000", "at most 8 times DuckDB's increment", lambda m: m.wall("day-10") / m.wall("day-10", "duckdb"), 8),
    Bar("a day of 100,000", "after 1, 10, 100 days: slowest at most 1.15 times fastest", _spread, 1.15),
    Bar("a day of 100,000", "at most 0.15 of a rebuild at 100 days", lambda m: m.wall("day-100") / m.wall("rebuild-100"), 0.15),
    Bar("100 late events", "at most half of a day", lambda m: m.wall("late") / m.wall("day-10"), 0.5),
    Bar("a late song", "at most a day", lambda m: m.wall("song") / m.wall("day-10"), 1),
    Bar("nothing new", "at most 0.15 of the first load of 1e5", lambda m: m.wall("nothing") / m.wall("load-1e5"), 0.15),
    Bar("validated ingest of 1e6", "at most 2 times Spark's read and append", lambda m: m.wall("ingest") / m.wall("ingest", "spark"), 2),
    Bar("15,000 song files", "at most 0.15 of Spark's read", lambda m: m.wall("songs-15000") / m.wall("songs-15000", "spark"), 0.15),
    Bar("100,000 song files", "as much a file as of 15,000 (1.1)", _growth_a_file, 1.1),
    Bar("staging", "at least 2 times the rows a second of default JDBC", lambda m: m.wall("staging", "spark") / m.wall("staging"), 2, True),
    Bar("apply to live", "at most 1.3 times INSERT … SELECT", lambda m: m.wall("apply") / m.wall("apply", "insert"), 1.3),
)
