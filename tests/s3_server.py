"""An S3 endpoint on this machine, moto in a process of its own, that fails on demand: `python -m tests.s3_server PORT`.

PUT /_faults with `{"status": 503, "times": 3, "path": "regular expression", "seconds": 0}` makes the next matching requests fail, or wait.
GET /_requests lists method, path with query, If-None-Match and If-Match of each since it was asked last.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

Answer = Callable[[str, list[tuple[str, str]]], Any]


class Faulty:
    """Moto behind a door that can be told to fail."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._fault: dict[str, Any] = {"times": 0}
        self._requests: list[tuple[str, str, str, str]] = []

    def __call__(self, environ: dict[str, Any], answer: Answer) -> Iterable[bytes]:
        path = environ["PATH_INFO"] + ("?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else "")
        if path == "/_faults":
            self._fault = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            return self._say(answer, b"")
        if path == "/_requests":
            told, self._requests = self._requests, []
            return self._say(answer, json.dumps(told).encode())
        conditions = environ.get("HTTP_IF_NONE_MATCH", ""), environ.get("HTTP_IF_MATCH", "")
        self._requests.append((environ["REQUEST_METHOD"], path, *conditions))
        fault = self._due_fault(environ["REQUEST_METHOD"] + " " + path)
        if fault:
            time.sleep(fault.get("seconds", 0))
            if fault.get("applied"):
                list(self._moto(environ, lambda *_: None))
            if fault.get("cut"):
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                return []
            if "status" in fault:
                if not fault.get("applied"):
                    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                answer(f"{fault['status']} made to fail", [("Content-Type", "application/xml")])
                return [f"<Error><Code>{fault.get('code', 'SlowDown')}</Code><Message>as asked</Message></Error>".encode()]
        return self._moto(environ, answer)

    def _due_fault(self, request: str) -> dict[str, Any] | None:
        with self._lock:
            if self._fault["times"] <= 0 or not re.search(self._fault.get("path", ""), request):
                return None
            self._fault["times"] -= 1
            return self._fault

    def _say(self, answer: Answer, content: bytes) -> Iterable[bytes]:
        answer("200 OK", [("Content-Type", "application/json")])
        return [content]


class Quiet(WSGIRequestHandler):
    """Writes no line a request, and keeps connections open, as S3 does."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), Faulty(), threaded=True, request_handler=Quiet)
