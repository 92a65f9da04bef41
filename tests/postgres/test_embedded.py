"""The embedded PostgreSQL: it starts, survives, and is never taken for another.

pytest's folders are closed to other accounts, so under root these tests also prove that a home nobody can reach still works.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from spark_jobs.errors import ServiceUnreachable
from spark_jobs.warehouse import embedded


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a server that was started and stopped; copies of it start faster than new ones."""
    home = tmp_path_factory.mktemp("postgres") / "prepared"
    embedded.start(home)
    embedded.stop(home)
    with (home / "data" / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\n")
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    """A home whose server is stopped, in a folder whose name wants quoting."""
    home = tmp_path / "it's a home"
    shutil.copytree(prepared, home)
    yield home
    embedded.stop(home)


@pytest.fixture
def empty_home(tmp_path: Path) -> Iterator[Path]:
    """A home that nobody made yet."""
    home = tmp_path / "empty"
    yield home
    embedded.stop(home)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a server that runs."""
    home = tmp_path_factory.mktemp("postgres")
    embedded.start(home)
    yield home
    embedded.stop(home)


def pid(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def remember(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (what text)")
        connection.execute("INSERT INTO kept VALUES ('this')")


def test_a_started_server_holds_an_empty_utf8_database_in_utc(running: Path) -> None:
    url = embedded.start(running)
    assert urlsplit(url).path == "/songlake"
    assert ask(url, "SELECT count(*) FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'") == 0
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT lower('BJÖRK')") == "björk"
    assert ask(url, "SHOW timezone") == "UTC"


def test_only_the_password_opens_it_and_only_the_owner_can_read_that(running: Path) -> None:
    url = embedded.start(running)
    password = urlsplit(url).password or ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guess"))
    assert (running / "pgpass").stat().st_mode & 0o777 == 0o600
    assert (running / "data").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in running.iterdir() if path.is_file() and password in path.read_text()] == ["pgpass"]
    assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(url, "SHOW unix_socket_directories") == ""


def test_a_second_start_changes_nothing(running: Path) -> None:
    before = pid(running)
    assert embedded.start(running) == embedded.start(running) == embedded.url(running)
    assert pid(running) == before


def test_psql_opens_it_without_showing_the_password(running: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = "\\! tr '\\0' ' ' < /proc/$PPID/cmdline"
    assert embedded.psql(running, None, ["-Atc", "SELECT current_database()", "-c", command]) == 0
    database, command_line = capfd.readouterr().out.splitlines()
    assert database == "songlake"
    assert urlsplit(embedded.start(running)).password not in command_line
    assert embedded.psql(running, embedded.url(running), ["-c", "SELECT 1 / 0"]) == 1


def test_a_restart_keeps_data_port_and_password(home: Path) -> None:
    url = embedded.start(home)
    remember(url)
    embedded.stop(home)
    assert not embedded.is_running(home)
    assert embedded.url(home) is None
    assert embedded.was_stopped(home)
    assert embedded.start(home) == url
    assert embedded.is_running(home)
    assert not embedded.was_stopped(home)
    assert ask(url, "SELECT what FROM kept") == "this"


def test_what_was_committed_survives_a_killed_server(home: Path) -> None:
    url = embedded.start(home)
    remember(url)
    postmaster = psutil.Process(pid(home))
    family = [postmaster, *postmaster.children()]
    postmaster.kill()
    psutil.wait_procs(family, timeout=120)
    assert not embedded.is_running(home)
    assert embedded.start(home) == url
    assert ask(url, "SELECT what FROM kept") == "this"


def test_a_pid_file_that_names_another_living_process_does_not_hinder_the_start(home: Path) -> None:
    url = embedded.start(home)
    embedded.stop(home)
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'data'}\n1\n{urlsplit(url).port}\n\n127.0.0.1\n1 1\nready\n")
    assert not embedded.is_running(home)
    embedded.stop(home)
    assert embedded.start(home) == url


def test_a_port_taken_meanwhile_is_given_up_for_another(home: Path) -> None:
    port = int((home / "pgpass").read_text().split(":")[1])
    with socket.create_server(("127.0.0.1", port)):
        moved = embedded.start(home)
        assert urlsplit(moved).port != port
        assert embedded.url(home) == moved
        assert ask(moved, "SELECT 1") == 1


def test_another_server_at_the_address_is_told_apart(home: Path, running: Path) -> None:
    embedded.start(home)
    (home / "pgpass").write_bytes((running / "pgpass").read_bytes())
    with pytest.raises(ServiceUnreachable, match="another PostgreSQL"):
        embedded.start(home)


def test_a_server_that_does_not_know_our_password_is_told_apart(home: Path, running: Path) -> None:
    url = embedded.start(home)
    port = (running / "pgpass").read_text().split(":")[1]
    (home / "pgpass").write_text(f"127.0.0.1:{port}:*:songlake:{urlsplit(url).password}\n")
    with pytest.raises(ServiceUnreachable, match="password authentication failed"):
        embedded.start(home)


def test_a_lost_password_is_said(home: Path) -> None:
    (home / "pgpass").unlink()
    with pytest.raises(ServiceUnreachable, match=r"password of the PostgreSQL in .* is lost"):
        embedded.start(home)


def test_several_processes_starting_at_once_get_one_server_that_outlives_them(empty_home: Path) -> None:
    program = "import sys; from pathlib import Path; from spark_jobs.warehouse import embedded; print(embedded.start(Path(sys.argv[1])))"
    starting = [subprocess.Popen([sys.executable, "-c", program, str(empty_home)], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    urls = {process.communicate(timeout=600)[0].strip() for process in starting}
    assert urls == {embedded.url(empty_home)}
    assert ask(urls.pop(), "SELECT 1") == 1


def test_a_start_killed_in_between_is_mended_by_the_next(empty_home: Path) -> None:
    program = "import sys; from pathlib import Path; from spark_jobs.warehouse import embedded; embedded.start(Path(sys.argv[1]))"
    starting = subprocess.Popen([sys.executable, "-c", program, str(empty_home)], start_new_session=True)
    while not (empty_home / "data.new" / "postgresql.conf").exists():
        assert starting.poll() is None, "it was over before it was seen"
        time.sleep(0.01)
    os.killpg(starting.pid, signal.SIGKILL)
    starting.wait()
    assert not embedded.is_running(empty_home)
    assert ask(embedded.start(empty_home), "SELECT 1") == 1


def test_stopping_what_never_ran_makes_nothing(tmp_path: Path) -> None:
    embedded.stop(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
    assert embedded.url(tmp_path / "none") is None
    assert not embedded.was_stopped(tmp_path / "none")
    with pytest.raises(ServiceUnreachable, match="does not run"):
        embedded.psql(tmp_path / "none", None, [])


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceUnreachable, match="cannot keep its files"):
        embedded.start(tmp_path / "file" / "home")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_serves_a_folder_open_to_all_as_nobody(prepared: Path) -> None:
    # Not under tmp_path, which pytest closes to others.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        shutil.copytree(prepared, home)
        assert ask(embedded.start(home), "SELECT 1") == 1
        assert psutil.Process(pid(home)).username() == "nobody"
        embedded.stop(home)
