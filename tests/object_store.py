"""An object store for tests, started once a run, and a world whose landing zone and lake are in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from spark_jobs import object_store, pipeline, settings
from spark_jobs.console import Stages
from spark_jobs.locations import ObjectPath
from tests.sparkenv import PROJECT, use_endpoint
from tests.world import World


@contextmanager
def endpoint() -> Iterator[ObjectStore]:
    """Start the object store; it ends with the block."""
    url = use_endpoint()
    process = subprocess.Popen([sys.executable, "-m", "tests.s3_server", url.rpartition(":")[2]], cwd=PROJECT, stderr=subprocess.DEVNULL)
    try:
        store = ObjectStore(url)
        store.wait()
        yield store
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class ObjectStore:
    """The running endpoint."""

    url: str

    def wait(self) -> None:
        for _ in range(100):
            try:
                self.requests()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(self.url)

    def bucket(self) -> ObjectPath:
        """Make a bucket."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return ObjectPath(name)

    @property
    def client(self) -> Any:
        """Another client than the product's."""
        return boto3.client("s3", endpoint_url=self.url)

    def fail(self, times: int = 1, path: str = "", **fault: Any) -> None:
        """Let the next requests fail whose method and path fit: `status` and `code`, or `seconds` to wait."""
        body = json.dumps({"times": times, "path": path, **fault}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/_faults", data=body, method="PUT"), timeout=10).read()

    def requests(self) -> list[tuple[str, str, str, str]]:
        """Method, path, If-None-Match and If-Match of every request since this was asked last."""
        with urllib.request.urlopen(f"{self.url}/_requests", timeout=10) as told:
            return [tuple(one) for one in json.load(told)]


@dataclass
class ObjectWorld(World):
    """A world whose landing zone and lake are in an object store; the oracle watches a copy on disk."""

    bucket: ObjectPath = field(default_factory=lambda: ObjectPath("none"))

    @property
    def lake(self) -> ObjectPath:  # type: ignore[override]
        return self.bucket / "lake"

    @property
    def zone(self) -> ObjectPath:
        """The landing zone as the product sees it."""
        return self.bucket / "landing"

    def write(self, path: str, content: bytes | str | Iterable[dict[str, Any]], mtime: float | None = None) -> Path:
        """Write an object; its time is the store's."""
        target = super().write(path, content, mtime)
        place = self.zone / path
        object_store.write(place, target.read_bytes())
        written = object_store.written_at(place).timestamp()
        os.utime(target, (written, written))
        return target

    def settings(self) -> settings.Settings:
        os.environ["WAREHOUSE_URL"] = self.url
        try:
            return settings.load(landing=str(self.zone), lake=str(self.lake))
        finally:
            del os.environ["WAREHOUSE_URL"]

    def run(self) -> pipeline.Summary:
        self.deliveries.observe(self.landing)
        return pipeline.run(self.settings(), Stages())
