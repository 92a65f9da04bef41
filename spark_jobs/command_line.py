"""What every command line of Songlake has: options that mean the same everywhere, and help that says what holds where nothing is given."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from spark_jobs import settings as settings_module
from spark_jobs.errors import SonglakeError

_SETTING = "the setting "
_Function = TypeVar("_Function", bound=Callable[..., Any])


def setting(name: str) -> str:
    """Give an option's `show_default` that stands for a setting: help says where it is set and, when it is asked for, what it is here."""
    return _SETTING + name


Landing = Annotated[
    str | None, typer.Option(help="root of the landing zone, a folder or s3a://bucket/prefix", show_default=setting("landing"))
]
Lake = Annotated[str | None, typer.Option(help="where the Delta tables are, a folder or s3a://bucket/prefix", show_default=setting("lake"))]
Json = Annotated[bool, typer.Option("--json", help="one JSON object for programs instead of tables")]


class _Command(TyperCommand):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        _complete(self.get_params(ctx))
        super().format_help(ctx, formatter)


class _Group(TyperGroup):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        _complete(self.get_params(ctx))
        super().format_help(ctx, formatter)


class CommandLine(typer.Typer):
    """A command line whose help tells the values of settings, and no type behind a flag, which takes none."""

    def __init__(self, **options: Any) -> None:
        """Take what typer takes."""
        super().__init__(cls=_Group, pretty_exceptions_enable=False, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[_Function], _Function]:
        """Add a command, as typer does."""
        return super().command(name, cls=_Command, **options)


def _complete(parameters: list[Any]) -> None:
    for option in (each for each in parameters if isinstance(each, TyperOption)):
        if option.is_flag:
            option.display_type_rich = lambda ctx: None  # type: ignore[method-assign]
        if isinstance(option.show_default, str) and option.show_default.startswith(_SETTING):
            option.show_default = _value_here(option.show_default.removeprefix(_SETTING))


def _value_here(name: str) -> str:
    where = f"{settings_module.CONF.relative_to(settings_module.PROJECT)} or {settings_module.variable(name)}"
    try:
        value = attrgetter(name)(settings_module.load())
    except SonglakeError as error:
        return f"{where}; now: {error.what}"
    with suppress(OSError):  # this folder may be gone
        if isinstance(value, Path) and value.is_relative_to(Path.cwd()):
            value = value.relative_to(Path.cwd())
    shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value or "")
    return f"{where}, here: {shown or 'none'}"


def command_line_of(main: Callable[..., None]) -> CommandLine:
    """Give the command line of a job that has one command."""
    app = CommandLine(add_completion=False)
    app.command()(main)
    return app


def entry(main: Callable[..., None]) -> None:
    """Run a job's `main` with its command line, as the child of a spark-submit that may be killed."""
    from spark_jobs.session import die_with_parent

    die_with_parent()
    command_line_of(main)(prog_name=f"bin/spark-submit spark_jobs/{Path(sys.argv[0]).name}")
