"""What Spark needs of Kubernetes, on this machine: an API that keeps pods, and runs each as a process by the image's entry point.

It is no Kubernetes: nothing is scheduled, isolated or refused. It shows what is asked for and whether what was asked for works.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.e2e.conftest import kill_group
from tests.sparkenv import PROJECT

DRIVER = "songlake-driver-1"


@dataclass
class Kubernetes:
    """One namespace.

    Attributes:
        logs: Where the pods' output goes.
        asked: Verb and resource of every request.
        created: The pods as they were asked for.
    """

    logs: Path
    asked: set[tuple[str, str]] = field(default_factory=set)
    created: list[dict[str, Any]] = field(default_factory=list)
    pods: dict[str, dict[str, Any]] = field(default_factory=lambda: {DRIVER: _running({"metadata": {"name": DRIVER}, "spec": {}})})
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    url: str = ""

    def create(self, pod: dict[str, Any]) -> dict[str, Any]:
        """Run a pod's one container as a process of this machine."""
        self.created.append(json.loads(json.dumps(pod)))
        (container,) = pod["spec"]["containers"]
        given = {one["name"]: one.get("value", "127.0.0.1") for one in container["env"]}
        name = pod["metadata"]["name"]
        with (self.logs / name).open("w") as log:
            self.processes[name] = subprocess.Popen(
                [PROJECT / "docker/entrypoint.sh", *container["args"]],
                env={"PATH": os.environ["PATH"], **given},
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                cwd="/",
                start_new_session=True,
            )
        self.pods[name] = _running(pod)
        return self.pods[name]

    def delete(self, name: str) -> None:
        """End a pod."""
        if self.pods.pop(name, None) and (process := self.processes.pop(name, None)):
            kill_group(process)


def _running(pod: dict[str, Any]) -> dict[str, Any]:
    ready = {"phase": "Running", "podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
    about = {**pod["metadata"], "namespace": "songlake", "uid": pod["metadata"]["name"], "resourceVersion": "1"}
    return {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": about, "status": ready}


class _Api(BaseHTTPRequestHandler):
    """Answers what Spark asks; who watches is told nothing, and so asks for the list now and then."""

    protocol_version = "HTTP/1.1"
    kubernetes: Kubernetes
    over: threading.Event

    def _answer(self, found: dict[str, Any] | None, code: int = 200) -> None:
        body = json.dumps(found or {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 404}).encode()
        self.send_response(code if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _noted(self, verb: str) -> tuple[str, str]:
        """Note a request; give its resource and the name in it, if it has one."""
        parts = re.fullmatch(r"/api/v1/namespaces/songlake/(\w+)/?([\w-]*)", urlsplit(self.path).path)
        resource, name = parts.groups() if parts else (self.path, "")
        self.kubernetes.asked.add((verb, resource))
        return resource, name

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if asked.get("watch") == ["true"]:
            self._noted("watch")
            key = f"{self.headers['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
            self.end_headers()
            self.over.wait()
            self.close_connection = True
            return
        named = re.search(r"pods/[\w-]+$", urlsplit(self.path).path)
        _, name = self._noted("get" if named else "list")
        if named:
            self._answer(self.kubernetes.pods.get(name))
            return
        of_driver = DRIVER in asked.get("fieldSelector", [""])[0]
        found = [pod for name, pod in self.kubernetes.pods.items() if (name == DRIVER) == of_driver]
        self._answer({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": found})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        resource, _ = self._noted("create")
        self._answer(self.kubernetes.create(body) if resource == "pods" else None, 201)

    def do_DELETE(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, name = self._noted("delete" if re.search(r"pods/[\w-]+$", urlsplit(self.path).path) else "deletecollection")
        for one in [name] if name else [one for one in self.kubernetes.pods if one != DRIVER]:
            self.kubernetes.delete(one)
        self._answer({"apiVersion": "v1", "kind": "Status", "status": "Success"})

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._noted("patch")
        self._answer(None)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def kubernetes(logs: Path) -> Iterator[Kubernetes]:
    """Serve the API on a free port."""
    logs.mkdir()
    made, over = Kubernetes(logs), threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (_Api,), {"kubernetes": made, "over": over}))
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        over.set()
        server.shutdown()
        for name in list(made.processes):
            made.delete(name)
