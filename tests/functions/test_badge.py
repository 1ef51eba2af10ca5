"""Badges: their visits, their image and their parameters."""

import re
import unicodedata
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.dynamodb.items import MAX_COUNT
from functions.pages import badge
from tests.answers import PREFETCHES, Answer
from tests.functions.conftest import TABLE
from tests.functions.gateway import DOCUMENT, request

SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.usefixtures("tables")


def texts(answer: Answer[str]) -> list[str]:
    return [part.text or "" for part in ET.fromstring(answer.body).iter(f"{SVG}text")]


def test_badge_records_a_visit_and_shows_it() -> None:
    assert [texts(request("GET", "/badge/a")) for _ in range(2)] == [["visits", "1"], ["visits", "2"]]
    assert request("GET", "/counts/a").json["count"] == 2


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/badge/a?count=false", {}), *(("/badge/a", headers) for headers in PREFETCHES)],
)
def test_badge_without_a_visit_shows_the_count(target: str, headers: dict[str, str]) -> None:
    request("GET", "/badge/a?count=true")
    assert texts(request("GET", target, headers)) == ["visits", "1"]
    assert texts(request("GET", target, headers)) == ["visits", "1"]


def test_badge_must_not_be_cached() -> None:
    headers = request("GET", "/badge/a").headers
    assert "no-store" in headers["cache-control"]
    assert "s-maxage=0" in headers["cache-control"]
    assert headers["expires"].endswith("1970 00:00:00 GMT")


def test_badge_has_the_requested_label_and_color() -> None:
    answer = request("GET", "/badge/a?label=%3Cb%3E%26%22%27&color=C2297D")
    assert texts(answer)[0] == "<b>&\"'"
    assert '"#c2297d"' in answer.body
    assert "<b>" not in answer.body


@pytest.mark.parametrize(
    ("color", "digits"),
    [
        *(("green", "1d8102"), ("abc", "aabbcc"), ("%23ABC", "aabbcc"), ("%23010203", "010203")),
        *((spelling(name), digits) for name, digits in badge.COLORS.items() for spelling in (str.upper, str.title)),
    ],
)
def test_color_is_a_name_or_hexadecimal_digits(color: str, digits: str) -> None:
    assert f'"#{digits}"' in request("GET", f"/badge/a?color={color}").body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("count", value) for value in ("", "no", "True", "0", "false,true")),
        *(
            ("color", value)
            for value in (
                "",
                "Greenish",
                "blac\u212a",
                "12345",
                "1234567",
                "#",
                "red;",
                "url(x)",
                '"',
                "#gggggg",
                "\u0660" * 3,
            )
        ),
        *(("label", value) for value in ("", "x" * 41, "a\nb", "\x00", "\x7f", "\ufffe", "a\uffff")),
        *(("label", value) for value in (" ", "\u2800", " \u3000\u2800", "\u200b", "\u3164", "\u200d\ufe0f")),
        *(("label", f"a{value}b") for value in "\u202e\u202a\u2066\u2069\u200e\u200f\u061c\u2028\u2029"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_invalid_parameter_is_a_400_and_records_no_visit(method: str, field: str, value: str) -> None:
    answer = request(method, f"/badge/a?{field}={quote(value)}")
    assert answer.status == 400
    if method == "GET":
        assert answer.json["field"] == field
    assert request("GET", "/counts/a").json["count"] == 0


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        *(("a ", "a"), (" a", "a"), ("\u2800a\u2800", "a"), ("a  b", "a b"), ("a\u2800\u3000b", "a b")),
        *(("a\u00a0b", "a b"), ("cafe\u0301", "caf\u00e9")),
        # Emoji, Persian and Hebrew need these characters.
        *(
            (text, text)
            for text in ("\u2764\ufe0f", "\U0001f469\u200d\U0001f4bb", "\u0645\u06cc\u200c\u062e", "\u05d0")
        ),
    ],
)
def test_label_is_shown_as(label: str, shown: str) -> None:
    answer = request("GET", f"/badge/a?count=false&label={quote(label)}")
    assert texts(answer)[0] == shown
    assert f'aria-label="{shown}: 0"' in answer.body


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("a\u202eb", "has a character that reorders text, U+202E RIGHT-TO-LEFT OVERRIDE, at position 2"),
        ("a\n", "has a control character, U+000A, at position 2"),
        ("\u2028", "has a line separator, U+2028 LINE SEPARATOR, at position 1"),
        ("\u2800", "shows nothing"),
        ("\u200b", "shows nothing"),
        ("\u200d" + "x" * 40, "has 41 characters"),
        ("", "is empty"),
    ],
)
def test_reason_of_an_invalid_label(label: str, reason: str) -> None:
    assert request("GET", f"/badge/a?label={quote(label)}").json["reason"] == f"It {reason}."


