"""Listing the tags page by page."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.counting import listing
from functions.http.problems import ProblemError
from tests.functions.conftest import TABLE
from tests.functions.gateway import request


def put(tables: Any, *tags: str) -> None:
    for number, tag in enumerate(tags, 1):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": tag}, "Count": {"N": str(number)}})


def pages(limit: int) -> list[list[dict[str, Any]]]:
    found, cursor = [], ""
    while True:
        answer = request("GET", f"/counts?limit={limit}{cursor}").json
        found.append(answer["tags"])
        if answer["nextCursor"] is None:
            return found
        cursor = f"&cursor={answer['nextCursor']}"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_every_tag_is_on_exactly_one_page(tables: Any, limit: int) -> None:
    names = ["a", "ä", "<b>", "c/d", "🦆", "x" * 200, "COUNTERS"]
    put(tables, *names)
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "COUNTER"}, "TotalViews": {"N": "28"}, "Count": {"N": "5"}})
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "note"}, "Text": {"S": "not a tag"}})
    found = pages(limit)
    assert all(len(page) <= limit for page in found)
    assert {row["tag"]: row["count"] for page in found for row in page} == {tag: n for n, tag in enumerate(names, 1)}
    assert sum(map(len, found)) == len(names)


def test_list_includes_the_total(tables: Any) -> None:
    assert request("GET", "/counts?limit=5").json == {"total": 0, "asOf": None, "tags": [], "nextCursor": None}


def test_cursor_without_a_limit_has_the_default_limit(tables: Any) -> None:
    put(tables, *(f"tag {number}" for number in range(60)))
    first = request("GET", "/counts?limit=1").json
    rest = request("GET", f"/counts?cursor={first['nextCursor']}").json
    assert len(rest["tags"]) == 50


def test_page_without_any_tags_still_has_a_cursor(tables: Any) -> None:
    for number in range(30):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": f"note {number}"}})
    put(tables, "a")
    found = pages(1)
    assert [row["tag"] for page in found for row in page] == ["a"]
    assert len(found) > 1


def test_page_takes_ten_database_requests_at_most(tables: Any, refuse: Any) -> None:
    for number in range(30):
        tables.put_item(TableName=TABLE, Item={"ID": {"S": f"note {number}"}})
    scans = refuse("scan")
    assert request("GET", "/counts?limit=1").json["tags"] == []
    assert len(scans) == 10


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "x", "", "007", "1,2", "%D9%A3", "5%20", "1e1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_malformed_limit_is_a_400(tables: Any, method: str, limit: str) -> None:
    answer = request(method, f"/counts?limit={limit}")
    assert answer.status == 400
    if method == "GET":
        assert answer.json["field"] == "limit"
        assert "1 to 100" in answer.json["detail"]


VALID = listing._encode_cursor("a")
MALFORMED = [
    "",
    "!",
    "a",
    "abc",
    "dGVzdA",
    "not-a-cursor",
    "AAAAAA",
    "x" * 4000,
    VALID + "%3D",
    VALID + "%0A",
    VALID + "A",
    VALID[:-1],
]


@pytest.mark.parametrize("cursor", MALFORMED)
def test_malformed_cursor_is_a_400(tables: Any, cursor: str) -> None:
    answer = request("GET", f"/counts?limit=5&cursor={cursor}")
    assert (answer.status, answer.json["field"]) == (400, "cursor")


@pytest.mark.parametrize(("sent", "shown"), [("x" * 100, "x" * 100), ("x" * 101, f"{'x' * 100}…")])
def test_problem_shows_100_characters_of_a_value(sent: str, shown: str) -> None:
    assert request("GET", f"/counts?cursor={sent}").json["value"] == shown


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=50))
def test_any_text_is_a_valid_cursor_or_rejected(text: str) -> None:
    try:
        key = listing._decode_cursor(text)
    except ProblemError:
        return
    assert listing._encode_cursor(key) == text


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()))
def test_every_tag_has_a_cursor(tag: str) -> None:
    assert listing._decode_cursor(listing._encode_cursor(tag)) == tag


@pytest.mark.parametrize("character", ["x", "ä"])
def test_cursor_of_the_longest_key(character: str) -> None:
    longest = character * (2048 // len(character.encode()))
    assert listing._decode_cursor(listing._encode_cursor(longest)) == longest
    with pytest.raises(ProblemError):
        listing._decode_cursor(listing._encode_cursor(f"{longest}x"))
