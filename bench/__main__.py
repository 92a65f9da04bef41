"""Measure Songlake beside other ways to do the same work, and prove that all made the same rows.

    python -m bench                                      # everything, about an hour on a quiet machine
    python -m bench --quick                              # a little of everything, under five minutes
    python -m bench --only day-10 late --rounds 5
    python -m bench --only load-1e6 --events 200000

What a work found is kept in data/bench; `python -m bench.report` makes docs/performance.md of it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from bench.report import print_results
from bench.results import RESULTS, TRIED
from bench.rounds import Stage, run_inside
from bench.warehouses import running_server
from bench.works import INSIDE, QUICK, WORKS


def main() -> None:
    """Measure the works that were asked for, stage by stage."""
    # Told to end, it ends what it started too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = _parser().parse_args()
    rounds = asked.rounds or (1 if asked.quick else 3)
    works = [work for work in (QUICK if asked.quick else WORKS) if not asked.only or work.name in asked.only]
    works = [work.sized(asked.events) if asked.events else work for work in works]
    inside = [work for work in INSIDE if not asked.quick and (not asked.only or work.name in asked.only)]
    inside = [replace(work, size=asked.events or work.size) for work in inside]
    kept = TRIED if asked.quick or asked.events else RESULTS
    for _, stage in groupby(works, key=lambda work: work.stage):
        with _place() as (root, server):
            Stage(root, server, list(stage), kept).run(rounds)
    for work in inside:
        with _place() as (root, server):
            run_inside(root, server, work, rounds, kept)
    print_results([work.name for work in works] + [name for work in inside for name in work.about], kept)


@contextmanager
def _place() -> Iterator[tuple[Path, str]]:
    """Give an empty folder and a PostgreSQL of its own; both go afterwards."""
    with tempfile.TemporaryDirectory(prefix="songlake-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        with running_server(root / "postgres") as server:
            yield root, server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*(work.name for work in WORKS), *(work.name for work in INSIDE)]
    parser.add_argument("--only", nargs="+", choices=names, metavar="WORK", help=f"some of {', '.join(names)}")
    parser.add_argument("--rounds", type=int, help="rounds (3, with --quick 1)")
    parser.add_argument("--events", type=int, help="events (or song files), in place of each work's own number")
    parser.add_argument("--quick", action="store_true", help="on less data, under five minutes")
    return parser


if __name__ == "__main__":
    main()
