"""An S3 endpoint on this machine that verifies signatures, as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-north-1"
BUCKET = "lab"
_EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


@dataclass
class Objects:
    """An empty bucket and who may use it.

    Attributes:
        address: Of the endpoint.
        key: Access key and secret of its only user.
        client: boto3's client of that user.
    """

    address: str
    key: tuple[str, str]
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        """What a command finds the bucket by."""
        access, secret = self.key
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
        }


@contextmanager
def object_store(folder: Path) -> Iterator[Objects]:
    """Start moto's server; it lists two files a page, so that every list has several."""
    setup = 4  # requests without verification: the user, the key, the policy, the bucket
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(setup), "MOTO_S3_DEFAULT_MAX_KEYS": "2"}
    with (folder / "moto.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], stdout=log, stderr=log, env=environment
        )
    try:
        while not (found := re.search(r"Running on (http://127\.0\.0\.1:\d+)\s", (folder / "moto.log").read_text())):
            assert server.poll() is None, (folder / "moto.log").read_text()
            time.sleep(0.05)
        address = found[1]
        root = {"endpoint_url": address, "region_name": REGION, "aws_access_key_id": "root", "aws_secret_access_key": "secret"}
        iam = boto3.client("iam", **root)
        iam.create_user(UserName="jobs")
        made = iam.create_access_key(UserName="jobs")["AccessKey"]
        iam.put_user_policy(UserName="jobs", PolicyName="all", PolicyDocument=_EVERYTHING)
        boto3.client("s3", **root).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        key = (made["AccessKeyId"], made["SecretAccessKey"])
        client = boto3.client("s3", endpoint_url=address, region_name=REGION, aws_access_key_id=key[0], aws_secret_access_key=key[1])
        yield Objects(address, key, client)
    finally:
        server.kill()
        server.wait()
