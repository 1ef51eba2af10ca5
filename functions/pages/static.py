"""The files that pages load, each under an address that changes with what it holds."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from ..http.responses import Response, response

TYPES = {
    "counter.css": "text/css; charset=utf-8",
    "counter.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files there are, next to this one in the archive, and their content types."""

FOR_GOOD = "public, max-age=31536000, immutable"
"""How long an address with its version may be kept: what is there never changes."""

FOR_A_WHILE = "public, max-age=300"
"""How long one without may be, in seconds."""


@cache
def content(name: str) -> str:
    """Return the text of a static file."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@cache
def version(name: str) -> str:
    """Return the version of a static file, which is that of its text."""
    return sha256(content(name).encode()).hexdigest()[:12]


def address(name: str, root: str) -> str:
    """Return where a page finds the file, `root` being the way from the page to the API's root."""
    return f"{root}static/{name}?v={version(name)}"


def serve(name: str, asked: str) -> Response:
    """Return the file; `asked` is the version that the client asks for, "" for whichever there is."""
    keeping = FOR_GOOD if asked == version(name) else FOR_A_WHILE
    return response(TYPES[name], content(name), headers={"Cache-Control": keeping})
