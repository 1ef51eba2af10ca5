"""Any text is either a tag that is counted, read and shown unchanged, or rejected with the reason."""

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
from tests.api.wire import Ask, Reply, Wire
from tests.api.words import is_forbidden_in_words
from tests.outline import Outline
from tests.share import times

# Typed as Any, because hypothesis declares each category as a literal type.
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
    """Return the tag that `sent` is according to the OpenAPI document, None if it is not a tag."""
    try:
        text = sent.decode()
    except UnicodeDecodeError:
        return None
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)
    tag = unicodedata.normalize("NFC", spaced)
    # In the texts drawn here, joiners are never in an allowed position.
    return tag if TAG.is_valid(tag) and not any(map(is_forbidden_in_words, tag)) else None


def in_bytes(text: str) -> bytes:
    # Surrogates have no valid UTF-8 encoding; careless encoders send these bytes.
    return text.encode("utf-8", "surrogatepass")


def encoded(sent: bytes) -> bytes:
    """Percent-encode the bytes that must be encoded."""
    return quote(sent, safe="").encode()


def fully_encoded(sent: bytes) -> bytes:
    """Percent-encode every byte, in lower case."""
    return b"".join(b"%%%02x" % byte for byte in sent)


def barely_encoded(sent: bytes) -> bytes:
    """Percent-encode as little as HTTP allows: request targets may contain characters that URLs must not."""
    return b"".join(
        bytes([byte]) if 0x21 <= byte <= 0x7E and chr(byte) not in "%?#/" else b"%%%02X" % byte for byte in sent
    )


def counts(wire: Wire, tags: Iterable[str]) -> dict[str, int]:
    replies = wire.all(Ask("GET", b"/counts/" + encoded(in_bytes(tag))) for tag in tags)
    return {reply.json["tag"]: reply.json["count"] for reply in replies}


def assert_is_rejected(reply: Reply) -> None:
    """Check the form of a rejection. An empty tag, or one with a slash, may have no route."""
    assert reply.status in (400, 404), reply
    assert reply.type == "application/problem+json"
    assert reply.json["status"] == reply.status
    assert reply.status == 404 or reply.json["field"] == "tag"


@settings(settings.get_profile("http"), max_examples=times(5))
@given(
    st.tuples(*(st.text(st.characters(categories=[category]), min_size=1, max_size=6) for category in CATEGORIES)),
    st.lists(st.text(max_size=12) | st.sampled_from(MARKUP), min_size=6, max_size=6),
)
def test_tag_of_any_category_is_counted_under_its_own_name(wire: Wire, pure: tuple[str, ...], mixed: list[str]) -> None:
    sent = [in_bytes(text) for text in (*pure, *mixed, "".join(pure))]
    valid = Counter(tag for tag in map(tag_of, sent) if tag is not None)
    before = counts(wire, valid)
    spellings = [encoded, fully_encoded, barely_encoded]
    requests = [
        Ask("POST" if number % 2 else "GET", prefix + spellings[number % 3](one))
        for number, one in enumerate(sent)
        for prefix in (b"/tag/" if number % 4 < 2 else b"/tags/",)
    ]
    for one, reply in zip(sent, wire.all(requests), strict=True):
        tag = tag_of(one)
        if tag is None:
            assert_is_rejected(reply)
        else:
            assert (reply.status, reply.json["tag"]) == (200, tag)
    assert counts(wire, valid) == {tag: before[tag] + visits for tag, visits in valid.items()}


@settings(settings.get_profile("http"), max_examples=times(6))
@given(st.lists(st.text(max_size=30) | st.sampled_from(MARKUP), min_size=6, max_size=6))
def test_page_shows_any_tag_as_plain_text(wire: Wire, texts: list[str]) -> None:
    tags = [tag for tag in (tag_of(in_bytes(text)) for text in (*texts, MARKUP[2])) if tag is not None]
    assert tags
    for route, prefix in (("count", b"/counts/"), ("visit", b"/tag/")):
        usual = Outline(wire.send("GET", prefix + b"usual", HTML).text)
        replies = wire.all(Ask("GET", prefix + encoded(in_bytes(tag)), HTML) for tag in tags)
        for tag, reply in zip(tags, replies, strict=True):
            assert (reply.status, reply.type) == (200, "text/html")
            page = Outline(reply.text)
            assert page.elements == usual.elements, f"the {route} page of {tag!r} has another structure"
            assert tag in page.texts, f"the {route} page of {tag!r} does not show it"
            assert f"../tag/{quote(in_bytes(tag), safe='')}" in page.values("action")


@settings(settings.get_profile("http"), max_examples=times(40))
@given(st.lists(st.binary(max_size=24), min_size=5, max_size=5))
def test_any_bytes_are_a_tag_or_rejected(wire: Wire, sent: list[bytes]) -> None:
    for one, reply in zip(sent, wire.all(Ask("GET", b"/counts/" + fully_encoded(one)) for one in sent), strict=True):
        tag = tag_of(one)
        if tag is None:
            assert_is_rejected(reply)
        else:
            assert (reply.status, reply.json["tag"]) == (200, tag)
