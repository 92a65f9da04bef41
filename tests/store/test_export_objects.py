"""An export to an object store counts by its manifest, which comes last, and goes on where it broke off."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_jobs import object_store
from spark_jobs.errors import InputMissing, ServiceUnreachable
from spark_jobs.export import files as files_module
from spark_jobs.export.export import Outcome
from spark_jobs.export.export import export as export_to
from spark_jobs.locations import ObjectPath
from spark_jobs.warehouse.connection import Connection, connect
from spark_jobs.warehouse.schema import ensure
from tests.object_store import ObjectStore
from tests.postgres import exported
from tests.postgres.staging import batch, load, play
from tests.postgres.test_export import command
from tests.scratch import fill, small_disk


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Connection]:
    with connect(warehouse_url, application_name="test") as connection:
        ensure(connection)
        load(connection, "b1", batch(play(), play(1)))
        yield connection


def export(connection: Connection, root: ObjectPath) -> Outcome:
    return export_to(connection, root, "parquet", (), lambda text: None)


def written(store: ObjectStore) -> list[str]:
    """Names of the objects that were written since this was asked last, in their order."""
    return [path.rpartition("parquet-")[2].partition("/")[2] for method, path, *_ in store.requests() if method == "PUT"]


def fetched(root: ObjectPath, folder: Path) -> Path:
    """Copy an export to this machine."""
    for found in object_store.objects_below(root):
        target = folder / found.place.key.removeprefix(f"{root.key}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(object_store.read(found.place)[0])
    return folder


def test_manifest_comes_last_and_the_same_is_not_exported_again(
    warehouse: Connection, warehouse_url: str, store: ObjectStore, bucket: ObjectPath, tmp_path: Path
) -> None:
    store.requests()
    done = export(warehouse, bucket / "my exports")
    names = [name for name in written(store) if name != "unfinished.json"]
    assert names == [*(f"{table}/00001.parquet" for table in ("artists", "songs", "users", "time", "songplays")), "manifest.json"]
    assert done.place == f"{bucket}/my exports/{done.manifest.name}"
    exported.check(fetched(bucket / "my exports" / done.manifest.name, tmp_path), warehouse_url)
    again = export(warehouse, bucket / "my exports")
    assert (again.is_new, again.manifest, written(store)) == (False, done.manifest, [])
    object_store.remove(ObjectPath.parse(done.place) / "users" / "00001.parquet")
    with pytest.raises(InputMissing, match=r"users/00001\.parquet"):
        export(warehouse, bucket / "my exports")


def test_export_that_broke_off_goes_on_or_is_named_by_those_of_later_states(
    warehouse: Connection,
    warehouse_url: str,
    store: ObjectStore,
    bucket: ObjectPath,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(place: str) -> None:
        if place == "export time":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files_module, "pause_at", fail)
        with pytest.raises(KeyboardInterrupt):
            export(warehouse, bucket)
    [begun] = {found.place.key.partition("/")[0] for found in object_store.objects_below(bucket)}
    content, _ = object_store.read(bucket / begun / "songs" / "00001.parquet")
    object_store.write(bucket / begun / "songs" / "00001.parquet", content[::-1])
    load(warehouse, "b2", batch(play(2)))
    later = export(warehouse, bucket)
    assert later.notes == [f"{bucket}/{begun} is unfinished: another export writes it now, or broke off and it may be removed."]
    warehouse.execute("DELETE FROM dwh.songplays WHERE songplay_id LIKE %s", ["1542240120000%"])
    warehouse.execute("UPDATE ops.published SET delta_version = 0, batch_id = 'b1'")
    store.requests()
    done = export(warehouse, bucket)
    assert (done.kept, Path(done.place).name) == (2, begun)
    assert [name for name in written(store) if name != "unfinished.json"] == [
        *(f"{table}/00001.parquet" for table in ("songs", "time", "songplays")),
        "manifest.json",
    ]
    exported.check(fetched(ObjectPath.parse(done.place), tmp_path), warehouse_url)


def test_export_that_is_killed_leaves_nothing_on_this_machine(
    warehouse: Connection, warehouse_url: str, bucket: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = command(warehouse_url, "--to", str(bucket), SONGLAKE_PAUSE_AT="export users")
    assert process.stderr is not None
    assert any("paused at export users" in line for line in process.stderr)
    opened = [os.readlink(entry) for entry in Path(f"/proc/{process.pid}/fd").iterdir()]
    assert [path for path in opened if path.startswith(str(tmp_path))], "the file at hand is in the temporary folder"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_full_disk_of_files_on_their_way_to_a_bucket_is_told_with_what_to_do(
    warehouse: Connection, bucket: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "small", 1) as folder:
        fill(folder)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        with pytest.raises(InputMissing, match=r"No space left on device.* Set TMPDIR to a folder"):
            export(warehouse, bucket)


def test_store_that_is_away_is_told(warehouse: Connection, store: ObjectStore, bucket: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ServiceUnreachable, match="AWS_SECRET_ACCESS_KEY"):
        export(warehouse, bucket)
    monkeypatch.undo()
    store.fail(times=1, path="PUT .*", status=403, code="AccessDenied")
    with pytest.raises(ServiceUnreachable, match="refuses access"):
        export(warehouse, bucket)
