"""Lambda function that greets, serves the OpenAPI document and static files, and handles requests without a route."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from .counting.tags import validate_tag
from .dynamodb import tables
from .dynamodb.client import client, create_in_init_phase
from .dynamodb.items import DynamoDB
from .http import routes
from .http.dispatch import Operation, Operations, dispatch
from .http.requests import Request
from .http.responses import Response, data, moved, page, stored

MESSAGE = "Welcome. This API counts visits, per tag and in total."

ROBOTS = "User-agent: *\nDisallow: /tag/\nDisallow: /tags/\nDisallow: /badge/\n"
"""Asks crawlers (RFC 9309) not to record visits. They fetch this file only from the root of a host."""

ROBOTS_CACHE_CONTROL = "public, max-age=3600"

DOCUMENT_CACHE_CONTROL = "no-cache"
"""Clients may store the document, but must ask whether it is current."""

DESCRIPTION_TTL_SECONDS = 60.0
"""How long a process caches the table's description. DynamoDB itself updates its numbers every six hours."""


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request for the greeting, the document or a static file, or a request without a route."""
    return dispatch(event, OPERATIONS, _other_functions)


def describe(database: DynamoDB, table: str) -> dict[str, Any]:
    """Return the public description of the main table. It omits the ARN, which contains the account number."""
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
    """A table's description, cached for `DESCRIPTION_TTL_SECONDS`. `clock` returns seconds."""

    database: DynamoDB
    table: str
    clock: Callable[[], float] = time.monotonic
    _cached: tuple[float, dict[str, Any]] | None = None

    def get(self) -> dict[str, Any]:
        """Return the description. Errors are not cached."""
        now = self.clock()
        if self._cached is None or now - self._cached[0] >= DESCRIPTION_TTL_SECONDS:
            self._cached = now, describe(self.database, self.table)
        return self._cached[1]


@cache
def _description() -> Description:
    return Description(client(), tables.table_name())


def _greeting(request: Request) -> Response:
    if request.wants_html:
        return _start_page(request)
    return data({"message": MESSAGE, "table": _description().get(), "request": _echo(request)})


def _start_page(request: Request) -> Response:
    from .pages.templates import count_link, leading_page, welcome_page  # noqa: PLC0415 - most requests need no page

    tag = validate_tag(request.query["tag"]) if "tag" in request.query else ""
    if tag and routes.FEATURES.read.kind == "NONE":
        link = count_link(tag, request.root)
        return moved(link, leading_page(tag, link, request.root), {})
    html = welcome_page(_description().get(), _echo(request), request.root, tag)
    # The only page that search engines may index: it shows no count.
    return page(html, {} if tag else {"X-Robots-Tag": "all"})


def _echo(request: Request) -> dict[str, Any]:
    return {"method": request.method, "path": request.path, "query": dict(request.query)}


def _document(request: Request) -> Response:
    return stored(request, "application/json", routes.document(), DOCUMENT_CACHE_CONTROL)


def _robots(request: Request) -> Response:
    return stored(request, "text/plain; charset=utf-8", ROBOTS, ROBOTS_CACHE_CONTROL)


def _static(name: str, request: Request) -> Response:
    from .pages.static import serve  # noqa: PLC0415 - most requests need no file

    return serve(name, request)


def _same_for_head(respond: Callable[[Request], Response]) -> Operation:
    return Operation(respond, respond)


OPERATIONS: Operations = {
    "welcome": _same_for_head(_greeting),
    "openapi": _same_for_head(_document),
    "robots": _same_for_head(_robots),
    "stylesheet": _same_for_head(partial(_static, "counter.css")),
    "script": _same_for_head(partial(_static, "counter.js")),
    "icon": _same_for_head(partial(_static, "icon.svg")),
}
"""The operations of this function, by the OpenAPI document's `operationId`."""


def _other_functions() -> Operations:
    from . import record_visit, view_counts  # noqa: PLC0415 - only a HEAD of their paths needs them

    return {**record_visit.OPERATIONS, **view_counts.OPERATIONS}


create_in_init_phase(client)
