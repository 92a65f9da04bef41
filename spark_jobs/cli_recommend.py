"""`bin/songlake recommend`: recommendations of artists from what is live."""

from __future__ import annotations

from spark_jobs.command_line import Json, Lake


def recommend(lake: Lake = None, json: Json = False) -> None:
    """Recommend artists to everyone by a model, where it beats popularity on plays that it has not seen; else by popularity.

    Example:
        bin/songlake recommend
    """
    from spark_jobs.recommend import main

    main(lake, json)
