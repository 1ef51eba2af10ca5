"""HTTP answers, whichever way a test sends its requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Body = TypeVar("Body", str, bytes)


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
