"""Retries over real sockets: a visit whose response is lost must not be sent again."""

import re
import socket
import threading
from collections.abc import Iterator

import pytest

from functions import record_visit
from functions.dynamodb import client as database
from tests.functions.conftest import forget, forget_clients
from tests.functions.gateway import request


class SilentServer:
    """A server that reads every request completely and closes the connection without a response."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                head, _, body = self._read(connection, b"").partition(b"\r\n\r\n")
                length = int((re.search(rb"content-length: *(\d+)", head, re.IGNORECASE) or [b"", b"0"])[1])
                while len(body) < length:
                    body += connection.recv(65_536)
                target = re.search(rb"x-amz-target: *\w+\.(\w+)", head, re.IGNORECASE)
                self.requests.append(target[1].decode() if target else "")

    def _read(self, connection: socket.socket, received: bytes) -> bytes:
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        return received


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentServer]:
    server = SilentServer()
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{server.port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "NO_PROXY": "127.0.0.1",
        "TABLE_NAME": "visits",
        "IDEMPOTENCY_TABLE_NAME": "visits-idempotency",
    }.items():
        monkeypatch.setenv(name, value)

    forget()
    forget_clients()
    yield server
    server.close()
    forget()
    forget_clients()


@pytest.mark.parametrize(("method", "path"), [("POST", "/tag/a"), ("GET", "/tags/a"), ("GET", "/badge/a")])
def test_visit_without_a_key_is_sent_once(method: str, path: str, server: SilentServer) -> None:
    answer = request(method, path)
    assert server.requests == ["UpdateItem"]
    assert answer.status == 503
    assert "may not have been counted; retrying may count it twice" in answer.json["detail"]


def test_read_is_retried(server: SilentServer) -> None:
    assert request("GET", "/counts/a").status == 503
    assert server.requests == ["BatchGetItem"] * database.MAX_ATTEMPTS


def test_visit_with_a_key_is_retried_while_time_is_left(server: SilentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_visit, "RETRY_SECONDS", 1.0)
    answer = request("POST", "/tag/a", {"Idempotency-Key": "key"})
    assert answer.status == 503
    assert "it will be counted once" in answer.json["detail"]
    assert len(server.requests) > 1
