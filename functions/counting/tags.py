"""Validation and normalisation of tags."""

import unicodedata
from collections.abc import Iterable

from ..dynamodb.tables import COUNTER
from ..http.problems import ProblemError, has, invalid

MAX_LENGTH = 200
"""The maximum number of characters of a tag, after normalisation."""

ALLOWED = (
    f"1 to {MAX_LENGTH} characters of valid UTF-8, without '/', '?', '%' or invisible or unassigned characters, "
    f"and not {COUNTER}, '.' or '..', which are reserved"
)

RESERVED = frozenset({COUNTER, ".", ".."})
"""The total's key, and two path segments that clients remove from URLs (RFC 3986, section 5.2.4)."""

REPLACEMENT = "\ufffd"

UNSAFE = frozenset("/?%") | {REPLACEMENT}
"""Characters that a gateway alters, so a tag with one of them would be counted under another name.

An HTTP API decodes a path before the function sees it: `%2F` becomes a slash, `%3F` cuts the path off, and `%25` is
rejected, or decoded a second time with what follows it (captured in hotsock/voker,
vokerhttp/testdata/ingress-paths.json). The emulator does not decode `%25`. U+FFFD replaces bytes that are not UTF-8.
"""

DISALLOWED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""General categories that PRECIS's FreeformClass (RFC 8264, section 4.3) disallows.

They are control characters, format characters such as bidirectional controls, surrogates, private-use and unassigned
code points, and line and paragraph separators.
"""

IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0").union(
    *(map(chr, range(first, last + 1)) for first, last in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)))
)
"""Default_Ignorable_Code_Points of other categories (RFC 8264, section 9.13): fillers, joiners, variation selectors."""

NON_JOINER, JOINER = "\u200c", "\u200d"
VIRAMA = 9
"""Canonical combining class of the marks that suppress a vowel in Indic scripts."""


def validate_tag(text: str) -> str:
    """Return `text` as a normalised tag. Raises a problem if it is not a valid tag.

    As in PRECIS's OpaqueString profile (RFC 8265, section 4.2), every space becomes U+0020, and the text is
    NFC-normalised.
    """
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)
    tag = unicodedata.normalize("NFC", spaced)
    if fault := _fault(tag):
        raise invalid("tag", tag, ALLOWED, fault)
    return tag


def _fault(tag: str) -> str:
    """Return why a normalised text is not a tag, or ""."""
    if not 0 < len(tag) <= MAX_LENGTH:
        return f"has {len(tag)} characters" if tag else "is empty"
    if tag in RESERVED:
        return "is reserved"
    index = next((index for index in range(len(tag)) if _is_disallowed(tag, index)), None)
    if index is None:
        return ""
    if tag[index] == REPLACEMENT:
        return f"has bytes that are not UTF-8, at position {index + 1}"
    return f"has a '{tag[index]}' at position {index + 1}" if tag[index] in UNSAFE else has(tag, index)


def is_tag(text: str) -> bool:
    """Whether `text` is a valid tag and already normalised."""
    try:
        return validate_tag(text) == text
    except ProblemError:
        return False


def _is_disallowed(tag: str, index: int) -> bool:
    character = tag[index]
    if character in (NON_JOINER, JOINER):
        return not _is_visible_joiner(tag, index)
    return character in UNSAFE or character in IGNORABLE or unicodedata.category(character) in DISALLOWED_CATEGORIES


def _is_visible_joiner(tag: str, index: int) -> bool:
    """Whether a joiner changes how its neighbours are written (RFC 5892, appendix A.1 and A.2)."""
    if index and unicodedata.combining(tag[index - 1]) == VIRAMA:
        return True
    if tag[index] == JOINER:
        return False
    before, after = (_nearest_letter(part) for part in (reversed(tag[:index]), tag[index + 1 :]))
    return _joins("NEXT", before) and _joins("PREVIOUS", after)


def _nearest_letter(text: Iterable[str]) -> str:
    # Marks have the joining type T, which the rule skips.
    return next((letter for letter in text if unicodedata.category(letter) not in ("Mn", "Me")), "")


def _joins(side: str, letter: str) -> bool:
    from . import joining  # noqa: PLC0415 - few tags have a joiner

    ranges = (item.partition("-") for item in getattr(joining, side).split())
    return letter != "" and any(int(first, 16) <= ord(letter) <= int(last or first, 16) for first, _, last in ranges)
