"""Show the runs' report pages in Airflow's UI: a tab of each run, and a list in the navigation. Only to people who are logged in."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment

from spark_jobs.report_page import page_path
from spark_jobs.settings import load

_LIST = Environment(autoescape=True).from_string(
    """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Songlake reports</title>
<style>body { font-family: sans-serif; margin: 2rem }</style><h1>Reports</h1>
{% if pages %}<ul>{% for page in pages %}<li><a href="reports/{{ page | urlencode }}">{{ page }}</a></li>{% endfor %}</ul>
{% else %}<p>No run has written one yet.</p>{% endif %}</html>"""
)
_NONE_YET = (
    "<!doctype html><html lang='en'><title>No report</title><p>This run has no report: it has not ended yet, or had nothing to do.</p>"
)

app = FastAPI(title="Songlake reports", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/reports")
def list_pages() -> HTMLResponse:
    """List the pages, newest first."""
    pages = sorted(load().reports.glob("*.html"), key=lambda page: page.stat().st_mtime, reverse=True)
    return HTMLResponse(_LIST.render(pages=[page.stem for page in pages]))


@app.get("/reports/{run_id:path}")
def show_page(run_id: Annotated[str, "the run's id"]) -> Response:
    """Show the page of a run."""
    page = page_path(load().reports, run_id)
    return FileResponse(page, media_type="text/html") if page.exists() else HTMLResponse(_NONE_YET, status_code=404)


class SonglakeReports(AirflowPlugin):
    """Hangs the pages into the UI."""

    name = "songlake_reports"
    fastapi_apps: ClassVar[list[Any]] = [{"app": app, "url_prefix": "/songlake", "name": "Songlake reports"}]
    external_views: ClassVar[list[Any]] = [
        {"name": "Report", "href": "/songlake/reports/{RUN_ID}", "destination": "dag_run", "url_route": "songlake-report"},
        {"name": "Songlake reports", "href": "/songlake/reports", "destination": "nav", "url_route": "songlake-reports"},
    ]
