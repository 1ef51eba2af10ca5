"""Malformed and malicious requests cause no server errors and inject no headers or markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.wire import Ask, Reply, Wire
from tests.share import times

LONG: Final = {
    "letters": b"a" * 8_192,
    "escaped letters": b"%61" * 2_700,
    "combining marks": b"a" + b"%CC%81" * 1_360,
    "composed letters": b"%C3%A9" * 1_360,
    "slashes": b"/" * 8_192,
    "escaped slashes": b"%2F" * 2_700,
    "steps up": b"../" * 2_700,
    "escaped percent signs": b"%25" * 2_700,
    "percent signs": b"%" * 8_192,
    "not UTF-8": b"%F0" * 2_700,
    "null bytes": b"%00" * 2_700,
}
ROUTES: Final = (b"/tag/", b"/tags/", b"/counts/", b"/count/", b"/badge/")
PIECES: Final = (
    b"/ // . .. %2e %2E%2e %2F %5C \\ %00 % %2 %zz %25 %252F %FF %C0%AF %ED%A0%80 %EF%BF%BD %E2%80%AE ? & = # ; %3F "
    b"%23 + tag counts badge static openapi.json COUNTER {tag} * $default < > \" '"
).split()
UNREADABLE: Final = {
    "a raw byte that is not ASCII": b"/tag/\xff",
    "a space": b"/tag/a b",
    "a tab": b"/tag/a\tb",
    "a null byte": b"/tag/a\x00b",
    "an empty target": b"",
}


def assert_common_rules(reply: Reply) -> None:
    """Check the rules that apply to every answer."""
    assert reply.status < 500, reply
    assert "set-cookie" not in reply.headers
    assert "injected" not in reply.headers
    if reply.status >= 400 and reply.body and "text/html" not in reply.ask.headers.get("Accept", ""):
        assert reply.type == "application/problem+json", reply
        assert reply.json["status"] == reply.status
    if "text/html" in reply.headers.get("content-type", ""):
        assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("path", LONG.values(), ids=LONG)
def test_path_of_eight_kilobytes_is_rejected(wire: Wire, path: bytes) -> None:
    for reply in wire.all(Ask("GET", route + path) for route in ROUTES):
        assert_common_rules(reply)
        assert reply.status in (400, 404)
        assert len(reply.body) < 2_000


def test_request_larger_than_the_gateways_limit_is_rejected(wire: Wire) -> None:
    assert 400 <= wire.send("GET", b"/tag/" + b"a" * 100_000).status < 500
    assert wire.send("GET", b"/counts").status == 200


@pytest.mark.parametrize("target", UNREADABLE.values(), ids=UNREADABLE)
def test_request_that_is_not_http_does_not_reach_a_function(wire: Wire, target: bytes) -> None:
    reply = wire.send("POST", target)
    assert (reply.status, reply.body) == (400, b"")


@settings(settings.get_profile("http"), max_examples=times(30))
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), min_size=6, max_size=6))
def test_no_path_causes_a_server_error(wire: Wire, rests: list[bytes]) -> None:
    starts = (b"/", *ROUTES)
    for reply in wire.all(Ask("GET", starts[number] + rest) for number, rest in enumerate(rests)):
        assert_common_rules(reply)


@settings(settings.get_profile("http"), max_examples=times(15))
@given(st.lists(st.tuples(st.text(max_size=45), st.text(max_size=10)), min_size=4, max_size=4))
def test_badge_with_any_label_and_color(wire: Wire, drawn: list[tuple[str, str]]) -> None:
    requests = [f"/badge/drawn?count=false&label={quote(label)}&color={quote(color)}" for label, color in drawn]
    requests += [f"/badge/drawn?count=false&label={quote(label)}" for label, _ in drawn]
    for reply in wire.all(Ask("GET", target.encode()) for target in requests):
        assert_common_rules(reply)
        if reply.status == 200:
            image = ET.fromstring(reply.body)
            assert image.tag == "{http://www.w3.org/2000/svg}svg"
            assert {element.tag.rpartition("}")[2] for element in image.iter()} <= {
                *("svg", "title", "clipPath", "rect", "g", "text"),
            }
            assert image.findtext("{*}title") is not None
        else:
            assert reply.json["field"] in ("label", "color")


@settings(settings.get_profile("http"), max_examples=times(15))
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["limit", "cursor", "v", "<b>", "a"]), st.text(max_size=12)),
        min_size=1,
        max_size=6,
    )
)
def test_no_query_causes_a_server_error(wire: Wire, queries: list[dict[str, str]]) -> None:
    texts = ["&".join(f"{quote(name)}={quote(value)}" for name, value in query.items()) for query in queries]
    accepts = ({"Accept": "application/json"}, {"Accept": "text/html"})
    requests = [
        Ask("GET", f"{path}?{text}".encode(), accepts[number % 2])
        for number, text in enumerate(texts)
        for path in ("/", "/counts", "/static/counter.css")
    ]
    for reply in wire.all(requests):
        assert_common_rules(reply)
        assert reply.type != "text/html" or b"<b>" not in reply.body


HEADER = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)


@settings(settings.get_profile("http"), max_examples=times(15))
@given(st.lists(st.tuples(HEADER, HEADER, HEADER), min_size=4, max_size=4))
def test_no_header_causes_a_server_error(wire: Wire, headers: list[tuple[str, str, str]]) -> None:
    requests = [
        Ask("POST", b"/tag/headers", {"Accept": accept, "Idempotency-Key": key, "Sec-Purpose": purpose})
        for accept, key, purpose in headers
    ]
    for reply in wire.all(requests):
        assert_common_rules(reply)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_line_breaks_do_not_inject_headers(wire: Wire, method: str) -> None:
    payload = b"x%0d%0aInjected:%20yes%0d%0a%0d%0a<html>"
    for target in (b"/tag/" + payload, b"/badge/x?label=" + payload, b"/counts?cursor=" + payload, b"/" + payload):
        reply = wire.send(method, target)
        assert_common_rules(reply)
        assert reply.status >= 400
        assert reply.type == "application/problem+json"
