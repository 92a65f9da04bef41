"""Errors a person sees: one sentence on what is wrong, one on what to do, and an exit code."""

from __future__ import annotations


class SonglakeError(Exception):
    """Base of every error with a known cause.

    Args:
        what: One sentence on what is wrong and where.
        fix: One sentence on what to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, fix: str) -> None:
        """Keep both sentences; the message joins them."""
        super().__init__(f"{what} {fix}")
        self.what = what
        self.fix = fix


class BadUsage(SonglakeError):
    """An argument or a setting cannot be used."""

    exit_code = 2


class InputMissing(SonglakeError):
    """A folder, table or file that the command needs is not there or cannot be read."""

    exit_code = 3


class GateFailed(SonglakeError):
    """The quality gate refused the batch; what was live stays live."""

    exit_code = 4


class ServiceUnreachable(SonglakeError):
    """PostgreSQL, or another service, does not answer or refuses the login."""

    exit_code = 5


class LockHeld(SonglakeError):
    """Another run is writing, or published first."""

    exit_code = 6


class LakeChanged(SonglakeError):
    """The lake was changed behind Songlake's back: restored, rebuilt, or a file of it is missing."""

    exit_code = 7
