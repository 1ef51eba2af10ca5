"""Lambda function that records visits: one request, one visit."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from . import settings
from .database import cautious_client, client
from .idempotency import KeyedVisits, idempotency_key
from .problems import ProblemError
from .requests import Request
from .responses import Response, answer, data, moved, page, response
from .retry import patience
from .visits import Recorded, read_count, record

PATIENCE = 3.0
"""Seconds for which a visit is tried again while the database refuses it."""


PREFETCH = "Prefetch requests are not counted. Repeat the request when the user visits."


def handler(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001 - Lambda calls it so
    """Answer a request to record a visit."""
    return answer(event, _respond)


def _respond(request: Request) -> Response:
    tag = request.tag
    if request.route.startswith("/badge/"):
        return _badge(request, tag)
    if request.is_prefetch:
        # Not a 2xx: the browser would show it later, when the person comes, and the visit would never be recorded.
        raise ProblemError(HTTPStatus.FORBIDDEN, PREFETCH)
    recorded = _record(request, tag)
    headers = {"Idempotency-Replayed": "true"} if recorded.replayed else {}
    if request.wants_html:
        from .pages import count_link, visit_page  # noqa: PLC0415 - most requests need no page

        html = visit_page(tag, recorded.count)
        return moved(count_link(tag), html, headers) if request.method == "POST" else page(html)
    return data({"tag": tag, "count": recorded.count}, headers)


def _record(request: Request, tag: str) -> Recorded:
    table, key = settings.table_name(), idempotency_key(request.method, request.headers)
    if key is None:
        return record(cautious_client(), table, tag, patience(PATIENCE))
    keyed = KeyedVisits(client(), table, settings.idempotency_table_name())
    return keyed.record(tag, key, patience(PATIENCE))


def _badge(request: Request, tag: str) -> Response:
    from .badge import UNCACHED, badge, options  # noqa: PLC0415 - most requests need no badge

    chosen = options(request.query)
    if chosen.counts and not request.is_prefetch:
        count = _record(request, tag).count
    else:
        count = read_count(client(), settings.table_name(), tag)
    return response("image/svg+xml; charset=utf-8", badge(chosen.label, count, chosen.color), headers=UNCACHED)
