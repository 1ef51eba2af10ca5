"""HTTP answers, whichever way a test sends its requests, and the headers of requests that are not visits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Body = TypeVar("Body", str, bytes)

PREFETCHES: list[dict[str, str]] = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"sec-purpose": "prerender"},
    {"Purpose": "prefetch"},
    {"Purpose": "Prefetch"},
    {"Purpose": "preview"},
    {"X-Purpose": "preview"},
    {"X-Purpose": "preview, instant"},
    {"X-Moz": "prefetch"},
    {"X-Sec-Purpose": "prefetch"},
]
"""Headers with which browsers and libraries mark a request in advance of a visit."""


@dataclass(frozen=True)
class Answer(Generic[Body]):
    """An HTTP answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Body

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)

    @property
    def type(self) -> str:
        """The content type without parameters, or ""."""
        return self.headers.get("content-type", "").partition(";")[0]
