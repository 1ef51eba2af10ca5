"""Problem details for HTTP APIs (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MAX_SHOWN_LENGTH = 100
"""The maximum number of characters of an invalid value that a problem quotes."""

RETRY_AFTER = "1"
"""Seconds after which a client should retry if the database is busy."""


class ProblemError(Exception):
    """A problem that ends a request: its status, a sentence of detail, and additional members and headers."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: str
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def document(self) -> dict[str, Any]:
        """Return the problem details. The type is `about:blank`, so the title is the status's reason phrase."""
        details = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        return details | self.members


def invalid(field: str, value: str, allowed: str) -> ProblemError:
    """Return the 400 that names `field`, its `value` (shortened) and the `allowed` values."""
    shown = value if len(value) <= MAX_SHOWN_LENGTH else f"{value[:MAX_SHOWN_LENGTH]}…"
    detail = f"{field} is {shown!r}; it must be {allowed}."
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, field=field, value=shown, allowed=allowed)


def unavailable(detail: str) -> ProblemError:
    """Return the 503 that says when to retry."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": RETRY_AFTER})
