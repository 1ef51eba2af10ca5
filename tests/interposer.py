"""A server between functions and DynamoDB, through which a test delays or rejects the requests it chooses."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

READS = ("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems")
_HOP_HEADERS = ("connection", "content-length", "transfer-encoding")


@dataclass(frozen=True)
class Request:
    """A request to DynamoDB: the operation, its parameters, and the tables that it names."""

    operation: str
    parameters: dict[str, Any]

    @property
    def kind(self) -> str:
        """Whether DynamoDB's capacity for reads or for writes is used: `Read` or `Write`."""
        return "Read" if self.operation in READS else "Write"

    @property
    def tables(self) -> list[str]:
        """The table of each action of a transaction, or of the request."""
        actions = [part for item in self.parameters.get("TransactItems", ()) for part in item.values()]
        named = [part["TableName"] for part in actions or [self.parameters] if "TableName" in part]
        return [*named, *self.parameters.get("RequestItems", ())]

    def mentions(self, text: str) -> bool:
        """Whether a text, such as a tag, is anywhere in the parameters."""
        return json.dumps(text) in json.dumps(self.parameters)


@dataclass(frozen=True)
class Rejection:
    """The error that a request is answered with."""

    code: str
    message: str = "rejected by the test"
    reasons: tuple[str, ...] = ()


def throttle(request: Request, table: str) -> Rejection:
    """Return the error with which DynamoDB rejects a request that exceeds a table's capacity."""
    if request.operation == "TransactWriteItems":
        reasons = tuple("ThrottlingError" if one == table else "None" for one in request.tables)
        return Rejection("TransactionCanceledException", reasons=reasons)
    return Rejection("ProvisionedThroughputExceededException")


DENIED = Rejection("AccessDeniedException", "not authorized to perform this action")
Rule = Callable[[Request], "Rejection | float | None"]
"""What happens to a request: an error, a delay in seconds, or nothing."""


class Interposer:
    """Serves as DynamoDB's endpoint on the loopback interface.

    Requests pass unchanged, unless the rule delays or rejects them.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._rule: Rule = lambda _: None
        # Otherwise, urllib would send requests through the environment's proxies.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        interposer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = interposer.answer(dict(self.headers.items()), body)
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in _HOP_HEADERS:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @contextmanager
    def rule(self, rule: Rule) -> Iterator[None]:
        """Apply a rule within the context."""
        self._rule = rule
        try:
            yield
        finally:
            self._rule = lambda _: None

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer a request by the rule, or as the emulator does."""
        request = Request(headers.get("X-Amz-Target", "").partition(".")[2], json.loads(body or b"{}"))
        found = self._rule(request)
        if isinstance(found, Rejection):
            said: dict[str, Any] = {
                "__type": f"com.amazonaws.dynamodb.v20120810#{found.code}",
                "message": found.message,
                "Message": found.message,
            }
            if found.reasons:
                said["CancellationReasons"] = [{"Code": reason} for reason in found.reasons]
            return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(said).encode()
        if found is not None:
            time.sleep(found)
        # The signature covers the header Host, so it is passed on unchanged.
        passed = urllib.request.Request(self._origin, data=body, headers=headers, method="POST")
        try:
            with self._opener.open(passed, timeout=30) as response:
                return response.status, dict(response.headers.items()), response.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers.items()), error.read()
