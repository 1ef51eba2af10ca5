"""HTTP/1.1 over plain sockets: a target goes out byte for byte, where clients would normalise or refuse it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30.0
# A server ends connections that rest for a while; what has rested this long is not used again.
REST = 1.0
AT_ONCE = 4


@dataclass(frozen=True)
class Ask:
    """A request: its method, its target as bytes, and headers besides `Host`."""

    method: str
    target: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """The answer to `ask`; header names are in lower case."""

    ask: Ask
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def type(self) -> str:
        """The content type without parameters; "" where there is none."""
        return self.headers.get("content-type", "").partition(";")[0]


class Wire:
    """Connections to one server, one for each thread, kept while the server keeps them."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._address = (str(parts.hostname), int(parts.port or 80))
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._sockets: list[socket.socket] = []

    def send(self, method: str, target: bytes | str, headers: Mapping[str, str] | None = None) -> Reply:
        """Send one request and return its answer."""
        raw = target if isinstance(target, bytes) else target.encode("ascii")
        return self._send(Ask(method, raw, headers or {}))

    def all(self, asked: Iterable[Ask]) -> list[Reply]:
        """Send requests, some at a time, and return their answers in the same order."""
        return list(self._pool.map(self._send, asked))

    def close(self) -> None:
        """Close every connection."""
        self._pool.shutdown()
        for one in self._sockets:
            one.close()

    def _send(self, ask: Ask) -> Reply:
        lines = [f"Host: {self._address[0]}", *(f"{name}: {value}" for name, value in ask.headers.items())]
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        one = self._connected()
        one.sendall(ask.method.encode() + b" " + ask.target + b" HTTP/1.1\r\n" + head + b"\r\n")
        response = http.client.HTTPResponse(one, method=ask.method)
        response.begin()
        body = response.read()
        if not response.will_close:
            self._local.kept = (one, time.monotonic())
        return Reply(ask, response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def _connected(self) -> socket.socket:
        one, used = getattr(self._local, "kept", (None, 0.0))
        self._local.kept = (None, 0.0)
        if one is None or time.monotonic() - used > REST:
            one = socket.create_connection(self._address, SECONDS)
            self._sockets.append(one)
        return one