def test_pattern_of_labels_in_the_document() -> None:
    pattern = re.compile(DOCUMENT["components"]["parameters"]["Label"]["schema"]["pattern"])
    for code in (code for code in range(0x10000) if not 0xD800 <= code < 0xE000 and code != 10):
        for label in (chr(code), f"a{chr(code)}"):
            normal = unicodedata.normalize("NFC", label)
            shown = " ".join(normal.replace(badge.BLANK, " ").split())
            assert bool(pattern.search(label)) != bool(badge._fault_of_label(normal, shown)), hex(code)


IMAGES = [
    {"Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"},
    {"Accept": "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"},
    {"Accept": "image/*"},
    {"Accept": "*/*", "Sec-Fetch-Dest": "image"},
]
"""The headers of images in Chromium and Firefox, of an image proxy, and of a browser that accepts anything."""


@pytest.mark.parametrize("headers", IMAGES, ids=str)
@pytest.mark.parametrize(
    ("target", "status", "shown"),
    [
        ("GET /badge/a?color=mauve", 400, "invalid color"),
        ("GET /badge/a?label=%00", 400, "invalid label"),
        ("GET /badge/a?count=perhaps", 400, "invalid count"),
        ("GET /badge/COUNTER", 400, "invalid tag"),
        ("GET /badge/", 400, "invalid tag"),
        ("GET /badge/a/b", 404, "not found"),
        ("GET /badge/bad", 409, "malformed count"),
        ("GET /badge/bad?count=false", 409, "malformed count"),
        ("PUT /badge/a", 405, "method not allowed"),
    ],
)
def test_problem_of_a_badge_is_an_image(
    target: str, status: int, shown: str, headers: dict[str, str], tables: Any
) -> None:
    method, target = target.split(" ")
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "bad"}, "Count": {"S": "many"}})
    answer = request(method, target, headers)
    assert (answer.status, answer.type) == (status, "image/svg+xml")
    assert texts(answer) == ["visits", shown]
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept"
    assert request("HEAD", target, headers).body == ""


@pytest.mark.parametrize(
    ("target", "accept", "kind"),
    [
        ("/badge/a?color=mauve", "*/*", "application/problem+json"),
        ("/badge/a?color=mauve", "", "application/problem+json"),
        ("/badge/a?color=mauve", "application/json, image/*", "application/problem+json"),
        ("/badge/a?color=mauve", "image/*;q=0", "application/problem+json"),
        ("/badge/a?color=mauve", "text/html,image/avif,image/webp,image/apng,*/*;q=0.8", "text/html"),
        ("/tag/COUNTER", "image/*", "application/problem+json"),
        ("/nothing", "image/*", "application/problem+json"),
    ],
)
def test_other_problems_are_no_images(target: str, accept: str, kind: str) -> None:
    assert request("GET", target, {"Accept": accept}).type == kind


@pytest.mark.usefixtures("short_budgets")
def test_badge_of_an_unavailable_database_is_an_image(refuse: Any) -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")
    refuse("update_item", *[busy] * 9)
    answer = request("GET", "/badge/a", IMAGES[0])
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert texts(answer) == ["visits", "unavailable"]


@pytest.mark.parametrize("tag", ["COUNTER", "a%00", "x" * 201])
def test_invalid_tag_is_a_400(tag: str) -> None:
    assert request("GET", f"/badge/{tag}").json["field"] == "tag"


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1_000, "1k"),
        (1_050, "1k"),
        (1_100, "1.1k"),
        (9_999, "9.9k"),
        (12_345, "12.3k"),
        (99_999, "99.9k"),
        (100_000, "100k"),
        (999_999, "999k"),
        (1_000_000, "1M"),
        (12_345_678, "12.3M"),
        (10**9, "1G"),
        (10**30, "1Q"),
        (999 * 10**30 + 10**30 - 1, "999Q"),
        (10**33, "1e33"),
        (10**38 - 1, "9e37"),
        (-1, "-1"),
        (-100, "-100"),
        (-999, "-999"),
        (-1_000, "-1k"),
        (-1_999, "-1.9k"),
        (-12_345, "-12.3k"),
        (-(10**30), "-1Q"),
        (-(10**33), "-1e33"),
    ],
)
def test_abbreviate(count: int, shown: str) -> None:
    assert badge.abbreviate(count) == shown


@pytest.mark.parametrize(("count", "shown"), [(MAX_COUNT, "999R"), (-100, "-100"), (-MAX_COUNT, "-999R")])
def test_badge_of_a_stored_count(count: int, shown: str, tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "a"}, "Count": {"N": str(count)}})
    assert texts(request("GET", "/badge/a?count=false"))[1] == shown


