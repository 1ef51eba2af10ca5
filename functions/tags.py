"""What a tag may be."""

import unicodedata

from .items import COUNTER
from .problems import invalid

LONGEST = 200
"""Characters a tag may have, after NFC normalisation."""

ALLOWED = (
    f"1 to {LONGEST} characters of valid UTF-8, without '/', '?', '%' and control characters, and none of {COUNTER}, "
    "'.' and '..', which are reserved"
)

RESERVED = frozenset({COUNTER, ".", ".."})
"""The total's own key, and the two that no URL can name, since clients resolve them (RFC 3986, section 5.2.4)."""

UNSAFE = frozenset("/?%\ufffd")
"""What no gateway hands over as it was meant, so that a tag with it would be counted under another name.

An HTTP API decodes a path before the function sees it: `%2F` becomes a slash, at `%3F` the path is cut, and `%25` is
refused, or decoded again with what follows it (captured in hotsock/voker, vokerhttp/testdata/ingress-paths.json); the
emulator leaves `%25` as it is. U+FFFD stands for bytes that are not UTF-8.
"""


def checked(text: str) -> str:
    """Return `text` as a tag, NFC-normalised; a problem where it is none."""
    tag = unicodedata.normalize("NFC", text)
    if not 0 < len(tag) <= LONGEST or tag in RESERVED or any(_refused(character) for character in tag):
        raise invalid("tag", tag, ALLOWED)
    return tag


def _refused(character: str) -> bool:
    return character in UNSAFE or unicodedata.category(character) in ("Cc", "Cs")
