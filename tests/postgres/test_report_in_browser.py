"""The report page in a real browser: nothing scrolls sideways on a phone, and all has contrast, a name and its place in the order."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from spark_jobs.report_page import write_page
from spark_jobs.warehouse.connection import Connection
from tests.postgres.staging import MIDNIGHT, Row, artist, batch, file, load, play, song

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LOW_CONTRAST = """
() => {
  const parts = colour => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return {rgb: [r, g, b], a} }
  const light = ({rgb}) => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const over = (top, under) => ({rgb: top.rgb.map((v, i) => v * top.a + under.rgb[i] * (1 - top.a)), a: 1})
  const behind = element => {
    if (!element) return {rgb: [255, 255, 255], a: 1}
    const own = parts(getComputedStyle(element).backgroundColor)
    return own.a === 1 ? own : over(own, behind(element.parentElement))
  }
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement
    if (!walk.currentNode.data.trim() || element.closest('style')) continue
    const style = getComputedStyle(element), under = behind(element)
    let colour = parts(element.closest('svg') ? style.fill : style.color)
    for (let e = element; e; e = e.parentElement) colour.a *= Number(getComputedStyle(e).opacity)
    if (colour.a === 0) continue
    const [a, b] = [light(over(colour, under)), light(under)].sort((x, y) => y - x)
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(walk.currentNode.data.trim())
  }
  return found
}
"""
NAMELESS = """
() => [
  ...[...document.querySelectorAll('svg')].filter(each => each.getAttribute('role') !== 'img' || !each.getAttribute('aria-label')
      || !each.closest('figure')?.querySelector('figcaption') || !each.closest('figure').querySelector('details > summary ~ * table')),
  ...[...document.querySelectorAll('table')].filter(each => !each.closest('[role=region][aria-label][tabindex="0"]')
      || [...each.querySelectorAll('thead th')].some(head => head.scope !== 'col') || !each.querySelector('thead th')),
  ...[...document.querySelectorAll('summary')].filter(each => !each.textContent.trim()),
].map(each => each.outerHTML.slice(0, 200))
"""
UNFOCUSED = """
() => { const style = getComputedStyle(document.activeElement)
        return style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2 ? document.activeElement.outerHTML.slice(0, 100) : null }
"""


def season() -> dict[str, Any]:
    """Eight weeks of listening by forty users, some of whom pay after a while, with long names among what they play."""
    dice, plays = Random(7), dict[str, Row]()
    names = ["Kings Of Leon", "Björk", "A band whose name goes on and on, and on, until nobody at a phone has room for it", "東京事変", "X"]
    for number in range(1200):
        user_id = dice.randrange(40)
        day = MIDNIGHT + timedelta(days=min(dice.randrange(user_id, 56), 55))
        matched = dice.random() < 0.2
        level = "paid" if user_id % 3 == 0 and day > MIDNIGHT + timedelta(days=20) else "free"
        values = (
            {"song_id": "S1", "artist_id": "A1"}
            if matched
            else {"artist_name": dice.choice(names), "song_title": f"Title {dice.randrange(20)}"}
        )
        one = play(
            dice.choice((8, 9, 17, 18, 18, 19, 22)) * 60 + dice.randrange(60),
            user_id,
            day=day,
            level=level,
            item_in_session=number,
            **values,
        )
        plays[one["songplay_id"]] = one
    return batch(*plays.values(), songs=[song()], artists=[artist()], files=[file(lines=1203, accepted=1200, rejected=3)])


def run_models(connection: Connection) -> None:
    """Record five runs of the model, the last of which is live."""
    for number in range(5):
        version, day = f"als-{number}-abcdef", MIDNIGHT + timedelta(days=60 + 7 * number)
        metrics = {
            part: {
                "als": {"recall_at_10": 0.11 + 0.02 * number, "ndcg_at_10": 0.08 + 0.015 * number, "coverage": 0.4},
                "neighbours": {"recall_at_10": 0.10, "ndcg_at_10": 0.07, "coverage": 0.5},
                "popularity": {"recall_at_10": 0.09, "ndcg_at_10": 0.06, "coverage": 0.01},
            }
            for part in ("new", "all")
        }
        connection.execute(
            "INSERT INTO ops.model_runs VALUES (%s, 'als', 'The model beat popularity.', 'id', %s, '{}', %s, 40, 400, 12.5, %s, %s)",
            [version, number, json.dumps(metrics), day, day],
        )
    connection.execute(
        "INSERT INTO dwh.recommendations SELECT u, r, 'Artist ' || r, 1.0 / r, %s FROM generate_series(0, 39) u, generate_series(1, 10) r",
        [version],
    )


@pytest.fixture
def address(warehouse: Connection, tmp_path: Path) -> str:
    load(warehouse, "20181115T000000Z-a1b2c3", season())
    run_models(warehouse)
    return write_page(warehouse, tmp_path / "no-lake", tmp_path, "page").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, timeout=180_000, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


def test_page_can_be_read_on_a_phone_and_a_desk_by_day_and_night_by_eye_ear_and_keyboard(
    browser: Any, address: str, tmp_path: Path
) -> None:
    images = Path(os.environ.get("SONGLAKE_TEST_IMAGES", tmp_path))
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        page.goto(address)
        for width in (1280, 390, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=images / f"report-{scheme}-{width}.png", full_page=True)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, "with all tables open"
        assert page.evaluate(LOW_CONTRAST) == []
        page.close()
    page = browser.new_page()
    page.goto(address)
    assert page.evaluate(NAMELESS) == []
    levels = [int(name[1]) for name in page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(each => each.tagName)")]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("[document.documentElement.lang, document.querySelectorAll('main').length]") == ["en", 1]
    assert page.evaluate("document.querySelectorAll('body > header').length") == 1
    for _ in range(page.locator("summary, [tabindex='0']:not(details *)").count()):
        page.keyboard.press("Tab")
        assert page.evaluate(UNFOCUSED) is None
    page.close()
