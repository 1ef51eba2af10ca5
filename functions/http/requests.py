"""An HTTP request, read from an event in API Gateway's payload format 2.0."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from ..counting.tags import ALLOWED, validate_tag
from .problems import invalid

OWN_DOMAIN = ".execute-api."
"""Part of the domain of every API that is called by its own address, to which no API mapping applies."""

HTML = ("text/html", "application/xhtml+xml")
JSON = ("application/json", "application/problem+json")


@dataclass(frozen=True)
class Request:
    """One request. Header names are lower case; `path` is without the stage; `route` is "" if none matched.

    `parameter` is the tag as the gateway read it, "" if it names none. `mapped` says that the request came to a custom
    domain, so that `path` may begin with the key of an API mapping.

    `root` is the API's root as a relative URL, for a page at the root itself: the client may have left out the slash
    after a stage or a mapping.
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
        """The tag, which is the path's last segment; raises a problem if it is not a valid tag.

        The path must end in what the route describes: one segment more is a slash in the tag, which a gateway decodes
        once it has chosen the route. The key of an API mapping before that may look like a route of its own.
        """
        if "/" in unquote(self.parameter) or not fits(self.route, self.path):
            raise invalid("tag", self.parameter or self.path, ALLOWED)
        return validate_tag(self.path.rpartition("/")[2])

    @property
    def home(self) -> str:
        """The relative URL of the API's root, according to the route or else the path."""
        return "../" * ((self.route or self.path).count("/") - 1) or "./"

    @property
    def wants_html(self) -> bool:
        """Whether the client accepts HTML by name and does not prefer JSON (RFC 9110, section 12.5.1)."""
        liked = _qualities(self.headers.get("accept", ""))
        html, json = (max(liked.get(name, 0.0) for name in names) for names in (HTML, JSON))
        return html > 0 and html >= json

    @property
    def is_prefetch(self) -> bool:
        """Whether a browser fetches the page before the user visits it, which may never happen."""
        purposes = f"{self.headers.get('sec-purpose', '')};{self.headers.get('purpose', '')}"
        return "prefetch" in {token.strip().lower() for token in purposes.replace(",", ";").split(";")}


def fits(template: str, path: str) -> bool:
    """Whether `path` ends in what `template` describes, segment by segment; a parameter takes any one segment."""
    parts, given = template.split("/")[:0:-1], path.split("/")[:0:-1]
    return len(given) >= len(parts) and all(
        part.startswith("{") or part == segment for part, segment in zip(parts, given, strict=False)
    )


def read(event: Mapping[str, Any]) -> Request:
    """Read `event`.

    Its `rawPath` begins with the stage, unless that is `$default`. On a custom domain it begins with the key of the API
    mapping instead, if the mapping has one; nothing in the event tells the key.
    """
    context, path = event["requestContext"], event["rawPath"]
    domain = context.get("domainName", "")
    mapped = domain != "" and OWN_DOMAIN not in domain
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
    liked: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            liked[name] = float(quality)
        except ValueError:
            liked[name] = 0.0
    return liked
