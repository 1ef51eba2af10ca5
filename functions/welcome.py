"""Lambda function that greets, serves the API's document, and answers whatever no other route takes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from .counting.listing import asked
from .counting.tags import checked
from .dynamodb import tables
from .dynamodb.client import client
from .dynamodb.items import DynamoDB
from .http import routes
from .http.problems import ProblemError
from .http.requests import Request
from .http.responses import Response, answer, data, page, response

MESSAGE = "Welcome: visits are counted here, per tag and in total."

ROBOTS = "User-agent: *\nDisallow: /tag/\nDisallow: /tags/\nDisallow: /badge/\n"
"""What asks crawlers (RFC 9309) not to record visits. They fetch it from a host's root alone."""

ROBOTS_KEPT = "public, max-age=3600"

REMEMBERED = 60.0
"""Seconds for which a process answers with one description of the table, which DynamoDB renews every six hours."""


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request for the greeting, the document, or something unknown."""
    return answer(event, _respond)


def describe(database: DynamoDB, table: str) -> dict[str, Any]:
    """Return what may be known of the main table, without its ARN, which names the account."""
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
    """The description of a table, asked for again once it is older than `REMEMBERED`. `clock` gives seconds."""

    database: DynamoDB
    table: str
    clock: Callable[[], float] = time.monotonic
    _known: tuple[float, dict[str, Any]] | None = None

    def get(self) -> dict[str, Any]:
        """Return the description; a failure is raised, and the next request asks again."""
        now = self.clock()
        if self._known is None or now - self._known[0] >= REMEMBERED:
            self._known = now, describe(self.database, self.table)
        return self._known[1]


@cache
def _description() -> Description:
    return Description(client(), tables.table_name())


def _respond(request: Request) -> Response:
    found = routes.find(request.route, request.method, request.path, request.mapped)
    if found is None:
        detail = "There is no such route; /openapi.json lists them. A tag must not contain a slash, encoded or not."
        raise ProblemError(HTTPStatus.NOT_FOUND, detail, path=request.path[:200])
    template, methods = found
    if "{tag}" in template:
        # An empty tag, which no route takes, or a method that none has.
        checked(request.path.rpartition("/")[2])
    if request.method == "OPTIONS":
        return response("text/plain", "", HTTPStatus.NO_CONTENT, {"Allow": _allow(methods)})
    if request.method not in methods | {"HEAD"}:
        detail = f"{request.method} is not a method of {template}; allowed are {_allow(methods)}. Nothing was counted."
        raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": _allow(methods)})
    if template == "/openapi.json":
        return response("application/json", routes.document())
    if template == "/robots.txt":
        return response("text/plain; charset=utf-8", ROBOTS, headers={"Cache-Control": ROBOTS_KEPT})
    if template.startswith("/static/"):
        from .pages.static import serve  # noqa: PLC0415 - most requests need no file

        return serve(template.removeprefix("/static/"), request.query.get("v", ""))
    if template == "/":
        return _greeting(request)
    return _head(request, template)


def _head(request: Request, template: str) -> Response:
    """Answer a HEAD of what another function answers: the headers are the same, and nothing is counted."""
    if template.startswith("/badge/"):
        from .pages.badge import UNCACHED, options  # noqa: PLC0415 - most requests need no badge

        options(request.query)
        return response("image/svg+xml; charset=utf-8", "", headers=UNCACHED)
    if template == "/counts":
        asked(request.query)
    return page("") if request.wants_html else data({})


def _greeting(request: Request) -> Response:
    echo = {"method": request.method, "path": request.path, "query": dict(request.query)}
    table = _description().get()
    if request.wants_html:
        from .pages.templates import welcome_page  # noqa: PLC0415 - most requests need no page

        # The one page that search engines may show: it holds no count.
        return page(welcome_page(MESSAGE, table, echo, request.root), {"X-Robots-Tag": "all"})
    return data({"message": MESSAGE, "table": table, "request": echo})


def _allow(methods: frozenset[str]) -> str:
    return ", ".join(sorted(methods | {"HEAD", "OPTIONS"}))
