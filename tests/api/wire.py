"""HTTP/1.1 over plain sockets: targets are sent byte for byte, while HTTP clients would normalise or reject some."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.answers import Answer

TIMEOUT_SECONDS = 30.0
# Servers close idle connections, so a connection idle for this long is not reused.
MAX_IDLE_SECONDS = 1.0
CONCURRENCY = 4


@dataclass(frozen=True)
class Ask:
    """A request: its method, its target as bytes, and headers besides `Host`."""

    method: str
    target: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply(Answer[bytes]):
    """The answer to `ask`."""

    ask: Ask

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Wire:
    """Connections to one server: one per thread, reused while the server keeps it open."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._address = (str(parts.hostname), int(parts.port or 80))
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(CONCURRENCY)
        self._sockets: list[socket.socket] = []

    def send(self, method: str, target: bytes | str, headers: Mapping[str, str] | None = None) -> Reply:
        """Send one request and return its answer."""
        raw = target if isinstance(target, bytes) else target.encode("ascii")
        return self._send(Ask(method, raw, headers or {}))

    def all(self, requests: Iterable[Ask]) -> list[Reply]:
        """Send requests concurrently, and return their answers in the same order."""
        return list(self._pool.map(self._send, requests))

    def close(self) -> None:
        """Close every connection."""
        self._pool.shutdown()
        for connection in self._sockets:
            connection.close()

    def _send(self, ask: Ask) -> Reply:
        lines = [f"Host: {self._address[0]}", *(f"{name}: {value}" for name, value in ask.headers.items())]
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        connection = self._connect()
        connection.sendall(ask.method.encode() + b" " + ask.target + b" HTTP/1.1\r\n" + head + b"\r\n")
        response = http.client.HTTPResponse(connection, method=ask.method)
        response.begin()
        body = response.read()
        if not response.will_close:
            self._local.idle = (connection, time.monotonic())
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, body, ask)

    def _connect(self) -> socket.socket:
        """Return this thread's idle connection, or a new one if it has none or the idle one is too old."""
        connection, used = getattr(self._local, "idle", (None, 0.0))
        self._local.idle = (None, 0.0)
        if connection is None or time.monotonic() - used > MAX_IDLE_SECONDS:
            connection = socket.create_connection(self._address, TIMEOUT_SECONDS)
            self._sockets.append(connection)
        return connection
