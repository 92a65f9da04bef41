"""A web server on this machine that keeps files, knows ranges, and fails as it is told to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What the server has and how it behaves; paths are as they stand in the request.

    Attributes:
        files: Content and time of modification by path.
        breaks_after: So many bytes of a path's answer are sent before the line breaks, once for each number.
        changes_to: What a path holds from then on.
        slow: Paths whose second half waits for `go_on`.
        busy: So many requests for a path get 503 first.
        get_only: Paths that HEAD may not ask for, as where an address is signed.
        asked: Requests in their order: method, path, range.
    """

    address: str = ""
    files: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    breaks_after: dict[str, list[int]] = field(default_factory=dict)
    changes_to: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    get_only: set[str] = field(default_factory=set)
    busy: Counter[str] = field(default_factory=Counter)
    go_on: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def put(self, path: str, content: bytes, time: float = 1_541_000_000) -> None:
        self.files[path] = (content, time)

    def forget(self) -> None:
        self.asked.clear()

    def gets(self) -> list[tuple[str, str | None]]:
        """Path and range of every file that was asked for, but for lists."""
        return [(path, asked) for method, path, asked in self.asked if method == "GET" and "list" not in path]


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_HEAD(self) -> None:
            if self.path in web.get_only:
                self._refuse(403)
            else:
                self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _refuse(self, status: int) -> None:
            web.asked.append((self.command, self.path, None))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _answer(self) -> None:
            if web.busy[self.path] > 0:
                web.busy[self.path] -= 1
                return self._refuse(503)
            if self.path.startswith("/moved"):
                return self._refuse(301)
            if self.path not in web.files:
                return self._refuse(404)
            content, time = web.files[self.path]
            etag, asked = f'"{md5(content).hexdigest()}"', self.headers["Range"]
            web.asked.append((self.command, self.path, asked))
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.headers["If-Range"] == etag else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            for name, value in (
                ("Content-Length", str(len(content) - start)),
                ("Last-Modified", formatdate(time, usegmt=True)),
                ("ETag", etag),
            ):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self._send(content[start:])
            return None

        def _send(self, content: bytes) -> None:
            half = len(content) // 2
            if breaks := web.breaks_after.get(self.path):
                self.wfile.write(content[: breaks.pop(0)])
                web.files.update({path: to for path, to in web.changes_to.items() if path == self.path})
                self.close_connection = True
            elif self.path in web.slow:
                self.wfile.write(content[:half])
                self.wfile.flush()
                web.waiting.set()
                web.go_on.wait(600)
                self.wfile.write(content[half:])
            else:
                self.wfile.write(content)

    return Handler


@contextmanager
def web_server() -> Iterator[Web]:
    """Serve until the block ends."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that are killed are the point
    web.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.go_on.set()
        server.shutdown()
        server.server_close()
