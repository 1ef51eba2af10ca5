"""Badges: a count as a small SVG image, for READMEs and pages."""

import re
import unicodedata
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import NamedTuple

from ..counting.tags import IGNORABLE
from ..http.problems import ProblemError, has, invalid

COLORS = {
    "green": "1d8102",
    "blue": "0b63c5",
    "teal": "007a87",
    "purple": "7d3cb5",
    "pink": "c2297d",
    "red": "c5221f",
    "orange": "b45309",
    "yellow": "d4a514",
    "grey": "5c6670",
    "black": "16191f",
}
"""The named colours."""

LIGHT_TEXT, DARK_TEXT = "fff", "16191f"

HEX = re.compile(r"#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")

MAX_LABEL_LENGTH = 40
"""The maximum number of characters of a label."""

ALLOWED_LABEL = (
    f"1 to {MAX_LABEL_LENGTH} characters, at least one of them visible, without control characters and characters "
    "that reorder text"
)

BLANK = "\u2800"
"""Braille pattern blank, which looks like a space but is not one in Unicode."""

REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""The characters with the property Bidi_Control, which can reorder the text around them (UAX #9)."""

DEFAULT_LABEL = "visits"

PROBLEMS = {
    HTTPStatus.CONFLICT: "malformed count",
    HTTPStatus.INTERNAL_SERVER_ERROR: "error",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}
"""What badges show for a status, if not its title."""

PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q")
"""SI prefixes for powers of 1,000, enough for the largest count (`MAX_COUNT`) in each of a tag's items."""

NARROW, WIDE = frozenset("fijlrt.,:;'!|()[]{} -"), frozenset("mwMW%@")

UNCACHED = {
    "Cache-Control": "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Pragma": "no-cache",
}
"""Prevents browsers and the image proxies of code hosts from showing an outdated count."""


class Options(NamedTuple):
    """The options of a badge: whether the request counts as a visit, the label, and the colour as six hex digits."""

    counts: bool
    label: str
    color: str


def parse_options(query: Mapping[str, str], *, counts: bool) -> Options:
    """Parse a badge's query. Raises a problem if a value is invalid; ignores unknown parameters.

    `counts` is False if a GET must not record visits: a badge then cannot ask for it.
    """
    possible = ("true", "false") if counts else ("false",)
    count = query.get("count", possible[0])
    if count not in possible:
        why = "" if counts else ", because only POST records visits here"
        raise invalid("count", count, f"{' or '.join(possible)}{why}")
    return Options(count == "true", _label(query.get("label", DEFAULT_LABEL)), _color(query.get("color", "green")))


def abbreviate(count: int) -> str:
    """Return `count` in at most three digits and an SI prefix, rounded towards zero."""
    sign, digits = "-" if count < 0 else "", str(abs(count))
    power = (len(digits) - 1) // 3
    if power >= len(PREFIXES):
        return f"{sign}{digits[0]}e{len(digits) - 1}"
    whole, tenths = divmod(abs(count) * 10 // 1000**power, 10)
    shown = f"{whole}.{tenths}" if power and tenths and whole < 100 else str(whole)
    return sign + shown + PREFIXES[power]


def badge(label: str, count: int, color: str) -> str:
    """Return the SVG image of a count. `label` may be any text; `color` is six hex digits."""
    return _image(label, abbreviate(count), color)


def problem_badge(problem: ProblemError) -> str:
    """Return the SVG image that stands for a badge that cannot be shown."""
    field = problem.members.get("field")
    value = f"invalid {field}" if field else PROBLEMS.get(problem.status, problem.title.lower())
    return _image(DEFAULT_LABEL, value, COLORS["red"])


def _image(label: str, value: str, color: str) -> str:
    left, right = _width(label) + 12, _width(value) + 12
    width = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" viewBox="0 0 {width} 20" role="img" '
        f'aria-label="{escape(label)}: {value}"><title>{escape(label)}: {value}</title>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="4"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="#3d4751"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="#{color}"/>'
        f'</g><g font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(escape(label), 6, left - 12, 'fff')}{_text(value, left + 6, right - 12, _text_color(color))}</g></svg>"
    )


def _label(text: str) -> str:
    """Return `text` as SVG shows it: without spaces at its ends, and with one space for several.

    Raises a problem if nothing of it is visible, or if it has characters that reorder text or that XML forbids.
    """
    whole = unicodedata.normalize("NFC", text)
    label = " ".join("".join(" " if character == BLANK else character for character in whole).split())
    if fault := _fault_of_label(whole, label):
        raise invalid("label", whole, ALLOWED_LABEL, fault)
    return label


def _fault_of_label(whole: str, shown: str) -> str:
    if not 0 < len(whole) <= MAX_LABEL_LENGTH:
        return f"has {len(whole)} characters" if whole else "is empty"
    for index, character in enumerate(whole):
        if character in REORDERING:
            return has(whole, index, "a character that reorders text")
        # XML 1.0, section 2.2, forbids control characters, surrogates and two noncharacters.
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in "\ufffe\uffff":
            return has(whole, index)
    return "shows nothing" if all(map(_is_unseen, shown)) else ""


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Zs") or character in IGNORABLE


def _color(text: str) -> str:
    # Outside ASCII, another letter may be a named colour's in lower case, such as U+212A KELVIN SIGN.
    if text.isascii() and text.lower() in COLORS:
        return COLORS[text.lower()]
    found = HEX.fullmatch(text)
    if not found:
        raise invalid("color", text, f"one of {', '.join(COLORS)}, in any case, or 3 or 6 hexadecimal digits")
    digits = found[1].lower()
    return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)


def _text(escaped: str, x: int, width: int, fill: str) -> str:
    # textLength fits any font to the calculated width.
    return f'<text x="{x}" y="14" textLength="{width}" lengthAdjust="spacingAndGlyphs" fill="#{fill}">{escaped}</text>'


def _width(text: str) -> int:
    """Return the approximate width of `text` in pixels, in Verdana at 11 pixels, with a visible minimum."""
    return max(6, round(sum(map(_advance, text))))


def _advance(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 11.5
    return 4.2 if character in NARROW else 10 if character in WIDE else 8 if character.isupper() else 7


def _text_color(background: str) -> str:
    """Return the text colour, light or dark, with the higher contrast to `background` (WCAG 2.2, 1.4.3)."""
    luminance = _luminance(background) + 0.05
    light, dark = 1.05 / luminance, luminance / (_luminance(DARK_TEXT) + 0.05)
    return LIGHT_TEXT if light >= dark else DARK_TEXT


def _luminance(color: str) -> float:
    """Return the relative luminance of six hex digits, from 0 to 1, as WCAG 2.2 defines it."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (0, 2, 4))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
