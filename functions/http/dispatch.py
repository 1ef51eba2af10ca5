"""From an event to a response: the routing table chooses the operation, and every error becomes a problem.

API Gateway has a route for each operation of the OpenAPI document and sends everything else to `welcome`: HEAD,
OPTIONS, other methods, unknown paths. This module therefore decides how each path handles each method, for all
functions alike.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ..dynamodb.client import is_transient
from ..dynamodb.retries import UnreadItemsError
from ..dynamodb.spread import MalformedCountError
from .problems import ProblemError, unavailable
from .requests import Request, read
from .responses import Response, data, page, problem_response, response
from .routes import Route, find

logger = logging.getLogger(__name__)


def head_of_read(request: Request) -> Response:
    """Answer a HEAD of an operation that returns JSON or a page, without reading the database."""
    return page("") if request.wants_html else data({})


class Operation(NamedTuple):
    """The two responders of an operation of the OpenAPI document.

    `head` answers a HEAD: with the headers of the GET, without counting or reading anything. The body is discarded.
    """

    respond: Callable[[Request], Response]
    head: Callable[[Request], Response] = head_of_read


Operations = Mapping[str, Operation]
"""Operations by their `operationId`."""


def dispatch(event: Mapping[str, Any], own: Operations, others: Callable[[], Operations] = dict) -> Response:
    """Answer `event` with one of the function's `own` operations, or with a problem; never with a stack trace.

    `others` returns the operations of the other functions. Only HEAD requests of these arrive here.
    """
    request: Request | None = None
    try:
        request = read(event)
        answer = _respond(request, own, others)
    except Exception as error:
        problem = _problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(error, MalformedCountError):
            logger.exception("request failed", extra={"status": int(problem.status)})
        answer = problem_response(problem, request)
    # RFC 9110, section 9.3.2.
    return answer | {"body": ""} if request and request.method == "HEAD" else answer


def _respond(request: Request, own: Operations, others: Callable[[], Operations]) -> Response:
    route = find(request)
    if route is None:
        detail = (
            "There is no such route; /openapi.json lists all routes. A tag must not contain a slash, encoded or not."
        )
        raise ProblemError(HTTPStatus.NOT_FOUND, detail, path=request.path[:200])
    if route.has_tag:
        # An invalid tag is reported before an unsupported method.
        _ = request.tag
    name = route.operation(request.method)
    if name is None:
        return _unsupported_method(request, route)
    operation = own[name] if name in own else others()[name]
    return operation.head(request) if request.method == "HEAD" else operation.respond(request)


def _unsupported_method(request: Request, route: Route) -> Response:
    allow = {"Allow": route.allowed}
    if request.method == "OPTIONS":
        return response("text/plain", "", HTTPStatus.NO_CONTENT, allow)
    detail = f"{route.template} does not support {request.method}; allowed: {route.allowed}. Nothing was counted."
    raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, allow)


def _problem_of(error: Exception) -> ProblemError:
    """Return the problem that describes `error` without internal details."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, UnreadItemsError) or is_transient(error):
        return unavailable("The database is busy or unavailable. Try again.")
    if isinstance(error, MalformedCountError):
        return ProblemError(HTTPStatus.CONFLICT, str(error))
    detail = "An unexpected error occurred. The function's log has the details."
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
