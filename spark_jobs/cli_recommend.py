"""`bin/songlake recommend`: recommendations of artists from what is live."""

from __future__ import annotations

from typing import Annotated

import typer


def recommend(
    lake: Annotated[str | None, typer.Option(help="where the Delta tables are, a folder or s3a://bucket/prefix [settings: lake]")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object for programs instead of a table")] = False,
) -> None:
    """Recommend artists to everyone by a model, where it beats popularity on plays that it has not seen; else by popularity.

    Example: bin/songlake recommend
    """
    from spark_jobs.recommend import main

    main(lake, json)
