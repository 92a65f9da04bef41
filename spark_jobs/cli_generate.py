"""`bin/songlake generate`: sample songs and events."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spark_jobs import settings as settings_module
from spark_jobs.command_line import Landing
from spark_jobs.console import err, out, run_command
from spark_jobs.errors import BadUsage
from spark_jobs.locations import on_disk

if TYPE_CHECKING:
    from spark_jobs.generator import GeneratedFiles

_FIRST_DAY = datetime(2018, 11, 1)  # noqa: DTZ001 - a date; typer knows times alone


def generate(
    landing: Landing = None,
    events: Annotated[int, typer.Option(min=0, help="distinct valid events")] = 10_000,
    songs: Annotated[int, typer.Option(min=0, help="distinct valid songs, one a file")] = 200,
    users: Annotated[int | None, typer.Option(min=1, help="registered users", show_default="one for every 100 events")] = None,
    days: Annotated[int, typer.Option(min=1, help="days of events")] = 7,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="first day", show_default=f"{_FIRST_DAY:%Y-%m-%d}")] = _FIRST_DAY,
    first_day: Annotated[int, typer.Option(min=0, help="begin with this day, to go on where an earlier call ended")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="another seed, other data")] = 1,
    dirty: Annotated[float, typer.Option(min=0, max=0.5, help="share of bad lines")] = 0.002,
    tastes: Annotated[int, typer.Option(min=0, help="groups of listeners who mostly play artists of their own; 0, nobody has a taste")] = 0,
) -> None:
    """Write sample songs and events into the landing zone; the same seed and arguments give the same bytes.

    Example:
        bin/songlake generate --events 1000000 --songs 15000 --days 30
    """
    from rich.progress import Progress

    from spark_jobs.generator import generate as write

    def command() -> None:
        folder = on_disk(settings_module.load(landing=landing).landing, "bin/songlake generate")
        with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("generating", total=events + songs)
            try:
                done = write(
                    folder,
                    seed=seed,
                    events=events,
                    songs=songs,
                    users=users,
                    days=days,
                    start=date(start.year, start.month, start.day),
                    first_day=first_day,
                    dirty=dirty,
                    tastes=tastes,
                    progress=lambda count: bar.advance(task, count),
                )
            except ValueError as error:
                raise BadUsage(str(error), "See bin/songlake generate --help.") from None
        _print_done(done, folder)

    sys.exit(run_command(command))


def _print_done(done: GeneratedFiles, folder: Path) -> None:
    out.print(
        f"{done.files:,} files in {folder}: {done.event_lines:,} event lines, {done.song_lines:,} song lines, "
        f"{done.rejected_lines:,} of them bad; {done.bytes / 1e6:.1f} MB in {done.seconds:.1f} s.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
