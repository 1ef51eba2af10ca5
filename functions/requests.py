"""An HTTP request as the functions see it, out of an event in API Gateway's payload format 2.0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .tags import checked

HTML = ("text/html", "application/xhtml+xml")
JSON = ("application/json", "application/problem+json")


@dataclass(frozen=True)
class Request:
    """One request. Header names are lower case; `path` is without the stage; `route` is "" where none matched.

    `root` leads from the API's own address, where it was called by that, to what lies below it: a stage or a mapping
    may have been named without the slash at its end.
    """

    method: str
    path: str
    route: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    root: str

    @property
    def tag(self) -> str:
        """The tag, what follows the route's own part of the path; a problem where it is none.

        It is more than one segment where a gateway decodes `%2F` once it has chosen the route; that is no tag. Before
        the route's part may stand the key of a custom domain's API mapping, which `rawPath` keeps.
        """
        own = self.route.partition("{")[0]
        _, found, rest = self.path.partition(own) if own else self.path.rpartition("/")
        return checked(rest if found else "")

    @property
    def wants_html(self) -> bool:
        """Whether the client names HTML and does not like JSON better (RFC 9110, section 12.5.1)."""
        liked = _qualities(self.headers.get("accept", ""))
        html, json = (max((liked.get(name, 0.0) for name in names), default=0.0) for names in (HTML, JSON))
        return html > 0 and html >= json

    @property
    def is_prefetch(self) -> bool:
        """Whether a browser fetches ahead of a person who may never come."""
        purposes = f"{self.headers.get('sec-purpose', '')};{self.headers.get('purpose', '')}"
        return "prefetch" in {token.strip().lower() for token in purposes.replace(",", ";").split(";")}


def read(event: Mapping[str, Any]) -> Request:
    """Read `event`, whose `rawPath` begins with the stage unless that is `$default`."""
    context = event["requestContext"]
    stage, path = context.get("stage", "$default"), event["rawPath"]
    if stage != "$default":
        path = path.removeprefix(f"/{stage}")
    return Request(
        method=context["http"]["method"].upper(),
        path="/" + path.lstrip("/"),
        route=event.get("routeKey", "").partition(" ")[2],
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
