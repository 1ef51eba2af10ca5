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


def fits(template: str, path: str) -> bool:
    """Whether `path` ends in what `template` describes, segment by segment; a parameter takes any one segment."""
    parts, given = template.split("/")[:0:-1], path.split("/")[:0:-1]
    return len(given) >= len(parts) and all(
        part.startswith("{") or part == segment for part, segment in zip(parts, given, strict=False)
    )


def find(route: str, method: str, path: str, mapped: bool = False) -> tuple[str, frozenset[str]] | None:
    """Return the template of the request and its methods; None if no template fits.

    That is `route` if the gateway found one. Otherwise it is the template that `path` fits as a whole: with another
    method, or with an empty parameter, which the gateway does not route. If the path may be `mapped`, which is to say
    that it may begin with the key of an API mapping, fitting its end is enough, and the longest template wins. Some
    readings are impossible: if the template had the method and its parameter had a value, the gateway would have routed
    the request.
    """
    if route in routes():
        return route, routes()[route]
    length = path.count("/")
    possible = [
        (template, methods)
        for template, methods in routes().items()
        if (template.count("/") == length or mapped)
        and fits(template, path)
        and (method not in methods or (template.endswith("}") and path.endswith("/")))
    ]
    return max(possible, key=lambda found: found[0].count("/"), default=None)
