"""Hostile texts from the landing zone to the warehouse, the terminal, the report page and the mail: they come out as what they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pyspark.sql import SparkSession

from spark_jobs import alerts, report, status
from spark_jobs.diagnosis import examine
from spark_jobs.report_page import write_page
from spark_jobs.warehouse.accept import accept
from spark_jobs.warehouse.connection import connect
from tests import hostile_texts
from tests.scratch import scratch_database
from tests.world import START, World, event, song

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
REASON = "'; DROP TABLE dwh.songs; -- \x1b[2J <script>window.ran = 1</script> %s"


@pytest.fixture(scope="module")
def delivered(spark: SparkSession, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose names, titles and refused lines are all hostile; the gate refused it for the refused lines."""
    with scratch_database(postgres_server) as url:
        world = World(tmp_path_factory.mktemp("hostile"), url)
        for number, text in enumerate(hostile_texts.ALL):
            name = text.replace("/", "\u2215").replace("\x00", "\u2400")
            fields = dict.fromkeys(("artist", "location", "firstName", "lastName", "gender", "auth", "method", "userAgent"), text)
            plays = [event(START + number, number, item=item, song=text, length=1.5, **fields) for item in range(3)]
            world.write(f"log_data/{name}.json", [*plays, event(item=number, page=text, level=text), {text: text}])
            world.write(
                f"song_data/{name}.json", [song(text, artist_id=text, title=text, artist_name=text, artist_location=text, duration=1.5)]
            )
            world.write(f"log_data/{name}.json.gz", text.encode())
        summary = world.run()
        assert (summary.published, [check.name for check in summary.checks if check.severity == "fail" and not check.passed]) == (
            False,
            ["rejected_share"],
        )
        report.print_summary(summary)
        yield world


@pytest.fixture(scope="module")
def pages(delivered: World) -> dict[str, str]:
    """The report page and the mail on the refused batch."""
    diagnosis = examine(delivered.lake, delivered.url, {"check_quality": "\n".join(hostile_texts.PAGE)})
    with connect(delivered.url, application_name="test") as connection:
        page = write_page(connection, delivered.lake, delivered.root, "page", title_note=hostile_texts.PAGE[0])
    return {"page": page.read_text(), "mail": alerts.failure(diagnosis, "http://localhost/").html}


def test_a_terminal_shows_hostile_lines_and_names_and_obeys_none(delivered: World, capsys: pytest.CaptureFixture[str]) -> None:
    status.show(delivered.settings(), as_json=False)
    status.show_rejects(delivered.lake, "*", None, 1000, as_json=False)
    status.show(delivered.settings(), as_json=True)
    status.show_rejects(delivered.lake, "*", None, 1000, as_json=True)
    printed = capsys.readouterr().out
    assert {character for character in printed if not character.isprintable()} == {"\n"}
    assert "\\x1b[2J\\x1b[H" in printed
    told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert len(told) == 1 + 2 * len(hostile_texts.ALL)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("what", ["page", "mail"])
def test_a_browser_shows_hostile_texts_and_runs_and_fetches_nothing(pages: dict[str, str], what: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    (tmp_path / "shown.html").write_text(pages[what])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=180_000, args=["--no-sandbox", "--disable-gpu"])
        # Without the page's own policy: what was not escaped would run.
        shown = browser.new_context(bypass_csp=True).new_page()
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto((tmp_path / "shown.html").as_uri())
        shown.wait_for_timeout(500)
        ran, text = shown.evaluate("window.ran"), shown.text_content("body") or ""
        browser.close()
    assert (ran, len(asked)) == (None, 1)
    # The page names the first few of everything.
    assert len([each for each in hostile_texts.PAGE if each in text or each.replace("/", "\u2215") in text]) >= 5


def test_hostile_texts_stand_in_the_warehouse_as_they_were_delivered(delivered: World) -> None:
    with connect(delivered.url, application_name="test") as connection:
        batch = str(connection.execute("SELECT batch_id FROM ops.staged").fetchall()[0][0])
        accept(connection, batch, reason=REASON, checks=[], by=REASON, warehouse=delivered.settings().warehouse)
    delivered.check()
    with psycopg.connect(delivered.url) as connection:
        assert set(connection.execute("SELECT reason, accepted_by FROM ops.acceptances").fetchall()) == {(REASON, REASON)}
        paths = {row[0] for row in connection.execute("SELECT path FROM ops.files").fetchall()}
        titles = {row[0] for row in connection.execute("SELECT title FROM dwh.songs").fetchall()}
    assert paths == set(delivered.deliveries.warehouse().files)
    assert set(hostile_texts.SQL) <= titles
    assert os.environ.get("PATH", "") not in "".join(paths)
