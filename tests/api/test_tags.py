"""Whatever a tag is made of, it is counted, read and shown as itself, or refused with the reason."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.http.routes import document
from tests.api.pages import read_page
from tests.api.wire import Ask, Reply, Wire

# Of type Any, since each is a literal type of its own to hypothesis.
CATEGORIES: Final[list[Any]] = (
    "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()  # noqa: SIM905
)
MARKUP: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-->]]>",
    "&lt;&amp;&#60;",
    "{{7*7}}${7*7}",
    "</title></bdi><!--",
)
TAG: Final = Draft202012Validator(json.loads(document())["components"]["schemas"]["Tag"])
HTML: Final = {"Accept": "text/html"}


def tag_of(sent: bytes) -> str | None:
    """Return the tag that bytes are, as the API's document has it; None if they are none."""
    try:
        text = sent.decode()
    except UnicodeDecodeError:
        return None
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)
    tag = unicodedata.normalize("NFC", spaced)
    assigned = all(unicodedata.category(character) != "Cn" for character in tag)
    # The texts drawn here put no joiner between letters that it joins.
    return tag if TAG.is_valid(tag) and assigned and not set(tag) & set("\u200c\u200d") else None


def in_bytes(text: str) -> bytes:
    # A surrogate has no UTF-8; its bytes are what careless encoders send.
    return text.encode("utf-8", "surrogatepass")


def plain(sent: bytes) -> bytes:
    """Encode all that must be."""
    return quote(sent, safe="").encode()


def spelt_out(sent: bytes) -> bytes:
    """Encode every byte, in lower case."""
    return b"".join(b"%%%02x" % byte for byte in sent)


def as_it_is(sent: bytes) -> bytes:
    """Encode as little as HTTP allows: a target may hold what no URL does."""
    return b"".join(
        bytes([byte]) if 0x21 <= byte <= 0x7E and chr(byte) not in "%?#/" else b"%%%02X" % byte for byte in sent
    )


def counts(wire: Wire, tags: Iterable[str]) -> dict[str, int]:
    replies = wire.all(Ask("GET", b"/counts/" + plain(in_bytes(tag))) for tag in tags)
    return {reply.json["tag"]: reply.json["count"] for reply in replies}


def assert_is_refused(reply: Reply) -> None:
    """Hold a refusal to its form. An empty tag, or one with a slash, may find no route."""
    assert reply.status in (400, 404), reply
    assert reply.type == "application/problem+json"
    assert reply.json["status"] == reply.status
    assert reply.status == 404 or reply.json["field"] == "tag"


@settings(settings.get_profile("http"), max_examples=5)
@given(
    st.tuples(*(st.text(st.characters(categories=[category]), min_size=1, max_size=6) for category in CATEGORIES)),
    st.lists(st.text(max_size=12) | st.sampled_from(MARKUP), min_size=6, max_size=6),
)
def test_a_tag_of_any_category_is_counted_under_itself(wire: Wire, pure: tuple[str, ...], mixed: list[str]) -> None:
    sent = [in_bytes(text) for text in (*pure, *mixed, "".join(pure))]
    good = Counter(tag for tag in map(tag_of, sent) if tag is not None)
    before = counts(wire, good)
    spellings = [plain, spelt_out, as_it_is]
    asked = [
        Ask("POST" if number % 2 else "GET", prefix + spellings[number % 3](one))
        for number, one in enumerate(sent)
        for prefix in (b"/tag/" if number % 4 < 2 else b"/tags/",)
    ]
    for one, reply in zip(sent, wire.all(asked), strict=True):
        tag = tag_of(one)
        if tag is None:
            assert_is_refused(reply)
        else:
            assert (reply.status, reply.json["tag"]) == (200, tag)
    assert counts(wire, good) == {tag: before[tag] + visits for tag, visits in good.items()}


@settings(settings.get_profile("http"), max_examples=6)
@given(st.lists(st.text(max_size=30) | st.sampled_from(MARKUP), min_size=6, max_size=6))
def test_a_page_shows_any_tag_as_text_and_nothing_else(wire: Wire, texts: list[str]) -> None:
    tags = [tag for tag in (tag_of(in_bytes(text)) for text in (*texts, MARKUP[2])) if tag is not None]
    assert tags
    for route, prefix in (("count", b"/counts/"), ("visit", b"/tag/")):
        usual = read_page(wire.send("GET", prefix + b"usual", HTML).text)
        replies = wire.all(Ask("GET", prefix + plain(in_bytes(tag)), HTML) for tag in tags)
        for tag, reply in zip(tags, replies, strict=True):
            assert (reply.status, reply.type) == (200, "text/html")
            page = read_page(reply.text)
            assert page.elements == usual.elements, f"the {route} page of {tag!r} has another structure"
            assert tag in page.texts, f"the {route} page of {tag!r} does not show it"
            assert f"../tag/{quote(in_bytes(tag), safe='')}" in page.values


@settings(settings.get_profile("http"), max_examples=40)
@given(st.lists(st.binary(max_size=24), min_size=5, max_size=5))
def test_any_bytes_are_a_tag_or_refused(wire: Wire, sent: list[bytes]) -> None:
    for one, reply in zip(sent, wire.all(Ask("GET", b"/counts/" + spelt_out(one)) for one in sent), strict=True):
        tag = tag_of(one)
        if tag is None:
            assert_is_refused(reply)
        else:
            assert (reply.status, reply.json["tag"]) == (200, tag)
