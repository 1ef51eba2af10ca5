"""Responses, in the form that API Gateway expects from a function."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from .problems import ProblemError
from .requests import Request

Response = dict[str, Any]

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""On every response: no content sniffing, no referrer, no caching, no search engines."""

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Pages may load only this API's own files."""

OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'"


def response(
    content_type: str, body: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response with `body`. `headers` are added to the default ones or replace them."""
    named = HEADERS | {"Content-Type": content_type, "Content-Security-Policy": OTHER_POLICY} | dict(headers or {})
    return {"statusCode": int(status), "headers": named, "body": body, "isBase64Encoded": False}


def data(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response. It varies with the `Accept` header."""
    return response("application/json", _json(document), headers={"Vary": "Accept"} | dict(headers or {}))


def page(html: str, headers: Mapping[str, str] | None = None, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a page."""
    named = {"Vary": "Accept", "Content-Security-Policy": PAGE_POLICY} | dict(headers or {})
    return response("text/html; charset=utf-8", html, status, named)


def moved(location: str, html: str, headers: Mapping[str, str]) -> Response:
    """Return the response to a form: a redirect, so reloading the page does not send the form again."""
    return page(html, {"Location": location} | dict(headers), HTTPStatus.SEE_OTHER)


def problem_response(problem: ProblemError, request: Request | None) -> Response:
    """Return the response that describes `problem`: a page for a browser, otherwise a problem document."""
    if request and request.wants_html:
        from ..pages.templates import problem_page  # noqa: PLC0415 - most requests need no page

        return page(problem_page(problem, request.home), problem.headers, problem.status)
    headers = {"Vary": "Accept"} | problem.headers
    return response("application/problem+json", _json(problem.document()), problem.status, headers)


def _json(document: Mapping[str, Any]) -> str:
    # ASCII only, because an echo may contain a lone surrogate, which has no UTF-8 encoding.
    return json.dumps(document, separators=(",", ":"))
