"""Which requests go to an API, to which, and what is reported of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.gateway import (
    USER_AGENT,
    Gateway,
    Message,
    Scope,
    WaitingLine,
    api_address,
    api_id,
    find_api,
    is_for_api,
)
from tests.running import run_async


def scope(path: str = "/", *, host: str = "127.0.0.1:4566", query: bytes = b"", **headers: str) -> Scope:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"host", host.encode()), *named],
    }


SIGNED_FOR_API = "AWS4-HMAC-SHA256 Credential=AKIA/20260102/eu-west-1/execute-api/aws4_request, SignedHeaders=host"


@pytest.mark.parametrize(
    "request_scope",
    [
        scope("/"),
        scope("/tag/tech", host="localhost:4566"),
        scope("/api-2/tag/x"),
        scope("/tag/x", authorization="Bearer token"),
        scope("/health"),
        scope("/badge/x", query=b"label=%C3%97%9B\xff&count"),
        scope("/counts", authorization=SIGNED_FOR_API, x_amz_date="20260102T030405Z"),
        scope("/counts", query=b"X-Amz-Credential=AKIA%2F20260102%2Feu-west-1%2Fexecute-api%2Faws4_request"),
        scope("/counts", x_amz_date="20260102T030405Z"),
        scope("/counts", authorization="Basic QVdTNC06eA=="),
        scope("/", host="0.0.0.0:4566"),
        scope("/", host="LOCALHOST:4566"),
        scope("/", host="localhost.:4566"),
        scope("/", host="[::1]:4566"),
        scope("/", host=""),
        scope("/", host="host.docker.internal:4566"),
        scope("/", host="f00-ba2.tunnel.example"),
        scope("/", host="s3.example.org"),
        scope("/", host="app.localhost:4566"),
        scope("/", host="counter.example.org"),
        scope("/", host="\xff\xfe"),
        {**scope("/"), "headers": []},
    ],
)
def test_requests_that_are_unsigned_or_signed_for_an_api_go_to_it(request_scope: Scope) -> None:
    assert is_for_api(request_scope)


@pytest.mark.parametrize(
    "request_scope",
    [
        scope("/", authorization="AWS4-HMAC-SHA256 Credential=test/..."),
        scope("/bucket/key", query=b"X-Amz-Signature=abc"),
        scope("/", authorization=SIGNED_FOR_API.replace("execute-api", "lambda"), x_amz_date="20260102T030405Z"),
        scope("/_aws/execute-api/00000001/$default/", authorization=SIGNED_FOR_API),
        scope("/", authorization=SIGNED_FOR_API, host="00000001.execute-api.localhost:4566"),
        scope("/?X-Amz-Credential=execute-api", query=b"X-Amz-Credential=a%2Fs3%2Faws4_request&X-Amz-Signature=b"),
        scope("/", x_amz_target="DynamoDB_20120810.GetItem"),
        scope("/_ministack/ready"),
        scope("/_aws/execute-api/00000001/$default/"),
        scope("/", host="00000001.execute-api.localhost:4566"),
        scope("/", host="00000001.EXECUTE-API.localhost:4566"),
        scope("/key", host="bucket.s3.localhost:4566"),
        scope("/key", host="bucket.s3.eu-west-1.localhost:4566"),
        scope("/key", host="bucket.s3-website.eu-west-1.localhost:4566"),
        scope("/", host="0123.lambda-url.eu-west-1.localhost:4566"),
        scope("/", host="balancer.alb.localhost:4566"),
        scope("/", host="s3.eu-west-1.amazonaws.com"),
        scope("/", host="0123.lambda-url.eu-west-1.on.aws"),
        scope("/", host="host.docker.internal:4566", authorization="AWS4-HMAC-SHA256 Credential=test/..."),
        scope("/", authorization="AWS AKIA:signature"),
        scope("/bucket/key", query=b"AWSAccessKeyId=AKIA&Signature=abc&Expires=1"),
        {"type": "lifespan"},
        {**scope("/"), "type": "websocket"},
    ],
)
def test_all_others_go_to_the_emulator(request_scope: Scope) -> None:
    assert not is_for_api(request_scope)


def test_custom_domain_goes_to_the_emulator() -> None:
    request_scope = scope("/", host="Counter.example.org:443")
    assert is_for_api(request_scope)
    assert not is_for_api(request_scope, lambda host: host == "counter.example.org")


@pytest.mark.parametrize(
    ("path", "api", "inner"),
    [
        (b"/", 1, b"/"),
        (b"/tag/a%2Fb/", 1, b"/tag/a%2Fb/"),
        (b"//tag", 1, b"//tag"),
        (b"/api-2", 2, b"/"),
        (b"/api-2/", 2, b"/"),
        (b"/api-31/tag/x/", 31, b"/tag/x/"),
        (b"/api-1/x", 1, b"/api-1/x"),
        (b"/api-0/x", 1, b"/api-0/x"),
        (b"/api-x/x", 1, b"/api-x/x"),
        (b"/api-99999999999999999999/x", 1, b"/api-99999999999999999999/x"),
        (b"/api-/x", 1, b"/api-/x"),
    ],
)
def test_apis_are_told_apart_by_path(path: bytes, api: int, inner: bytes) -> None:
    assert find_api(path) == (api_id(api), inner)


def test_the_first_api_is_at_the_root_and_others_below_it() -> None:
    assert [api_address("http://h", number) for number in (1, 2, 3)] == ["http://h", "http://h/api-2", "http://h/api-3"]
    assert find_api(api_address("", 7).encode() + b"/a") == (api_id(7), b"/a")


class Emulator:
    """Stands for the emulator: notes what it is asked and answers with a body."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def serve(request_scope: Scope, body: bytes = b'{"count": 1}') -> tuple[Emulator, list[dict[str, Any]], list[Message]]:
    emulator = Emulator(body)
    events: list[dict[str, Any]] = []
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    run_async(Gateway(emulator, events.append)(request_scope, receive, send))
    return emulator, events, sent


