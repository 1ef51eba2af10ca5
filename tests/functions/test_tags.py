"""Valid and invalid tags, as they arrive in a path."""

import json
import re
import unicodedata
from typing import Any
from urllib.parse import quote

import idna
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions import record_visit
from functions.counting import tags
from functions.http.problems import ProblemError
from tests.functions.gateway import DOCUMENT, event, request

pytestmark = pytest.mark.usefixtures("tables")

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
"""The Persian word for "I want": a non-joiner separates its two parts."""

VALID = {
    "tech": "tech",
    "%3Cscript%3E": "<script>",
    "a%20b": "a b",
    "a+b": "a+b",
    "a%2Bb": "a+b",
    "%C3%A4": "ä",
    "a%CC%88": "ä",
    "%F0%9F%A6%86": "🦆",
    "Tech": "Tech",
    "counter": "counter",
    "...": "...",
    "a.": "a.",
    "%20": " ",
    "a" * 200: "a" * 200,
    "a%CC%88" * 200: "ä" * 200,
    "%F0%9F%A6%86" * 200: "🦆" * 200,
    "a%C2%A0b": "a b",
    "%E3%80%80a%20": " a ",
    "%F0%9F%91%8D%F0%9F%8F%BD": "👍🏽",
    "%F0%9F%87%AB%F0%9F%87%B7": "🇫🇷",
    quote(PERSIAN): PERSIAN,
    quote("क्\u200dष"): "क्\u200dष",
    quote("\u1112\u1161\u11ab"): "한",
    "a%3Bb=c,d": "a;b=c,d",
    "me@home:~$!*'()": "me@home:~$!*'()",
}
INVALID = [
    "COUNTER",
    "%43OUNTER",
    ".",
    "..",
    "%2E%2E",
    "%00",
    "a%0A",
    "%7F",
    "%C2%85",
    "a" * 201,
    "%FF",
    "%C3",
    "a" * 8000,
]
INVALID += ["100%25", "%253C", "%25252F", "a%3Fb"]
INVALID += [
    quote(f"a{character}b")
    for character in "\u202e\u200b\u200c\u200d\u00ad\u2066\u2028\ufe0f\u3164\ue000\U000e0041\u0378"
]
INVALID += [quote(sequence) for sequence in ("❤\ufe0f", "👩\u200d💻", "ب\u200c\u200cب", "ب\u200dب")]


@pytest.mark.parametrize("sent", VALID, ids=range(len(VALID)))
def test_valid_tag_is_decoded_and_normalised(sent: str) -> None:
    assert request("GET", f"/tag/{sent}").json["tag"] == VALID[sent]
    assert request("GET", f"/counts/{quote(quote(VALID[sent], safe=''), safe='%')}").json["count"] == 1


@pytest.mark.parametrize("sent", INVALID, ids=range(len(INVALID)))
@pytest.mark.parametrize(
    ("method", "prefix"),
    [("GET", "/tag/"), ("POST", "/tag/"), ("GET", "/tags/"), ("GET", "/counts/"), ("GET", "/count/"), ("PUT", "/tag/")],
)
def test_invalid_tag_is_a_problem_that_states_the_rules(method: str, prefix: str, sent: str, tables: Any) -> None:
    answer = request(method, prefix + sent)
    assert answer.status == 400
    problem = answer.json
    assert problem["field"] == "tag"
    assert len(problem["value"]) <= 101
    assert "200 characters" in problem["detail"]
    assert tables.scan(TableName="visits")["Count"] == 0


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("COUNTER", "is reserved"),
        ("a" * 201, "has 201 characters"),
        ("a%E2%80%8Bb", "has an invisible character, U+200B ZERO WIDTH SPACE, at position 2"),
        ("a" * 150 + "%E2%80%AE", "has an invisible character, U+202E RIGHT-TO-LEFT OVERRIDE, at position 151"),
        ("%E2%9D%A4%EF%B8%8F", "has an invisible character, U+FE0F VARIATION SELECTOR-16, at position 2"),
        ("%E3%85%A4", "has an invisible character, U+3164 HANGUL FILLER, at position 1"),
        ("a%E2%80%8D", "has an invisible character, U+200D ZERO WIDTH JOINER, at position 2"),
        ("a%00", "has a control character, U+0000, at position 2"),
        ("%E2%80%A8", "has a line separator, U+2028 LINE SEPARATOR, at position 1"),
        ("%EE%80%80", "has a private-use character, U+E000, at position 1"),
        ("a%CD%B8", "has an unassigned character, U+0378, at position 2"),
        ("a%FF", "has bytes that are not UTF-8, at position 2"),
        ("a%3Fb", "has a '?' at position 2"),
        ("100%25", "has a '%' at position 4"),
    ],
)
def test_reason_of_an_invalid_tag(sent: str, reason: str) -> None:
    problem = request("GET", f"/tag/{sent}").json
    assert problem["reason"] == f"It {reason}."
    assert f", which {reason}; it must be 1 to 200 characters" in problem["detail"]


