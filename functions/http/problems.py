"""What can be wrong with a request, as RFC 9457 has it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

LONGEST_VALUE = 100
"""Characters of a refused value that its problem repeats."""

RETRY_AFTER = "1"
"""Seconds to wait before asking a busy database again."""


class ProblemError(Exception):
    """A problem to answer with: its status, a sentence of detail, and further members and headers."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: str
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def document(self) -> dict[str, Any]:
        """Return the problem details; without a type of its own, a problem's title is its status's phrase."""
        own = {"type": "about:blank", "title": self.status.phrase, "status": int(self.status), "detail": self.detail}
        return own | self.members


def invalid(field: str, value: str, allowed: str) -> ProblemError:
    """Return the 400 that names `field`, its `value` (shortened) and what is `allowed`."""
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
    detail = f"{field} is {shown!r}; it must be {allowed}."
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, field=field, value=shown, allowed=allowed)


def unavailable(detail: str) -> ProblemError:
    """Return the 503 that says when to ask again."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": RETRY_AFTER})