def test_an_apis_request_reaches_its_default_stage_unchanged() -> None:
    request_scope = {**scope("/api-2/tag/é/"), "raw_path": b"/api-2/tag/%C3%A9/"}
    emulator, _, sent = serve(request_scope)
    inner = emulator.scopes[0]
    assert inner["path"] == "/_aws/execute-api/00000002/$default/tag/é/"
    assert inner["raw_path"] == b"/_aws/execute-api/00000002/$default/tag/%C3%A9/"
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


def test_a_request_that_is_signed_for_an_api_keeps_the_path_and_the_host_that_were_signed() -> None:
    request_scope = {**scope("/api-2/tag/é", authorization=SIGNED_FOR_API), "raw_path": b"/api-2/tag/%C3%A9"}
    emulator, events, _ = serve(request_scope)
    inner = emulator.scopes[0]
    assert inner["path"] == "/_aws/execute-api/00000002/$default/tag/é"
    assert inner["raw_path"] == b"/api-2/tag/%C3%A9"
    assert (b"host", b"127.0.0.1:4566") in inner["headers"]
    assert events[0]["path"] == "/tag/%C3%A9"


def test_an_apis_request_is_reported_with_its_answer() -> None:
    _, events, _ = serve(scope("/tag/x"))
    assert len(events) == 1
    milliseconds = events[0].pop("milliseconds")
    assert milliseconds >= 0
    expected = {"event": "request", "method": "GET", "path": "/tag/x", "status": 201, "answer": {"count": 1}}
    assert events[0] == expected


@pytest.mark.parametrize("body", [b"<html>", b'"' + b"x" * 3000 + b'"', b"\xff"])
def test_an_answer_that_is_long_or_not_json_is_left_out(body: bytes) -> None:
    _, events, sent = serve(scope("/"), body)
    assert events[0]["answer"] is None
    assert sent[1]["body"] == body


