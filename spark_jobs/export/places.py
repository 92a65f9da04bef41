"""Where an export goes: a folder of this machine, or a prefix in an object store. Each has its way to let all files count at once."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from spark_jobs import object_store
from spark_jobs.errors import BadUsage, InputMissing, LockHeld
from spark_jobs.export.files import sha256_of
from spark_jobs.export.manifest import File, Manifest
from spark_jobs.locations import Location, ObjectPath, keep_on_disk
from spark_jobs.object_store import StoredObject

MANIFEST = "manifest.json"
_UNFINISHED = "unfinished.json"
_WORK = ".songlake-export"
_PIECE = 4 << 20


class Folder:
    """An export on this machine: written in a hidden folder beside its own, which takes its name in one step when all is on the disk."""

    def __init__(self, root: Path, name: str) -> None:
        """Look at nothing yet."""
        self._root, self._work, self._target = root, root / _WORK, root / name

    def __str__(self) -> str:
        """Where the finished export is."""
        return str(self._target)

    def finished(self) -> Manifest | None:
        """Read the export of this name, if it is there.

        Raises:
            InputMissing: Files of it are gone or cut.
            BadUsage: Something else has this name.
        """
        if not self._target.exists():
            return None
        record = self._target / MANIFEST
        manifest = Manifest.read(record.read_bytes()) if record.is_file() else None
        if manifest is None:
            raise BadUsage(f"{self} is there and is no export that this Songlake can read.", "Move it away, or export to another folder.")
        _require_whole(self, manifest, {path: place.stat().st_size for path, place in _below(self._target).items()})
        return manifest

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other exports out of the folder, which is made if need be.

        Raises:
            LockHeld: One is at work there.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockHeld(f"Another export to {self._root} is at work.", "Wait until it is done, then run again.") from None
            yield
        finally:
            os.close(handle)

    def earlier(self) -> Manifest | None:
        """Read what an export that broke off here noted, of this name or another."""
        record = self._work / MANIFEST
        return Manifest.read(record.read_bytes()) if record.is_file() else None

    def others(self) -> list[str]:
        """Name unfinished exports that are left lying: none, as the hidden folder serves the next export, whatever its name."""
        return []

    def holds(self, file: File) -> bool:
        """Whether a file is there with the bytes that its digest tells."""
        place = self._work / file.path
        return place.is_file() and place.stat().st_size == file.bytes and sha256_of(place) == file.sha256

    def clear(self, kept: set[str]) -> None:
        """Remove every file but these and the note of them, and folders that are empty then."""
        for path, place in _below(self._work).items():
            if path not in kept | {MANIFEST}:
                place.unlink()
        for folder in self._work.glob("*"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    @contextmanager
    def new_file(self, path: str) -> Iterator[Path]:
        """Give a file to write to; it has its name, and is on the disk, once the block ends."""
        place = self._work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}.tmp")
        yield temporary
        keep_on_disk(temporary)
        temporary.rename(place)

    def record(self, manifest: Manifest) -> None:
        """Note what is written, for whoever goes on."""
        with self.new_file(MANIFEST) as place:
            place.write_bytes(manifest.as_bytes())

    def finish(self, manifest: Manifest) -> None:
        """Let the export count."""
        self.record(manifest)
        for folder in (*filter(Path.is_dir, self._work.iterdir()), self._work):
            keep_on_disk(folder)
        self._work.rename(self._target)
        keep_on_disk(self._root)


class Prefix:
    """An export in an object store, which renames nothing: its files come first, its manifest last, and the manifest makes it count."""

    def __init__(self, root: ObjectPath, name: str) -> None:
        """Look at nothing yet."""
        self._root, self._target = root, root / name

    def __str__(self) -> str:
        """Where the export is."""
        return str(self._target)

    def finished(self) -> Manifest | None:
        """Read the export of this name, if it has a manifest.

        Raises:
            InputMissing: Files of it are gone or cut.
            BadUsage: The manifest is another program's.
        """
        try:
            content, _ = object_store.read(self._target / MANIFEST)
        except FileNotFoundError:
            return None
        manifest = Manifest.read(content)
        if manifest is None:
            raise BadUsage(f"{self} has a manifest that this Songlake cannot read.", "Remove it, or export to another prefix.")
        _require_whole(self, manifest, {path: found.size for path, found in self._stored.items()})
        return manifest

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep nobody out: two exports of this name write the same rows, and those of other names go elsewhere."""
        object_store.require_credentials(self._root)
        yield

    def earlier(self) -> Manifest | None:
        """Read what an export of this name that broke off noted."""
        try:
            return Manifest.read(object_store.read(self._target / _UNFINISHED)[0])
        except FileNotFoundError:
            return None

    def others(self) -> list[str]:
        """Name exports of other states that are written now, or broke off and are left lying."""
        keys = {found.place.key for found in object_store.objects_below(self._root)}
        begun = {key.removesuffix(f"/{_UNFINISHED}") for key in keys if key.endswith(f"/{_UNFINISHED}")}
        return sorted(str(ObjectPath(self._root.bucket, key)) for key in begun - {self._target.key} if f"{key}/{MANIFEST}" not in keys)

    def holds(self, file: File) -> bool:
        """Whether an object is there with the bytes that its digest tells."""
        found = self._stored.get(file.path)
        if found is None or found.size != file.bytes:
            return False
        digest = sha256()
        with object_store.open_listed(found.place, found.size, found.etag) as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest() == file.sha256

    def clear(self, kept: set[str]) -> None:
        """Remove nothing: objects come whole, so whatever is not kept is written again under the same name."""

    @contextmanager
    def new_file(self, path: str) -> Iterator[Path]:
        """Give a file of this machine to write to; it is an object once the block ends.

        It has no name in any folder, only as this process's open file, so that nothing of it is left where the process is killed.
        """
        with tempfile.TemporaryFile() as file:
            place = Path(f"/proc/self/fd/{file.fileno()}")
            yield place
            object_store.write(self._target / path, place)

    def record(self, manifest: Manifest) -> None:
        """Note what is written, for whoever goes on."""
        object_store.write(self._target / _UNFINISHED, manifest.as_bytes())

    def finish(self, manifest: Manifest) -> None:
        """Let the export count."""
        object_store.write(self._target / MANIFEST, manifest.as_bytes())
        object_store.remove(self._target / _UNFINISHED)

    @cached_property
    def _stored(self) -> dict[str, StoredObject]:
        found = object_store.objects_below(self._target)
        return {each.place.key.removeprefix(f"{self._target.key}/"): each for each in found}


