"""Answers, in the form that API Gateway expects of a function."""

import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from .problems import problem_of
from .requests import Request, read

logger = logging.getLogger(__name__)

Response = dict[str, Any]

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""On every answer: taken for what it says it is, leaks no address, and is of its moment."""

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: nothing but this API's own."""

OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'"


def response(
    content_type: str, body: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with `body`; `headers` are added to the usual ones or replace them."""
    named = HEADERS | {"Content-Type": content_type, "Content-Security-Policy": OTHER_POLICY} | dict(headers or {})
    return {"statusCode": int(status), "headers": named, "body": body, "isBase64Encoded": False}


def data(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer that depends on what the client accepts."""
    return response("application/json", _json(document), headers={"Vary": "Accept"} | dict(headers or {}))


def page(html: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page."""
    named = {"Vary": "Accept", "Content-Security-Policy": PAGE_POLICY} | dict(headers or {})
    return response("text/html; charset=utf-8", html, headers=named)


def answer(event: Mapping[str, Any], respond: Callable[[Request], Response]) -> Response:
    """Answer `event` with what `respond` returns, or with the problem that it raises; never with a stack trace.

    A HEAD is answered as a GET, without its body (RFC 9110, section 9.3.2).
    """
    method = ""
    try:
        request = read(event)
        method = request.method
        given = respond(request)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, a client gets a problem and the log its cause
        given = _problem(error)
    return given | {"body": ""} if method == "HEAD" else given


def _problem(error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed", exc_info=error, extra={"status": int(problem.status)})
    return response("application/problem+json", _json(problem.document()), problem.status, problem.headers)


def _json(document: Mapping[str, Any]) -> str:
    # ASCII only: text with a lone surrogate, which an echo may hold, has no other form that can be sent.
    return json.dumps(document, separators=(",", ":"))
