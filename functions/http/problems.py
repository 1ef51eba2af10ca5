"""Problem details for HTTP APIs (RFC 9457)."""

import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MAX_SHOWN_LENGTH = 100
"""The maximum number of characters of an invalid value that a problem quotes."""

TITLES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}
"""The reason phrases of RFC 9110 that Python before 3.13 does not have."""

UNSEEN = {
    "Cc": "a control character",
    "Cf": "an invisible character",
    "Cs": "a surrogate",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
"""The general categories of characters that a reader of a value does not see or recognise."""

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

    @property
    def title(self) -> str:
        """The status's reason phrase, as in RFC 9110, on every version of Python."""
        return TITLES.get(self.status, self.status.phrase)

    def document(self) -> dict[str, Any]:
        """Return the problem details. The type is `about:blank`, so the title is the status's reason phrase."""
        details = {
            "type": "about:blank",
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
        }
        return details | self.members


def invalid(field: str, value: str, allowed: str, fault: str | None = None) -> ProblemError:
    """Return the 400 that names `field`, its `value` (shortened) and the `allowed` values.

    `fault` says what is wrong with the value, such as "is reserved". By default, it names the first character that a
    reader would not see, if there is one.
    """
    shown = value if len(value) <= MAX_SHOWN_LENGTH else f"{value[:MAX_SHOWN_LENGTH]}…"
    if fault is None:
        fault = next((has(value, at) for at, each in enumerate(value) if unicodedata.category(each) in UNSEEN), "")
    detail = f"{field} is {shown!r}{fault and f', which {fault}'}; it must be {allowed}."
    members = {"field": field, "value": shown, "allowed": allowed} | ({"reason": f"It {fault}."} if fault else {})
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, None, **members)


def has(text: str, index: int, kind: str = "") -> str:
    """Return the fault of the character at `index`, by its code point, its name and its position."""
    character = text[index]
    kind = kind or UNSEEN.get(unicodedata.category(character), "an invisible character")
    name = unicodedata.name(character, "")
    return f"has {kind}, U+{ord(character):04X}{name and f' {name}'}, at position {index + 1}"


def unavailable(detail: str) -> ProblemError:
    """Return the 503 that says when to retry."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": RETRY_AFTER})