@pytest.mark.parametrize(("method", "lengths"), [("HEAD", []), ("GET", [b"0"])])
def test_head_has_no_length_of_an_empty_body(method: str, lengths: list[bytes]) -> None:
    async def answer(_scope: Scope, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", b"0"), (b"A", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    run_async(Gateway(answer, lambda _: None)({**scope("/"), "method": method}, receive, send))
    assert [value for name, value in sent[0]["headers"] if name == b"Content-Length"] == lengths
    assert (b"A", b"b") in sent[0]["headers"]


def test_neither_own_nor_signed_requests_are_reported() -> None:
    emulator, events, _ = serve(scope("/", user_agent=USER_AGENT))
    assert emulator.scopes[0]["path"].startswith("/_aws/")
    assert events == []
    emulator, events, _ = serve(scope("/", authorization="AWS4-HMAC-SHA256 x"))
    assert emulator.scopes[0]["path"] == "/"
    # As if it had come over TLS, which policies may demand.
    assert emulator.scopes[0]["scheme"] == "https"
    assert events == []


NEVER = 3600.0


class BusyEmulator:
    """Stands for the emulator: notes who came in, reads a request whole, and keeps it until it is told to answer."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.inside = 0
        self.most = 0
        self.bodies: dict[str, bytes] = {}
        self.may_answer: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        path = scope["raw_path"].decode().removeprefix("/_aws/execute-api/00000001/$default")
        self.entered.append(path)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            body = b""
            while (message := await receive())["type"] == "http.request":
                body += message["body"]
                if not message["more_body"]:
                    break
            self.bodies[path] = body
            await self.may_answer.setdefault(path, asyncio.Event()).wait()
            if path.startswith("/fails"):
                raise ConnectionError(path)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.inside -= 1

    def answer(self, path: str) -> None:
        self.may_answer.setdefault(path, asyncio.Event()).set()


class Clients:
    """Clients of a gateway with two places."""

    def __init__(self, stall: float = NEVER) -> None:
        self.emulator = BusyEmulator()
        self.events: list[dict[str, Any]] = []
        self.gateway = Gateway(self.emulator, self.events.append, WaitingLine(2, stall))
        self.sent: dict[str, asyncio.Queue[Message]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def request(self, path: str, *chunks: bytes, complete: bool = True, signed: bool = False) -> None:
        """Begin a request with what it sends at once, and let everyone get as far as they can."""
        queue = self.sent[path] = asyncio.Queue()
        for chunk in chunks:
            queue.put_nowait({"type": "http.request", "body": chunk, "more_body": True})
        if complete:
            queue.put_nowait({"type": "http.request", "body": b"", "more_body": False})

        async def send(_: Message) -> None:
            pass

        sent_scope = scope(path, authorization="AWS4-HMAC-SHA256 x") if signed else scope(path)
        self.tasks[path] = asyncio.create_task(self.gateway(sent_scope, queue.get, send))
        await settle()

    async def send(self, path: str, chunk: bytes) -> None:
        """Send the rest of a request."""
        self.sent[path].put_nowait({"type": "http.request", "body": chunk, "more_body": False})
        await settle()

    async def close(self, path: str) -> None:
        """Close a client's connection, as the server tells it."""
        self.sent[path].put_nowait({"type": "http.disconnect"})
        await settle()

    async def answer(self, *paths: str) -> None:
        for path in paths:
            self.emulator.answer(path)
            await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        run_async(asyncio.wait_for(test(), 5))

    run.__name__ = test.__name__
    return run


@in_a_loop
async def test_as_many_requests_are_let_in_as_there_are_places_and_the_others_in_order() -> None:
    clients = Clients()
    paths = [f"/{number}" for number in range(10)]
    for path in paths:
        await clients.request(path)
    assert clients.emulator.entered == paths[:2]
    await clients.answer("/1")
    assert clients.emulator.entered == paths[:3]
    await clients.answer(*paths)
    await asyncio.gather(*clients.tasks.values())
    assert clients.emulator.entered == paths
    assert clients.emulator.most == 2
    assert [event["status"] for event in clients.events] == [200] * 10


@in_a_loop
async def test_a_client_that_closes_its_connection_gives_up_its_place_in_line() -> None:
    clients = Clients()
    for path in ("/a", "/b", "/gone", "/c"):
        await clients.request(path)
    await clients.close("/gone")
    assert clients.tasks["/gone"].done()
    await clients.answer("/a")
    assert clients.emulator.entered == ["/a", "/b", "/c"]
    await clients.answer("/b", "/c")
    await asyncio.gather(*clients.tasks.values())
    # What has not been served is not reported as if it had been.
    assert [event["path"] for event in clients.events] == ["/a", "/b", "/c"]
    await clients.request("/later")
    assert clients.emulator.entered[-1] == "/later"


@in_a_loop
async def test_body_arrives_whole_after_waiting() -> None:
    clients = Clients()
    for path in ("/a", "/b"):
        await clients.request(path)
    await clients.request("/slow", b"one ", b"two ", complete=False)
    await clients.send("/slow", b"three")
    assert "/slow" not in clients.emulator.entered
    await clients.answer("/a")
    assert clients.emulator.bodies["/slow"] == b"one two three"
    await clients.answer("/b", "/slow")
    await asyncio.gather(*clients.tasks.values())


@in_a_loop
async def test_half_sent_bodies_take_no_place() -> None:
    clients = Clients()
    for number in range(20):
        await clients.request(f"/half{number}", b"half", complete=False)
    await clients.request("/whole")
    assert clients.emulator.entered == ["/whole"]
    await clients.send("/half7", b" and half")
    assert clients.emulator.bodies["/half7"] == b"half and half"
    await clients.close("/half8")
    assert clients.tasks["/half8"].done()
    await clients.answer("/whole", "/half7")
    assert [event["path"] for event in clients.events] == ["/whole", "/half7"]
    for task in clients.tasks.values():
        task.cancel()


@in_a_loop
async def test_a_request_that_fails_or_is_cancelled_frees_its_place() -> None:
    clients = Clients()
    for path in ("/fails", "/b", "/cancelled", "/c", "/d"):
        await clients.request(path)
    clients.tasks["/cancelled"].cancel()
    await clients.answer("/fails")
    assert clients.emulator.entered == ["/fails", "/b", "/c"]
    clients.tasks["/b"].cancel()
    await settle()
    assert clients.emulator.entered[-1] == "/d"
    await clients.answer("/c", "/d")
    results = await asyncio.gather(*clients.tasks.values(), return_exceptions=True)
    assert [type(result) for result in results] == [
        ConnectionError, asyncio.CancelledError, asyncio.CancelledError, type(None), type(None),
    ]  # fmt: skip


@in_a_loop
async def test_what_functions_ask_of_aws_never_waits() -> None:
    clients = Clients()
    for path in ("/a", "/b", "/waits"):
        await clients.request(path)
    for number in range(5):
        await clients.request(f"/signed{number}", signed=True)
    assert clients.emulator.entered == ["/a", "/b", *(f"/signed{number}" for number in range(5))]
    for task in clients.tasks.values():
        task.cancel()


@in_a_loop
async def test_requests_that_wait_for_each_other_come_to_an_end() -> None:
    clients = Clients(stall=0.02)
    for path in ("/outer1", "/outer2", "/inner1", "/inner2"):
        await clients.request(path)
    assert clients.emulator.entered == ["/outer1", "/outer2"]
    # The outer ones answer when the inner ones have, as a function does that calls its own API.
    for number in (1, 2):
        while f"/inner{number}" not in clients.emulator.entered:
            await asyncio.sleep(0.005)
        await clients.answer(f"/inner{number}", f"/outer{number}")
    await asyncio.gather(*clients.tasks.values())
    assert [event["status"] for event in clients.events] == [200] * 4


@given(places=st.integers(1, 3), steps=st.lists(st.integers(-1, 6), max_size=40))
def test_the_line_is_first_come_first_served_whatever_happens(places: int, steps: list[int]) -> None:
    async def act() -> None:
        line = WaitingLine(places, NEVER)
        there: list[asyncio.Future[None]] = []
        inside: list[asyncio.Future[None]] = []
        for step in steps:
            if step < 0 or not there:
                there.append(line.join())
            else:
                gone = there.pop(step % len(there))
                line.leave(gone)
                inside = [ticket for ticket in inside if ticket is not gone]
            # Whoever is in stays in; free places go to those who have waited longest.
            inside += [ticket for ticket in there if ticket not in inside][: places - len(inside)]
            assert [ticket for ticket in there if ticket.done()] == [ticket for ticket in there if ticket in inside]

    asyncio.run(act())
