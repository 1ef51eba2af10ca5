"""What a tag may be, and how it comes out of a request's path."""

import unicodedata
from urllib.parse import unquote

from .items import COUNTER
from .problems import invalid

LONGEST = 200
"""Characters a tag may have, after NFC normalisation."""

ALLOWED = (
    f"1 to {LONGEST} characters of valid UTF-8, without slashes and control characters, and none of {COUNTER}, '.' "
    "and '..', which are reserved"
)

RESERVED = frozenset({COUNTER, ".", ".."})
"""The total's own key, and the two that no URL can name, since clients resolve them (RFC 3986, section 5.2.4)."""

REPLACEMENT = "\ufffd"
"""What API Gateway hands over in place of bytes that are not UTF-8."""


def decoded(segment: str) -> str:
    """Return the text of one segment of `rawPath`.

    An HTTP API hands over `rawPath` with its escapes decoded (hotsock/voker#8 and honojs/hono#2156 show captured
    events; the developer guide's page on routes says so of parameters), except `%25`, which MiniStack's
    `decode_http_api_path` records too. Decoding once more is right for that, and as right for a gateway that decodes
    nothing. `pathParameters` is no help: in it, AWS may have decoded twice.
    """
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise invalid("tag", segment, ALLOWED) from None


def checked(text: str) -> str:
    """Return `text` as a tag, NFC-normalised; a problem where it is none."""
    tag = unicodedata.normalize("NFC", text)
    if not 0 < len(tag) <= LONGEST or tag in RESERVED or any(_refused(character) for character in tag):
        raise invalid("tag", tag, ALLOWED)
    return tag


def _refused(character: str) -> bool:
    return character in ("/", REPLACEMENT) or unicodedata.category(character) in ("Cc", "Cs")
