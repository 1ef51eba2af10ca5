"""The API's routes, out of the document that the API itself is made from."""

import json
from functools import cache
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("openapi.json")
"""The OpenAPI document, next to this file in the archive."""


@cache
def document() -> str:
    """Return the document's text."""
    return DOCUMENT.read_text(encoding="utf-8")


@cache
def routes() -> dict[str, frozenset[str]]:
    """Return the methods (upper case) of every path template."""
    paths: dict[str, dict[str, Any]] = json.loads(document())["paths"]
    return {
        path: frozenset(name.upper() for name in item if "x-function" in item[name]) for path, item in paths.items()
    }


def find(route: str, path: str) -> tuple[str, frozenset[str]] | None:
    """Return the template of the request and its methods; None where no template fits.

    That is `route` where the gateway found one, else what `path` fits with an empty parameter or another method.
    """
    if route in routes():
        return route, routes()[route]
    wanted = path.split("/")
    for template, methods in routes().items():
        parts = template.split("/")
        if len(parts) == len(wanted) and all(
            part.startswith("{") or part == given for part, given in zip(parts, wanted, strict=True)
        ):
            return template, methods
    return None
