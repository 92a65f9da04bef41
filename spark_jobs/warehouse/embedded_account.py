"""Whom the embedded PostgreSQL runs as: it refuses root, so root needs another account that can still use the folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple


class Account(NamedTuple):
    """An account, and the words before a command that make it run as that account."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()


def find_account(folder: Path, program: Path) -> Account | None:
    """Choose an account that can run the program and write in the folder; None if there is none.

    It is oneself, but for root. For root it is nobody, where the way to both is open to all. Where it is not (/root, a test's
    folder), it is root in a name space of users that calls it nobody; where containers forbid those, nobody with the one right
    to pass closed folders.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    as_nobody = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    accounts = (
        Account(nobody.pw_uid, nobody.pw_gid, as_nobody),
        Account(0, 0, ("unshare", "--user", f"--map-user={nobody.pw_uid}")),
        Account(nobody.pw_uid, nobody.pw_gid, (*as_nobody, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")),
    )
    return next((account for account in accounts if _can_work(account, folder, program)), None)


def run_as(account: Account, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command as the account; none of our environment reaches it, which may hold passwords or PostgreSQL settings."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    return subprocess.run(
        [*account.prefix, *map(str, command)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
    )


def hand_over(path: Path, account: Account) -> None:
    """Give a file or a folder with all in it to the account, if it is not the account's already."""
    if path.lstat().st_uid == account.uid:
        return
    # The topmost comes last, so that a walk that was killed is done again.
    for folder, _, files in os.walk(path, topdown=False):
        for file in files:
            os.chown(Path(folder, file), account.uid, account.gid, follow_symlinks=False)
        os.chown(folder, account.uid, account.gid)
    os.chown(path, account.uid, account.gid)


def _can_work(account: Account, folder: Path, program: Path) -> bool:
    trial = folder / "trial"
    shutil.rmtree(trial, ignore_errors=True)
    trial.mkdir(0o700)
    os.chown(trial, account.uid, account.gid)
    try:
        tried = run_as(account, "/bin/sh", "-c", ': > "$1/file" && exec "$2" --version', "sh", trial, program)
    except FileNotFoundError:
        return False
    finally:
        shutil.rmtree(trial)
    return tried.returncode == 0
