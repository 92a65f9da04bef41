"""Show what was measured, and write it into docs/performance.md.

    python -m bench.report

takes every work that data/bench holds over into docs/performance.json, the figures that are published, and makes the page's tables
and its chart of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measure import PROJECT
from bench.page import cells, with_figures
from bench.results import RESULTS, Result, kept

PAGE = PROJECT / "docs" / "performance.md"
PUBLISHED = PROJECT / "docs" / "performance.json"
CHART = PROJECT / "docs" / "images" / "performance.svg"


def print_results(works: Sequence[str], folder: Path) -> None:
    """Print the medians of works just measured."""
    found = kept(folder)
    table = Table(title="Medians; all contenders of a work made the same rows", title_justify="left")
    for column in ("work", "contender", "seconds (least to most)", "CPU s", "peak GiB", "rounds"):
        table.add_column(column, justify="left" if column in ("work", "contender") else "right")
    for work in works:
        for contender, costs in found[work]["costs"].items():
            table.add_row(found[work]["about"], contender, *cells(costs))
    Console().print(table)
    Console().print(f"Kept in {folder}", highlight=False)


def published() -> dict[str, Result]:
    """Give the results that the page shows, by work."""
    found: dict[str, Result] = json.loads(PUBLISHED.read_text()) if PUBLISHED.exists() else {}
    return found


def main() -> None:
    """Write page, chart and published figures."""
    from bench.chart import draw  # what draws takes a second to load

    results = {**published(), **kept(RESULTS)}
    PUBLISHED.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(with_figures(PAGE.read_text(), results))
    draw(results, CHART)


if __name__ == "__main__":
    main()
