"""The gateway in front of the emulator: one port for both the AWS endpoint and the APIs that programs create.

On AWS every API has a host name of its own. Names below `.localhost` do not resolve in every C library, so here the
APIs are told apart by path: requests that AWS clients sign go to the emulator as they are, all others to an API,
whatever name this machine has for them. So do requests that are signed for an API itself (`execute-api`), as its routes
with the authorization AWS_IAM require. Names of the emulator's own, such as `bucket.s3.localhost`, stay with it.

The emulator starts a process for every request that finds none idle. Fifty of them starting at once leave each other so
little of a machine that requests time out. So here APIs' requests, once they are complete, wait in line until a place
is free.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from .internals import OWN_PATHS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

STAGE = "$default"
# The local cloud's own requests, which are not reported.
USER_AGENT = "counter-local"
_EMULATORS_HOST = re.compile(
    r"(^|\.)(execute-api|lambda-url|s3|s3-[a-z0-9-]+|s3express-[a-z0-9-]+|cloudfront|alb|aoss|iot|appsync-[a-z-]+)"
    r"(\.[a-z0-9-]+)*\.localhost$"
    r"|(^|\.)(amazonaws\.com|amazonaws\.com\.cn|on\.aws|cloudfront\.net)$"
)
_MAX_ANSWER_BYTES = 2_000


def _cores() -> int:
    # A container may have fewer than the machine; not every system has the call.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Measured with 300 requests, 50 at once, right after the start: without a limit some fail in most runs, with this none.
PLACES = 2 * _cores()
"""How many requests of APIs' clients are in the emulator at once: two for each core."""

STALL_SECONDS = 2.0
"""Seconds without a free place after which the next in line goes in all the same."""


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


def is_for_api(scope: Scope, is_domain: Callable[[str], bool] = lambda _: False) -> bool:
    """Tell whether a request comes from an API's client.

    It is not signed, or for an API, and to no address that is the emulator's own. `is_domain` tells whether a host is
    the custom domain of an API, which the emulator finds itself.
    """
    if scope["type"] != "http" or scope["path"].startswith(OWN_PATHS):
        return False
    headers = dict(scope["headers"])
    host = host_name(headers.get(b"host", b""))
    if _EMULATORS_HOST.search(host) or is_domain(host):
        return False
    return is_signed_for_api(scope) or not (is_signed(scope) or b"x-amz-target" in headers)


def host_name(header: bytes) -> str:
    """Return the name or address in a Host header, in lower case and without port."""
    host = header.decode("latin-1").strip().lower()
    return host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0].rstrip(".")


def is_signed(scope: Scope) -> bool:
    """Tell whether a request is signed for AWS, in a header or in the query. A date alone is no signature."""
    header: bytes = dict(scope["headers"]).get(b"authorization", b"")
    query: bytes = scope["query_string"]
    return header.startswith((b"AWS4-", b"AWS ")) or b"X-Amz-Signature=" in query or b"AWSAccessKeyId=" in query


def is_signed_for_api(scope: Scope) -> bool:
    """Tell whether a request is signed (Signature Version 4) for `execute-api`, in a header or in the query."""
    header: bytes = dict(scope["headers"]).get(b"authorization", b"")
    if header.startswith(b"AWS4-"):
        return b"/execute-api/aws4_request" in header
    # Any byte may stand in a query, encoded or not.
    query: dict[str, str] = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return query.get("X-Amz-Credential", "").endswith("/execute-api/aws4_request")


