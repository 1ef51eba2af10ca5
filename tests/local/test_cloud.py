"""Waiting for an API, whatever its first responses are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local.cloud import ApiError, wait_for_answer

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve the given statuses in order, the last of them for ever; gives the address."""
    servers: list[HTTPServer] = []

    def serve(*statuses: int) -> str:
        left = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.end_headers()
                self.wfile.write(b"a body")

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("statuses", [(200,), (404,), (500, 503, 200)])
def test_it_waits_for_a_response_that_is_not_a_failure(serve: Serve, statuses: tuple[int, ...]) -> None:
    wait_for_answer(serve(*statuses), 10)


def test_a_lasting_failure_is_reported_with_its_body(serve: Serve) -> None:
    with pytest.raises(ApiError, match="does not respond: status 500, a body"):
        wait_for_answer(serve(500), 0.3)


def test_an_unreachable_api_is_reported(serve: Serve) -> None:
    with pytest.raises(ApiError, match=r"http://127\.0\.0\.1:1/ does not respond: .*refused"):
        wait_for_answer("http://127.0.0.1:1/", 0.3)


def test_a_proxy_is_not_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    wait_for_answer(serve(200), 10)
