"""Hooks that add to schemathesis's requests headers that choose the form of the answer, and real cursors."""

from __future__ import annotations

import json
import os
import re
import zlib
from typing import Any
from urllib.parse import quote, unquote

import schemathesis

from functions.http.routes import document
from tests.api.words import is_forbidden_in_words

HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
    {"Accept": "application/json"},
    {"Accept": "text/html;q=x, */*;;", "Sec-Purpose": "prefetch;prerender"},
)
TAG = re.compile(json.loads(document())["components"]["schemas"]["Tag"]["pattern"])
CURSORS: list[str] = json.loads(os.environ["CURSORS"])


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Add headers and cursors that depend only on the request, so every run sends the same."""
    request = (case.method, case.path, sorted(case.path_parameters.items()), sorted(case.query.items()))
    draw = zlib.crc32(repr(request).encode("ascii", "backslashreplace"))
    case.headers.update(HEADERS[draw % len(HEADERS)])
    allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if case.path == "/counts" and "cursor" in case.query and allowed and draw % 2:
        case.query["cursor"] = CURSORS[draw % len(CURSORS)]


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> Any:
    """Replace characters that only the document's text forbids, not its pattern."""
    tag = (path_parameters or {}).get("tag")
    if path_parameters and isinstance(tag, str):
        # The parameter is percent-encoded.
        allowed = "".join("x" if _is_forbidden(character) else character for character in unquote(tag))
        path_parameters["tag"] = tag if allowed == unquote(tag) else quote(allowed, safe="")
    return path_parameters


def _is_forbidden(character: str) -> bool:
    return is_forbidden_in_words(character) and TAG.search(character) is not None