class WaitingLine:
    """Lets `places` requests in at once; the others wait, in the order in which they came.

    A function may call an API itself, and so wait for a request that stands in line behind it; others just take long.
    So whenever `stall` seconds pass in which no place became free, the next in line goes in nevertheless.
    """

    def __init__(self, places: int, stall: float) -> None:
        self._places = places
        self._stall = stall
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def join(self) -> asyncio.Future[None]:
        """Join the line; the ticket is done once its holder may go in. Every ticket must be given to `leave`."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        if self._inside < self._places:
            self._admit()
        elif not self._timer:
            self._restart_timer()
        return ticket

    def leave(self, ticket: asyncio.Future[None]) -> None:
        """Give up one's place, inside or in line."""
        if not ticket.done():
            self._waiting.remove(ticket)
            return
        self._inside -= 1
        if self._waiting and self._inside < self._places:
            self._admit()
        self._restart_timer()

    def _admit(self) -> None:
        self._inside += 1
        self._waiting.popleft().set_result(None)

    def _restart_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._stall, self._end_stall) if self._waiting else None

    def _end_stall(self) -> None:
        if self._waiting:
            self._admit()
        self._restart_timer()


class Gateway:
    """The ASGI application: sends a request to its API or to the emulator, and reports those to APIs.

    Only requests to APIs are limited. Requests of functions to AWS never wait for them.
    """

    def __init__(
        self,
        emulator: App,
        report: Callable[[dict[str, Any]], None],
        line: WaitingLine | None = None,
        *,
        is_domain: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._emulator = emulator
        self._report = report
        self._line = line or WaitingLine(PLACES, STALL_SECONDS)
        self._is_domain = is_domain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if is_for_api(scope, self._is_domain):
            await self._serve_in_turn(scope, receive, send)
        else:
            # This port stands in for AWS's endpoints, which clients reach over TLS; so policies that demand TLS let
            # requests in. A request that names its protocol itself (X-Forwarded-Proto) keeps it.
            inner = {**scope, "scheme": "https"} if scope["type"] == "http" else scope
            await self._emulator(inner, receive, send)

    async def _serve_in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        # API Gateway invokes a function with the whole body, so a client that sends slowly needs no place until then.
        messages = await _read_request(receive)
        if messages[-1]["type"] == "http.disconnect":
            return
        ticket = self._line.join()
        try:
            if not ticket.done():
                await _wait(ticket, receive, messages)
            # A client that closes the connection while in line needs no answer.
            if ticket.done():
                await self._serve_api(scope, _replay(messages, receive), send, started)
        finally:
            self._line.leave(ticket)

    async def _serve_api(self, scope: Scope, receive: Receive, send: Send, started: float) -> None:
        status = 0
        body = b""

        async def watch(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
                if scope["method"] == "HEAD":
                    # The emulator's is that of the empty body; it would have to be that of the answer to a GET.
                    headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
                    message = {**message, "headers": headers}
            elif message["type"] == "http.response.body" and len(body) <= _MAX_ANSWER_BYTES:
                body += message.get("body", b"")
            await send(message)

        api, raw_path = find_api(scope.get("raw_path") or scope["path"].encode())
        _, path = find_api(scope["path"].encode())
        prefix = f"/_aws/execute-api/{api}/{STAGE}"
        inner = {**scope, "path": prefix + path.decode()}
        # The emulator routes by `path` and verifies signatures over `raw_path`, which must stay as it was signed.
        if not is_signed_for_api(scope):
            inner["raw_path"] = prefix.encode() + raw_path
        await self._emulator(inner, receive, watch)
        if (b"user-agent", USER_AGENT.encode()) in scope["headers"]:
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


async def _read_request(receive: Receive) -> list[Message]:
    """Read the messages of a request until it is complete or the client is gone."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


async def _wait(ticket: asyncio.Future[None], receive: Receive, messages: list[Message]) -> None:
    """Wait until the ticket is done or the client is gone, and add the message that was read meanwhile.

    Only reading shows that a client is gone.
    """

    async def read() -> None:
        messages.append(await receive())

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait({ticket, reading}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reading.cancel()
    # It must not read while the emulator does.
    await asyncio.wait({reading})


def _replay(messages: list[Message], receive: Receive) -> Receive:
    """Return a function that returns the messages that were read, and then reads further ones."""
    early = deque(messages)

    async def receive_all() -> Message:
        return early.popleft() if early else await receive()

    return receive_all


def _read_answer(body: bytes) -> object:
    if len(body) > _MAX_ANSWER_BYTES:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None
