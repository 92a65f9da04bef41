"""An object store for tests, a process of its own, and a world whose landing zone and lake are in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3

from spark_jobs import object_store, pipeline, settings
from spark_jobs.console import Stages
from spark_jobs.locations import ObjectPath
from tests.scratch import free_port, wait_until
from tests.sparkenv import PROJECT, use_endpoint
from tests.world import World

BUCKET = "lab"
_EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


@contextmanager
def endpoint() -> Iterator[ObjectStore]:
    """Start the object store that this process and its JVMs look for, which lets in anybody; it ends with the block."""
    url = use_endpoint()
    known = ObjectStore(url, os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    with _started(known) as store:
        yield store


@contextmanager
def verifying_endpoint() -> Iterator[ObjectStore]:
    """Start one that verifies the signatures of its only user, in another region, with an empty bucket `BUCKET`.

    It lists two objects a page, so that every list has several.
    """
    root = ObjectStore(f"http://127.0.0.1:{free_port()}", "eu-north-1", "root", "secret")
    setup = 4  # requests without verification: the user, the key, the policy, the bucket
    with _started(root, INITIAL_NO_AUTH_ACTION_COUNT=str(setup), MOTO_S3_DEFAULT_MAX_KEYS="2"):
        iam = root.client_of("iam")
        iam.create_user(UserName="jobs")
        made = iam.create_access_key(UserName="jobs")["AccessKey"]
        iam.put_user_policy(UserName="jobs", PolicyName="all", PolicyDocument=_EVERYTHING)
        root.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": root.region})
        yield replace(root, access_key=made["AccessKeyId"], secret=made["SecretAccessKey"])


@contextmanager
def _started(store: ObjectStore, **environment: str) -> Iterator[ObjectStore]:
    command = [sys.executable, "-m", "tests.s3_server", store.url.rpartition(":")[2]]
    process = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.DEVNULL, env=os.environ | environment)
    try:
        store.wait(process)
        yield store
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class ObjectStore:
    """The running endpoint, and who may use it."""

    url: str
    region: str
    access_key: str
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """What a command finds it by."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the process answers there; on a busy machine its imports take long."""

        def answers() -> bool:
            assert process.poll() is None, f"the object store of {self.url} has ended"
            with suppress(OSError):
                self.requests()
                return True
            return False

        assert wait_until(answers, 240), f"the object store of {self.url} does not answer"

    def bucket(self) -> ObjectPath:
        """Make a bucket."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return ObjectPath(name)

    @property
    def client(self) -> Any:
        """Another client than the product's."""
        return self.client_of("s3")

    def client_of(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret,
        )

    def fail(self, times: int = 1, path: str = "", **fault: Any) -> None:
        """Let the next requests fail whose method and path fit: `status` and `code`, or `seconds` to wait; tests/s3_server.py has more."""
        body = json.dumps({"times": times, "path": path, **fault}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/_faults", data=body, method="PUT"), timeout=60).read()

    def requests(self) -> list[tuple[str, str, str, str]]:
        """Method, path, If-None-Match and If-Match of every request since this was asked last."""
        with urllib.request.urlopen(f"{self.url}/_requests", timeout=60) as told:
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
