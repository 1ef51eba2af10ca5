"""From an event to an answer: the routing table chooses the operation, and what goes wrong becomes a problem.

API Gateway has a route for each operation of the OpenAPI document, and sends everything else to `welcome`: HEAD,
OPTIONS, other methods, unknown paths. So what a path does with a method is decided here, for all functions alike.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ..dynamodb.client import is_transient
from ..dynamodb.retries import UnreadItemsError
from .problems import ProblemError, unavailable
from .requests import Request, read
from .responses import Response, data, page, problem_response, response
from .routes import Route, find

logger = logging.getLogger(__name__)


def headers_of_read(request: Request) -> Response:
    """Answer a HEAD of an operation that answers with JSON or a page, without asking the database."""
    return page("") if request.wants_html else data({})


class Operation(NamedTuple):
    """How an operation of the OpenAPI document is answered, and how a HEAD is, which must not count or read anything.

    The answer to a HEAD has the headers of the GET; its body is left out.
    """

    respond: Callable[[Request], Response]
    head: Callable[[Request], Response] = headers_of_read


Operations = Mapping[str, Operation]
"""Operations by their `operationId`."""


def answer(event: Mapping[str, Any], own: Operations, others: Callable[[], Operations] = dict) -> Response:
    """Answer `event` with the function's `own` operations, or with a problem; never with a stack trace.

    `others` gives the operations of the other functions, of which only HEAD requests come here.
    """
    request: Request | None = None
    try:
        request = read(event)
        given = _respond(request, own, others)
    except Exception as error:
        # Whatever went wrong, the client gets a problem and the log its cause.
        problem = _problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.exception("request failed", extra={"status": int(problem.status)})
        given = problem_response(problem, request)
    # RFC 9110, section 9.3.2.
    return given | {"body": ""} if request and request.method == "HEAD" else given


def _respond(request: Request, own: Operations, others: Callable[[], Operations]) -> Response:
    route = find(request)
    if route is None:
        detail = "There is no such route; /openapi.json lists them. A tag must not contain a slash, encoded or not."
        raise ProblemError(HTTPStatus.NOT_FOUND, detail, path=request.path[:200])
    if route.has_tag:
        # Whatever the method: an invalid tag is refused before a method that the path does not take.
        _ = request.tag
    name = route.operation(request.method)
    if name is None:
        return _other_method(request, route)
    operation = own[name] if name in own else others()[name]
    return operation.head(request) if request.method == "HEAD" else operation.respond(request)


def _other_method(request: Request, route: Route) -> Response:
    allow = {"Allow": route.allowed}
    if request.method == "OPTIONS":
        return response("text/plain", "", HTTPStatus.NO_CONTENT, allow)
    detail = f"{request.method} is not a method of {route.template}; allowed are {route.allowed}. Nothing was counted."
    raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, allow)


def _problem_of(error: Exception) -> ProblemError:
    """Return what to answer when `error` ended a request. Nothing that is not meant for clients is shown."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, UnreadItemsError) or is_transient(error):
        return unavailable("The database is busy or unavailable. Try again.")
    detail = "An unexpected error occurred. The function's log has the details."
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
