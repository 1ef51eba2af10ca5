"""The API's routes, read from the OpenAPI document that the API is made from."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .requests import Request, fits

DOCUMENT = Path(__file__).with_name("openapi.json")
"""The OpenAPI document, next to this file in the archive."""


class Route(NamedTuple):
    """A path template, and the operations on it by method (upper case): each is an `operationId` of the document."""

    template: str
    operations: dict[str, str]

    @property
    def has_tag(self) -> bool:
        """Whether the last segment of the path is a tag."""
        return self.template.endswith("{tag}")

    @property
    def allowed(self) -> str:
        """The methods that a client may use, for the header `Allow`: every path takes HEAD and OPTIONS as well."""
        return ", ".join(sorted({*self.operations, "HEAD", "OPTIONS"}))

    def operation(self, method: str) -> str | None:
        """Return the operation that answers `method`, None if the path does not take it. HEAD is answered as GET."""
        return self.operations.get("GET" if method == "HEAD" else method)


@cache
def document() -> str:
    """Return the document's text."""
    return DOCUMENT.read_text(encoding="utf-8")


@cache
def table() -> dict[str, Route]:
    """Return the routing table: every route by its template."""
    paths: dict[str, dict[str, Any]] = json.loads(document())["paths"]
    return {
        path: Route(path, {name.upper(): item[name]["operationId"] for name in item if "x-function" in item[name]})
        for path, item in paths.items()
    }


def find(request: Request) -> Route | None:
    """Return the route of a request; None if there is none.

    That is the gateway's own choice if it made one. Otherwise it is the route whose template the path fits as a whole:
    with another method, or with an empty parameter, which the gateway does not route. If the path may be `mapped`,
    that is, may begin with the key of an API mapping, it is enough that the template fits its end, and the longest
    template wins. Some readings are impossible: if the route had the method and its parameter had a value, the gateway
    would have chosen it.
    """
    if request.route in table():
        return table()[request.route]
    length = request.path.count("/")
    possible = [
        route
        for route in table().values()
        if (route.template.count("/") == length or request.mapped)
        and fits(route.template, request.path)
        and (request.method not in route.operations or (route.has_tag and request.path.endswith("/")))
    ]
    return max(possible, key=lambda route: route.template.count("/"), default=None)
