"""The API's routes, read from the OpenAPI document that the API serves, so that the two cannot differ."""

import json
from dataclasses import dataclass
from pathlib import Path

from .archive import sources

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API: its key as API Gateway writes it (`GET /tag/{tag}`), and the function that answers it."""

    key: str
    function: str


def routes(document: Path | None = None) -> list[Route]:
    """List the routes of the OpenAPI document, in its order, and last the one for everything else."""
    paths = json.loads((document or sources() / "openapi.json").read_text(encoding="utf-8"))["paths"]
    listed = [
        Route(f"{method.upper()} {path}", operation["x-function"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in METHODS
    ]
    return [*listed, Route("$default", "welcome")]
