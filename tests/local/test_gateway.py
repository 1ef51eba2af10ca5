"""Which requests go to an API, to which, and what is reported of them."""

from __future__ import annotations

from typing import Any

import pytest

from local.emulator.gateway import OWN_AGENT, Gateway, Message, Scope, api_address, api_id, find_api, is_for_api
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


@pytest.mark.parametrize(
    "request_scope",
    [
        scope("/"),
        scope("/tag/tech", host="localhost:4566"),
        scope("/api-2/tag/x"),
        scope("/tag/x", authorization="Bearer token"),
        scope("/health"),
    ],
)
def test_unsigned_requests_go_to_an_api(request_scope: Scope) -> None:
    assert is_for_api(request_scope)


@pytest.mark.parametrize(
    "request_scope",
    [
        scope("/", authorization="AWS4-HMAC-SHA256 Credential=test/..."),
        scope("/bucket/key", query=b"X-Amz-Signature=abc"),
        scope("/", x_amz_target="DynamoDB_20120810.GetItem"),
        scope("/_ministack/ready"),
        scope("/_aws/execute-api/00000001/$default/"),
        scope("/", host="00000001.execute-api.localhost:4566"),
        {"type": "lifespan"},
        {**scope("/"), "type": "websocket"},
    ],
)
def test_all_others_go_to_the_emulator(request_scope: Scope) -> None:
    assert not is_for_api(request_scope)


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


def test_an_apis_request_is_reported_with_its_answer() -> None:
    _, events, _ = serve(scope("/tag/x"))
    assert len(events) == 1
    milliseconds = events[0].pop("milliseconds")
    assert milliseconds >= 0
    expected = {"event": "request", "method": "GET", "path": "/tag/x", "status": 201, "answer": {"count": 1}}
    assert events[0] == expected


@pytest.mark.parametrize("body", [b"<html>", b'"' + b"x" * 3000 + b'"', b"\xff"])
def test_an_answer_that_is_no_short_json_is_left_out(body: bytes) -> None:
    _, events, sent = serve(scope("/"), body)
    assert events[0]["answer"] is None
    assert sent[1]["body"] == body


def test_neither_own_nor_signed_requests_are_reported() -> None:
    emulator, events, _ = serve(scope("/", user_agent=OWN_AGENT))
    assert emulator.scopes[0]["path"].startswith("/_aws/")
    assert events == []
    emulator, events, _ = serve(scope("/", authorization="AWS4-HMAC-SHA256 x"))
    assert emulator.scopes[0]["path"] == "/"
    assert events == []
