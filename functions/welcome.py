"""Lambda function that greets, serves the API's document, and answers every request that has no route of its own."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from .dynamodb import tables
from .dynamodb.client import client
from .dynamodb.items import DynamoDB
from .http.dispatch import Operation, Operations, answer
from .http.requests import Request
from .http.responses import Response, data, page, response
from .http.routes import document

MESSAGE = "Welcome: visits are counted here, per tag and in total."

ROBOTS = "User-agent: *\nDisallow: /tag/\nDisallow: /tags/\nDisallow: /badge/\n"
"""Asks crawlers (RFC 9309) not to record visits. They fetch it only from a host's root."""

ROBOTS_CACHE_CONTROL = "public, max-age=3600"

DESCRIPTION_TTL_SECONDS = 60.0
"""How long a process caches the table's description, which DynamoDB updates every six hours."""


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request for the greeting, the document or a file, and any that has no route."""
    return answer(event, OPERATIONS, _others)


def describe(database: DynamoDB, table: str) -> dict[str, Any]:
    """Return what clients may know about the main table: not its ARN, which contains the account number."""
    described = database.describe_table(TableName=table)["Table"]
    created = described.get("CreationDateTime")
    return {
        "name": described["TableName"],
        "status": described["TableStatus"],
        "itemCount": int(described.get("ItemCount", 0)),
        "sizeBytes": int(described.get("TableSizeBytes", 0)),
        "createdAt": created.isoformat() if created else None,
        "streamViewType": described.get("StreamSpecification", {}).get("StreamViewType"),
    }


@dataclass
class Description:
    """A table's description, read again once it is older than `DESCRIPTION_TTL_SECONDS`. `clock` returns seconds."""

    database: DynamoDB
    table: str
    clock: Callable[[], float] = time.monotonic
    _known: tuple[float, dict[str, Any]] | None = None

    def get(self) -> dict[str, Any]:
        """Return the description. Errors are raised and not cached."""
        now = self.clock()
        if self._known is None or now - self._known[0] >= DESCRIPTION_TTL_SECONDS:
            self._known = now, describe(self.database, self.table)
        return self._known[1]


@cache
def _description() -> Description:
    return Description(client(), tables.table_name())


def _greeting(request: Request) -> Response:
    echo = {"method": request.method, "path": request.path, "query": dict(request.query)}
    table = _description().get()
    if request.wants_html:
        from .pages.templates import welcome_page  # noqa: PLC0415 - most requests need no page

        # The one page that search engines may show: it holds no count.
        return page(welcome_page(MESSAGE, table, echo, request.root), {"X-Robots-Tag": "all"})
    return data({"message": MESSAGE, "table": table, "request": echo})


def _document(request: Request) -> Response:  # noqa: ARG001 - an operation
    return response("application/json", document())


def _robots(request: Request) -> Response:  # noqa: ARG001 - an operation
    return response("text/plain; charset=utf-8", ROBOTS, headers={"Cache-Control": ROBOTS_CACHE_CONTROL})


def _static(name: str, request: Request) -> Response:
    from .pages.static import serve  # noqa: PLC0415 - most requests need no file

    return serve(name, request.query.get("v", ""))


def _own(respond: Callable[[Request], Response]) -> Operation:
    # A HEAD costs no more than the GET here.
    return Operation(respond, respond)


OPERATIONS: Operations = {
    "welcome": _own(_greeting),
    "openapi": _own(_document),
    "robots": _own(_robots),
    "stylesheet": _own(partial(_static, "counter.css")),
    "script": _own(partial(_static, "counter.js")),
    "icon": _own(partial(_static, "icon.svg")),
}
"""What this function answers, by the OpenAPI document's `operationId`."""


def _others() -> Operations:
    from . import record_visit, view_counts  # noqa: PLC0415 - only a HEAD of their paths needs them

    return {**record_visit.OPERATIONS, **view_counts.OPERATIONS}
