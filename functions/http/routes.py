"""The API's routes, read from the OpenAPI document, as far as the deployment has them."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .features import API_FEATURES, Features, describe
from .requests import Request, matches_end

DOCUMENT = Path(__file__).with_name("openapi.json")
"""The OpenAPI document, next to this file in the archive. It describes an API with all features."""

FEATURES = Features.parse(os.environ.get(API_FEATURES, ""))
"""The features of the deployed API, read once per process."""


class Route(NamedTuple):
    """A path template and its operations: methods in upper case, each with an `operationId` of the document."""

    template: str
    operations: dict[str, str]

    @property
    def has_tag(self) -> bool:
        """Whether the last segment of the path is a tag."""
        return self.template.endswith("{tag}")

    @property
    def allowed(self) -> str:
        """The value of the `Allow` header. Every path supports OPTIONS as well, and HEAD if it supports GET."""
        return ", ".join(sorted({*self.operations, *({"HEAD"} if "GET" in self.operations else ()), "OPTIONS"}))

    def operation(self, method: str) -> str | None:
        """Return the operation for `method`, None if the path does not support it. HEAD has the operation of GET."""
        return self.operations.get("GET" if method == "HEAD" else method)


@cache
def document() -> str:
    """Return the text of the document that describes the deployed API."""
    text = DOCUMENT.read_text(encoding="utf-8")
    # YAML parsers reject the pairs of surrogates that JSON in ASCII has for characters after U+FFFF.
    return (
        json.dumps(describe(json.loads(text), FEATURES), indent=2, ensure_ascii=False) if FEATURES.changed() else text
    )


@cache
def table() -> dict[str, Route]:
    """Return the routing table: every route by its template."""
    paths: dict[str, dict[str, Any]] = json.loads(document())["paths"]
    return {
        path: Route(path, {name.upper(): item[name]["operationId"] for name in item if "x-function" in item[name]})
        for path, item in paths.items()
    }


def find(request: Request) -> Route | None:
    """Return the route of a request, None if it has none.

    The gateway's choice applies if it made one. It makes none for other methods and for empty parameters; the route is
    then the one whose template matches the whole path. If the request is `mapped`, the path may begin with the key of
    an API mapping, so the template only has to match its end, and the longest template wins. A route that supports the
    method and whose parameter has a value cannot be meant: the gateway would have chosen it.
    """
    if request.route in table():
        return table()[request.route]
    length = request.path.count("/")
    possible = [
        route
        for route in table().values()
        if (route.template.count("/") == length or request.mapped)
        and matches_end(route.template, request.path)
        and (request.method not in route.operations or (route.has_tag and request.path.endswith("/")))
    ]
    return max(possible, key=lambda route: route.template.count("/"), default=None)