def place_of(root: Location, name: str) -> Folder | Prefix:
    """Give the place of the export of this name below `root`."""
    return Prefix(root, name) if isinstance(root, ObjectPath) else Folder(root, name)


@contextmanager
def told(root: Location) -> Iterator[None]:
    """Say in two sentences why files cannot be written.

    Raises:
        InputMissing: The folder cannot be made or written to, or its disk is full; or that of files on their way to an object store.
    """
    try:
        yield
    except OSError as error:
        name = "Set TMPDIR to" if isinstance(root, ObjectPath) else "Name"
        raise InputMissing(
            f"The export to {root} cannot be written: {error.strerror or error} ({error.filename or 'no file named'}).",
            f"{name} a folder that this user may write to, with room enough, and run again: it goes on from the files that are whole.",
        ) from error


def _require_whole(place: Folder | Prefix, manifest: Manifest, sizes: dict[str, int]) -> None:
    damaged = [file.path for table in manifest.tables for file in table.files if sizes.get(file.path) != file.bytes]
    if damaged:
        raise InputMissing(
            f"The finished export {place} was changed: {damaged[0]} is gone or has another size.", "Remove the export and run again."
        )


def _below(folder: Path) -> dict[str, Path]:
    return {str(place.relative_to(folder)): place for place in folder.rglob("*") if not place.is_dir()}
