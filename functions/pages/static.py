"""The static files that pages load, each at a URL that changes with the content."""

from functools import cache
from pathlib import Path

from ..http.requests import Request
from ..http.responses import Response, entity_tag, stored

TYPES = {
    "counter.css": "text/css; charset=utf-8",
    "counter.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files, next to this one in the archive, and their content types."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of a URL with a version: its content never changes."""

SHORT_LIVED = "public, max-age=300"
"""Cache-Control of a URL without a version."""


@cache
def content(name: str) -> str:
    """Return the text of a static file."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def version(name: str) -> str:
    """Return the version of a static file, a digest of its text."""
    return entity_tag(content(name)).strip('"')


def address(name: str, root: str) -> str:
    """Return the URL of the file, relative to a page; `root` is the relative URL of the API's root."""
    return f"{root}static/{name}?v={version(name)}"


def serve(name: str, request: Request) -> Response:
    """Return the file. Without its version in the query, clients must not store it for long."""
    current = request.query.get("v", "") == version(name)
    return stored(request, TYPES[name], content(name), IMMUTABLE if current else SHORT_LIVED)