def test_responses_with_a_negative_count(tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "a"}, "Count": {"N": "-100"}})
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "COUNTER"}, "TotalViews": {"N": "-100"}})
    assert [request("GET", path).json["count"] for path in ("/counts/a", "/tag/a")] == [-100, -99]
    assert request("GET", "/counts?limit=5").json["total"] == -100


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_abbreviate_rounds_towards_zero(count: int) -> None:
    shown = badge.abbreviate(count)
    assert len(shown.removeprefix("-")) <= 5
    number, prefix = (shown[:-1], shown[-1]) if shown[-1].isalpha() else (shown, "")
    claimed = float(number) * 1000 ** badge.PREFIXES.index(prefix)
    assert claimed * count >= 0
    assert abs(claimed) <= abs(count) * (1 + 1e-12)
    assert count == 0 or abs(claimed) > abs(count) * (0.9 if "e" not in shown else 0.5)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=40),
    st.integers(0, 10**9),
    st.integers(0, 0xFFFFFF),
)
def test_every_label_makes_a_valid_image_that_contains_it(label: str, count: int, color: int) -> None:
    image = badge.badge(label, count, f"{color:06x}")
    root = ET.fromstring(image)
    assert [part.text for part in root.iter(f"{SVG}text")] == [label, badge.abbreviate(count)]
    frame, *sides = (int(part.attrib["width"]) for part in root.iter(f"{SVG}rect"))
    assert frame == sum(sides) == int(root.attrib["width"])


def test_marks_and_joiners_take_no_width() -> None:
    def width(label: str) -> int:
        return int(ET.fromstring(badge.badge(label, 1, "007ec6")).attrib["width"])

    assert width("e\u0301\u20dd\u200d") == width("e") < width("ee")


def test_badge_looks_like_this() -> None:
    assert badge.badge("<Will>", 7, "1d8102") == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="68" height="20" viewBox="0 0 68 20" role="img" '
        'aria-label="&lt;Will&gt;: 7"><title>&lt;Will&gt;: 7</title>'
        '<clipPath id="r"><rect width="68" height="20" rx="4"/></clipPath><g clip-path="url(#r)">'
        '<rect width="49" height="20" fill="#3d4751"/><rect x="49" width="19" height="20" fill="#1d8102"/></g>'
        '<g font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        '<text x="6" y="14" textLength="37" lengthAdjust="spacingAndGlyphs" fill="#fff">&lt;Will&gt;</text>'
        '<text x="55" y="14" textLength="7" lengthAdjust="spacingAndGlyphs" fill="#fff">7</text></g></svg>'
    )


@pytest.mark.parametrize(
    ("label", "width"),
    [("i", 6), ("iiiii", 21), ("aaa", 21), ("AAA", 24), ("mmm", 30), ("\u6f22\u6f22", 23), ("\uff21\uff21", 23)],
)
def test_width_of_a_label(label: str, width: int) -> None:
    first, _ = ET.fromstring(badge.badge(label, 7, "1d8102")).iter(f"{SVG}text")
    assert first.attrib["textLength"] == str(width)


def luminance(color: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(color[place : place + 2], 16) / 255 for place in (0, 2, 4))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio as WCAG 2.2 defines it, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def contrasts(color: str) -> tuple[float, float, float]:
    """Return the contrasts of a badge's value and label, and the best contrast that the value could have."""
    root = ET.fromstring(badge.badge("visits", 7, color))
    backgrounds = [part.attrib["fill"].removeprefix("#") for part in root.iter(f"{SVG}rect") if "fill" in part.attrib]
    texts = [part.attrib["fill"].removeprefix("#") for part in root.iter(f"{SVG}text")]
    label, value = (text * 2 if len(text) == 3 else text for text in texts)
    assert backgrounds[1] == color
    return (
        contrast(value, color),
        contrast(label, backgrounds[0]),
        max(contrast("ffffff", color), contrast("16191f", color)),
    )


@pytest.mark.parametrize("name", badge.COLORS)
def test_text_on_a_named_color_is_readable(name: str) -> None:
    value, label, _ = contrasts(badge.COLORS[name])
    # WCAG 2.2, success criterion 1.4.3.
    assert (value >= 4.5, label >= 4.5) == (True, True), (value, label)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 0xFFFFFF))
@example(0x757575)
@example(0x7B7B7B)
@example(0x7E7E7E)
def test_text_on_any_color_has_the_higher_contrast(color: int) -> None:
    value, label, best = contrasts(f"{color:06x}")
    assert label >= 4.5
    assert value == pytest.approx(best, rel=1e-9)
    assert value >= 4.1
