"""Responses, in the form that API Gateway expects from a function."""

import json
from collections.abc import Mapping
from functools import cache
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


def stored(request: Request, content_type: str, body: str, cache_control: str) -> Response:
    """Return a response that clients may store, or a 304 if the request's `If-None-Match` has its `ETag`."""
    etag = entity_tag(body)
    headers = {"Cache-Control": cache_control, "ETag": etag}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return response(content_type, "", HTTPStatus.NOT_MODIFIED, headers)
    return response(content_type, body, headers=headers)


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
    """Return the response that describes `problem`: a page for a browser, a badge in place of a badge, or JSON."""
    if request and request.wants_html:
        from ..pages.templates import problem_page  # noqa: PLC0415 - most requests need no page

        return page(problem_page(problem, request.home), problem.headers, problem.status)
    if request and request.shows_badge:
        from ..pages.badge import UNCACHED, problem_badge  # noqa: PLC0415 - most requests need no badge

        named = {"Vary": "Accept"} | UNCACHED | problem.headers
        return response("image/svg+xml; charset=utf-8", problem_badge(problem), problem.status, named)
    headers = {"Vary": "Accept"} | problem.headers
    return response("application/problem+json", _json(problem.document()), problem.status, headers)


@cache
def entity_tag(body: str) -> str:
    """Return the strong entity tag of a text (RFC 9110, section 8.8.3)."""
    from hashlib import sha256  # noqa: PLC0415 - most responses have no entity tag

    return f'"{sha256(body.encode()).hexdigest()[:12]}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as RFC 9110, section 13.1.2, prescribes."""
    tags = [text.strip() for text in if_none_match.split(",")]
    return tags == ["*"] or etag in {text.removeprefix("W/") for text in tags}


def _json(document: Mapping[str, Any]) -> str:
    # ASCII only, because an echo may contain a lone surrogate, which has no UTF-8 encoding.
    return json.dumps(document, separators=(",", ":"))
