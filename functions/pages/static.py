"""The static files that pages load, each at a URL that changes with the content."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from ..http.responses import Response, response

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


@cache
def version(name: str) -> str:
    """Return the version of a static file, a digest of its text."""
    return sha256(content(name).encode()).hexdigest()[:12]


def address(name: str, root: str) -> str:
    """Return the URL of the file, relative to a page; `root` is the relative URL of the API's root."""
    return f"{root}static/{name}?v={version(name)}"


def serve(name: str, requested: str) -> Response:
    """Return the file. `requested` is the version in the request, or ""."""
    caching = IMMUTABLE if requested == version(name) else SHORT_LIVED
    return response(TYPES[name], content(name), headers={"Cache-Control": caching})