def test_reason_of_an_empty_tag_and_of_a_slash() -> None:
    assert request("GET", "/tag/").json["reason"] == "It is empty."
    made = event("GET", "/tag/a") | {"rawPath": "/tag/a/b", "pathParameters": {"tag": "a%2Fb"}}
    assert json.loads(record_visit.handler(made, None)["body"])["reason"] == "It has a slash."


@pytest.mark.parametrize(
    ("target", "headers", "reason"),
    [
        ("/counts?limit=5%E2%80%8B", {}, "has an invisible character, U+200B ZERO WIDTH SPACE, at position 2"),
        ("/counts?cursor=%C2%AD", {}, "has an invisible character, U+00AD SOFT HYPHEN, at position 1"),
        ("/badge/a?color=red%0A", {}, "has a control character, U+000A, at position 4"),
        (
            "/badge/a?count=true%EF%BB%BF",
            {},
            "has an invisible character, U+FEFF ZERO WIDTH NO-BREAK SPACE, at position 5",
        ),
        ("/tag/a", {"Idempotency-Key": "k\x7f"}, "has a control character, U+007F, at position 2"),
        ("/counts?limit=many", {}, None),
    ],
)
def test_reason_of_other_invalid_values(target: str, headers: dict[str, str], reason: str | None) -> None:
    problem = request("POST" if headers else "GET", target, headers).json
    assert problem["status"] == 400
    assert problem.get("reason") == (f"It {reason}." if reason else None)


@pytest.mark.parametrize("arrived", ["%FF", "a%C3", "\ud800", "%ED%A0%80", "100%", "a%41", "literal?value", "a/b"])
def test_characters_that_a_gateway_alters_are_rejected(arrived: str) -> None:
    with pytest.raises(ProblemError):
        tags.validate_tag(arrived)


# Derived from the Unicode Character Database 18.0, DerivedCoreProperties.txt.
DEFAULT_IGNORABLE = [
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
]


def is_tag(text: str) -> bool:
    try:
        tags.validate_tag(text)
    except ProblemError:
        return False
    return True


def test_only_visible_characters_are_accepted() -> None:
    ignorable = {code for first, last in DEFAULT_IGNORABLE for code in range(first, last + 1)}
    # RFC 8264, section 4.3.1: letters and digits, marks, spaces, symbols and punctuation.
    visible = {code for code in range(0x110000) if unicodedata.category(chr(code))[0] in "LMNPS"} - ignorable
    visible |= {code for code in range(0x110000) if unicodedata.category(chr(code)) == "Zs"}
    accepted = {code for code in range(0x110000) if not tags._is_disallowed(f"a{chr(code)}a", 1)}
    assert accepted == visible - {ord(character) for character in "/?%\ufffd"}


def test_pattern_of_the_document() -> None:
    pattern = re.compile(DOCUMENT["components"]["schemas"]["Tag"]["pattern"])
    for code in range(0x110000):
        allowed = not tags._is_disallowed(f"a{chr(code)}a", 1)
        # The document describes unassigned and later code points and joiners in words.
        if code > 0xFFFF:
            assert pattern.search(chr(code)), hex(code)
        elif unicodedata.category(chr(code)) not in ("Cn", "Cs") and code not in (0x200C, 0x200D):
            assert bool(pattern.search(chr(code))) == allowed, hex(code)


def test_every_space_becomes_one_character() -> None:
    spaces = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Zs"]
    assert len(spaces) > 10
    assert {tags.validate_tag(f"a{space}b") for space in spaces} == {"a b"}


JOINED = ["\u0628", "\u0627", "\u0648", "\u06cc", "a", "क", "\u094d", "\u064b", "\u0301", "-", "\u200c", "\u200d"]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(JOINED), min_size=1, max_size=8).map("".join))
@example("\u0628\u064b\u200c\u064b\u0628")
@example("\u0627\u064b\u200c\u064b\u0628")
def test_joiner_is_accepted_where_idna_accepts_it(text: str) -> None:
    tag = unicodedata.normalize("NFC", text)
    places = [index for index, character in enumerate(tag) if character in "\u200c\u200d"]
    assert is_tag(text) == all(idna.valid_contextj(tag, index) for index in places)


def test_validating_a_tag_again_does_not_change_it() -> None:
    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(
        st.text(max_size=20)
        | st.lists(st.sampled_from([*JOINED, "\u2000", "\u2126", "ä", "\u1112", "\u1161"])).map("".join)
    )
    def holds(text: str) -> None:
        if is_tag(text):
            assert tags.validate_tag(tags.validate_tag(text)) == tags.validate_tag(text)

    holds()


def test_tags_are_case_sensitive() -> None:
    request("GET", "/tag/Tech")
    assert request("GET", "/counts/tech").json["count"] == 0
