"""An HTTP request, read from an event in API Gateway's payload format 2.0."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from ..counting.tags import ALLOWED, validate_tag
from .problems import invalid

DEFAULT_DOMAIN = ".execute-api."
"""Part of the domain name that API Gateway gives every API. API mappings apply only to custom domains."""

PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz", "x-sec-purpose")
"""The headers that mark a prefetch: the standard one, those of earlier browsers, and that of Turbo."""

IN_ADVANCE = frozenset({"prefetch", "prerender", "preview"})
"""The values with which these headers mark a request that is not a visit."""

HTML = ("text/html", "application/xhtml+xml")
JSON = ("application/json", "application/problem+json")
IMAGE = ("image/svg+xml", "image/*")


@dataclass(frozen=True)
class Request:
    """One request. Header names are lower case, `path` excludes the stage, and `route` is "" if none matched.

    `parameter` is the tag as the gateway read it, or "". `mapped` says that the request was sent to a custom domain, so
    `path` may begin with the key of an API mapping.

    `root` is the relative URL of the API's root for the page at the root itself, because the client may have omitted
    the slash after a stage or a mapping. Other pages use `home`.
    """

    method: str
    path: str
    route: str
    parameter: str
    mapped: bool
    query: Mapping[str, str]
    headers: Mapping[str, str]
    root: str

    @cached_property
    def tag(self) -> str:
        """The tag, which is the path's last segment. Raises a problem if it is not a valid tag.

        The end of the path must match the route. An additional segment is a slash in the tag, which a gateway has
        decoded after choosing the route. Before the route, the key of an API mapping may look like another route.
        """
        if "/" in unquote(self.parameter) or not matches_end(self.route, self.path):
            raise invalid("tag", self.parameter or self.path, ALLOWED, "has a slash")
        return validate_tag(self.path.rpartition("/")[2])

    @property
    def home(self) -> str:
        """The relative URL of the API's root, derived from the route or, without one, the path."""
        return "../" * ((self.route or self.path).count("/") - 1) or "./"

    @property
    def wants_html(self) -> bool:
        """Whether the client accepts HTML by name and does not prefer JSON (RFC 9110, section 12.5.1)."""
        qualities = _qualities(self.headers.get("accept", ""))
        html, json = (max(qualities.get(name, 0.0) for name in names) for names in (HTML, JSON))
        return html > 0 and html >= json

    @property
    def shows_badge(self) -> bool:
        """Whether the client shows the answer as an image: it asked for a badge, and accepts images but no page."""
        qualities = _qualities(self.headers.get("accept", ""))
        as_image = any(qualities.get(name, 0.0) > 0 for name in IMAGE) or self.headers.get("sec-fetch-dest") == "image"
        return (
            "/badge/" in (self.route or self.path)
            and as_image
            and not any(qualities.get(name, 0.0) > 0 for name in (*HTML, *JSON))
        )

    @property
    def is_prefetch(self) -> bool:
        """Whether a browser fetches the page in advance, before the user visits it, if ever."""
        purposes = ";".join(self.headers.get(name, "") for name in PURPOSES).replace(",", ";")
        return any(token.strip().lower() in IN_ADVANCE for token in purposes.split(";"))


def matches_end(template: str, path: str) -> bool:
    """Whether the last segments of `path` match those of `template`. A parameter matches any one segment."""
    parts, segments = template.split("/")[:0:-1], path.split("/")[:0:-1]
    return len(segments) >= len(parts) and all(
        part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=False)
    )


def read(event: Mapping[str, Any]) -> Request:
    """Read `event`.

    `rawPath` begins with the stage, unless that is `$default`. On a custom domain it begins with the key of the API
    mapping instead, if the mapping has one. The event does not contain the key separately.
    """
    context, path = event["requestContext"], event["rawPath"]
    domain = context.get("domainName", "")
    mapped = domain != "" and DEFAULT_DOMAIN not in domain
    stage = context.get("stage", "$default")
    if stage != "$default" and not mapped and f"{path}/".startswith(f"/{stage}/"):
        path = path.removeprefix(f"/{stage}")
    return Request(
        method=context["http"]["method"].upper(),
        path="/" + path.lstrip("/"),
        route=event.get("routeKey", "").partition(" ")[2],
        parameter=(event.get("pathParameters") or {}).get("tag", ""),
        mapped=mapped,
        query=event.get("queryStringParameters") or {},
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        root=f"./{quote(last, safe='')}/" if (last := event["rawPath"].rpartition("/")[2]) else "./",
    )


def _qualities(accept: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            qualities[name] = float(quality)
        except ValueError:
            qualities[name] = 0.0
    return qualities
