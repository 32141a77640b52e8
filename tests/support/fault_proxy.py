"""An HTTP proxy before a store: it counts the requests, makes them slow, and has some fail."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.support.store_requests import PART_KINDS, astray, refuse_first, target_of

KINDS = ("503", "dropped", "lost")
# Headers that belong to one connection, or that each side makes itself.
_OWN_HEADERS = frozenset(
    {"connection", "transfer-encoding", "keep-alive", "content-length", "expect", "date", "server"}
)


class HttpFault(NamedTuple):
    """Requests that fail.

    Attributes:
        request: regular expression that is found in its method and its target, with a blank between them; see
            `target_of`.
        kind: "503", an answer that the service is not available; "dropped", the connection breaks before the store has
            the request; "lost", it breaks after the store has done it; "slow", which is no failure, it takes a second
            longer; or one of `PART_KINDS`, for the first part of a batch.
        times: how many of those requests fail, from the first.
    """

    request: str
    kind: str
    times: int = 1


class FaultProxy:
    """Passes requests on to a server of this machine.

    Attributes:
        url: of the proxy.
        log: method and target of the requests since the last `plan`, in order.
        hits: requests that have failed, or were slow.
        delay: seconds that each request takes longer.
    """

    def __init__(self) -> None:
        self.upstream = 0
        self._lock = threading.Lock()
        self.plan()
        self.delay = 0.0
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def plan(self, *faults: HttpFault) -> None:
        """Counts from the start, and has other requests fail, or none."""
        self._left = {fault: fault.times for fault in faults}
        self.log: list[tuple[str, str]] = []
        self._spans: list[tuple[str, float, float]] = []
        self.hits = 0

    def choose(self, method: str, target: str) -> str | None:
        """Counts a request; gives the kind of failure where it is to fail."""
        with self._lock:
            self.log.append((method, target))
            for fault, left in self._left.items():
                if left and re.search(fault.request, f"{method} {target}"):
                    self._left[fault] -= 1
                    self.hits += 1
                    return fault.kind
            return None

    @contextlib.contextmanager
    def spanning(self, target: str) -> Iterator[None]:
        """Notes when a request is under way: while the body runs."""
        begin = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._spans.append((target, begin, time.monotonic()))

    def most_at_once(self, pattern: str) -> int:
        """How many requests were under way at the same time, of those whose targets match a regular expression."""
        spans = [span for target, *span in self._spans if re.search(pattern, target)]
        return max((sum(begin <= moment < end for begin, end in spans) for moment, _ in spans), default=0)

    @contextlib.contextmanager
    def running(self) -> Iterator[FaultProxy]:
        """Serves while the body runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # Connections beyond these would wait for a second.

    def handle_error(self, *request: Any) -> None:
        """Prints nothing where a client has gone before it had its answer: a run that fails does not wait for all."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _handle(self) -> None:
        body = self._read_body()
        target = target_of(self.path, self.headers, body)
        kind = self.proxy.choose(self.command, target)
        with self.proxy.spanning(target):
            time.sleep(self.proxy.delay + (kind == "slow"))
            if kind == "503":
                self._answer(503, [], b"")
            elif kind == "dropped":
                self._break()
            else:
                self._pass_on(body, kind)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _pass_on(self, body: bytes, kind: str | None) -> None:
        spoil = refuse_first(kind, body) if kind in PART_KINDS else bytes
        body = astray(body) if kind in PART_KINDS else body
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=60)) as connection:
            headers = {name: text for name, text in self.headers.items() if name.lower() not in _OWN_HEADERS}
            connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            content = spoil(answer.read())
            if kind == "lost":
                self._break()
            else:
                self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        length = str(len(content))
        for name, text in headers:
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, text)
            elif name.lower() == "content-length" and self.command == "HEAD":
                length = text
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _break(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _handle  # noqa: N815
