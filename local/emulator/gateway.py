"""What stands in front of the emulator: one port for both the AWS endpoint and the APIs that programs create.

On AWS every API has a host name of its own. Names below `.localhost` do not resolve in every C library, so here the
APIs are told apart by path: requests that AWS clients sign go to the emulator as they are, all others to an API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

STAGE = "$default"
# The local cloud's own requests, which are no visits to report.
OWN_AGENT = "counter-local"
_EMULATOR_PATHS = ("/_ministack/", "/_localstack/", "/_aws/", "/restapis/")
_EMULATOR_HEADERS = (b"x-amz-target", b"x-amz-date")
_OWN_HOSTS = ("127.0.0.1", "localhost")
_LONGEST_ANSWER = 2_000


def api_id(number: int) -> str:
    """Return the id of the API that was created as the `number`th, from 1: eight hexadecimal digits."""
    return f"{number:08x}"


def api_address(origin: str, number: int) -> str:
    """Return an API's address: the first is at the root, where its pages' links and bookmarks are short."""
    return origin if number == 1 else f"{origin}/api-{number}"


def find_api(path: bytes) -> tuple[str, bytes]:
    """Return the id of the API that a path addresses, and the path inside that API."""
    head, _, rest = path.removeprefix(b"/").partition(b"/")
    number = head.removeprefix(b"api-")
    if number != head and number.isdigit() and 1 < int(number) < 0x100000000:
        return api_id(int(number)), b"/" + rest
    return api_id(1), path


def is_for_api(scope: Scope) -> bool:
    """Tell whether a request comes from an API's client: not signed, and to no address that is the emulator's own."""
    if scope["type"] != "http" or scope["path"].startswith(_EMULATOR_PATHS):
        return False
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").partition(":")[0]
    if host not in _OWN_HOSTS or any(name in headers for name in _EMULATOR_HEADERS):
        return False
    signed = headers.get(b"authorization", b"").startswith(b"AWS") or b"X-Amz-Signature=" in scope["query_string"]
    return not signed


class Gateway:
    """The ASGI application: sends a request to its API or to the emulator, and reports those to APIs."""

    def __init__(self, emulator: App, report: Callable[[dict[str, Any]], None]) -> None:
        self._emulator = emulator
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if is_for_api(scope):
            await self._serve_api(scope, receive, send)
        else:
            await self._emulator(scope, receive, send)

    async def _serve_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        status = 0
        body = b""

        async def watch(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and len(body) <= _LONGEST_ANSWER:
                body += message.get("body", b"")
            await send(message)

        api, raw_path = find_api(scope.get("raw_path") or scope["path"].encode())
        _, path = find_api(scope["path"].encode())
        prefix = f"/_aws/execute-api/{api}/{STAGE}"
        inner = {**scope, "path": prefix + path.decode(), "raw_path": prefix.encode() + raw_path}
        await self._emulator(inner, receive, watch)
        if (b"user-agent", OWN_AGENT.encode()) in scope["headers"]:
            return
        self._report(
            {
                "event": "request",
                "method": scope["method"],
                "path": raw_path.decode("latin-1"),
                "status": status,
                "milliseconds": round(1000 * (time.monotonic() - started)),
                "answer": _read_answer(body),
            }
        )


def _read_answer(body: bytes) -> object:
    if len(body) > _LONGEST_ANSWER:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None
