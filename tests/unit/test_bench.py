"""The benchmark measures what it says, and its page holds the figures that were measured."""

from __future__ import annotations

import sys

import pytest

from bench.bars import BARS, Medians
from bench.measure import measure
from bench.page import with_figures
from bench.report import PAGE, published

_BUSY = "import time\nwhile time.process_time() < 0.6: pass\n"


def test_cost_holds_what_a_child_of_the_process_took() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BUSY + 'x = bytearray(60 << 20); time.sleep(0.8)'!r}])"
    cost, printed = measure([sys.executable, "-c", child + "; print('done')"], {})
    assert printed == "done\n"
    assert 0.5 < cost.cpu_seconds < 5
    assert cost.wall_seconds > 1.3
    assert cost.peak_rss_bytes > 60 << 20


def test_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(SystemExit, match=r"ended with 3[\s\S]*no such table"):
        measure([sys.executable, "-c", "import sys; print('no such table', file=sys.stderr); sys.exit(3)"], {})


def test_bar_is_reached_from_its_own_side() -> None:
    bars = {bar.wanted: bar for bar in BARS}
    assert bars["at most 7 times DuckDB's time"].reached(7)
    assert not bars["at most 7 times DuckDB's time"].reached(7.1)
    slower = bars["naive pipeline at least 5 times slower"]
    costs = {"songlake": [{"wall_seconds": 10}, {"wall_seconds": 11}, {"wall_seconds": 90}], "naive": [{"wall_seconds": 44}]}
    found = slower.found(Medians({"load-1e6": {"costs": costs}}))
    assert found == 4
    assert not slower.reached(found)


def test_page_holds_the_published_figures() -> None:
    assert with_figures(PAGE.read_text(), published()) == PAGE.read_text()
