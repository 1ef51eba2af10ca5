"""What schemathesis sends besides what the document says: headers that choose a form of answer, and real cursors."""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import schemathesis

HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
    {"Accept": "application/json"},
    {"Accept": "text/html;q=x, */*;;", "Sec-Purpose": "prefetch;prerender"},
)
CURSORS: list[str] = json.loads(os.environ["CURSORS"])


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Add what depends on the request alone, so that every run sends the same."""
    request = (case.method, case.path, sorted(case.path_parameters.items()), sorted(case.query.items()))
    draw = zlib.crc32(repr(request).encode("ascii", "backslashreplace"))
    case.headers.update(HEADERS[draw % len(HEADERS)])
    allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if case.path == "/counts" and "cursor" in case.query and allowed and draw % 2:
        case.query["cursor"] = CURSORS[draw % len(CURSORS)]
