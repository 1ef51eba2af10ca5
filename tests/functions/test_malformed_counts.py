"""Counts that something else made malformed: what visits and reads answer, and what the total makes of them."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest

from functions.dynamodb.items import MAX_COUNT
from tests.doubles import client_error
from tests.functions.conftest import TABLE, forget
from tests.functions.events import deliver, put, stored, total
from tests.functions.gateway import request

HUGE = "9" * 38
READS = [("GET", "/counts/a"), ("GET", "/count/a"), ("GET", "/badge/a?count=false")]
VISITS = [("GET", "/tag/a"), ("POST", "/tag/a"), ("GET", "/tags/a"), ("POST", "/tags/a"), ("GET", "/badge/a")]
REFUSED, ADDED = "The visit was not counted.", "The visit was added to it."
ELSEWHERE = "The visit was counted in another item of the tag."


def detail(method: str, target: str, **headers: str) -> str:
    """Return the detail of a 409."""
    answer = request(method, target, headers)
    assert (answer.status, answer.type) == (409, "application/problem+json")
    return str(answer.json["detail"])


@pytest.mark.parametrize("value", [{"N": "2.5"}, {"S": "7"}, {"N": HUGE}, {"N": "1E+37"}, {"NULL": True}, {"M": {}}])
@pytest.mark.parametrize(("method", "target"), READS)
def test_read_of_malformed_count_is_a_409(tables: Any, value: Any, method: str, target: str) -> None:
    put(tables, "a", value)
    shown = stored(tables, "a")["Count"]
    assert detail(method, target) == (
        f"A stored count of the tag is {shown}; it must be a whole number of at most 30 digits. "
        "The tag has no count until it is mended."
    )


@pytest.mark.parametrize(
    ("value", "outcome", "after"),
    [
        ({"S": "7"}, REFUSED, {"S": "7"}),
        ({"SS": ["7"]}, REFUSED, {"SS": ["7"]}),
        ({"BOOL": True}, REFUSED, {"BOOL": True}),
        ({"N": "2.5"}, ADDED, {"N": "3.5"}),
        ({"N": str(MAX_COUNT)}, ADDED, {"N": str(MAX_COUNT + 1)}),
    ],
)
@pytest.mark.parametrize("visit", VISITS, ids=" ".join)
def test_visit_of_malformed_count_is_a_409_with_its_outcome(
    tables: Any, value: Any, outcome: str, after: Any, visit: tuple[str, str]
) -> None:
    put(tables, "a", value)
    assert detail(*visit).endswith(f"until it is mended. {outcome}")
    assert stored(tables, "a")["Count"] == after


@pytest.mark.parametrize("value", [{"N": "2.5"}, {"S": "7"}, {"N": HUGE}])
def test_keyed_visit_of_malformed_count_is_a_409(tables: Any, value: Any) -> None:
    put(tables, "a", value)
    keyed = {"Idempotency-Key": "key"}
    assert detail("POST", "/tag/a", **keyed).endswith(f"until it is mended. {REFUSED}")
    assert stored(tables, "a")["Count"] == value
    put(tables, "a", 7)
    assert request("POST", "/tag/a", keyed).json["count"] == 8


def test_replay_is_answered_although_the_count_is_malformed(tables: Any) -> None:
    put(tables, "a", 7)
    first = request("POST", "/tag/a", {"Idempotency-Key": "key"})
    put(tables, "a", {"N": "2.5"})
    again = request("POST", "/tag/a", {"Idempotency-Key": "key"})
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (200, first.body, "true")
    assert request("POST", "/tag/b", {"Idempotency-Key": "key"}).status == 422
    put(tables, "b", {"N": "2.5"})
    assert request("POST", "/tag/b", {"Idempotency-Key": "key"}).status == 422
    assert stored(tables, "b")["Count"] == {"N": "2.5"}


def test_count_that_is_mended_is_counted_and_shown_again(tables: Any) -> None:
    put(tables, "a", {"S": "x"})
    assert request("POST", "/tag/a").status == 409
    put(tables, "a", 7)
    assert request("POST", "/tag/a").json == {"tag": "a", "count": 8}


@pytest.mark.parametrize(
    ("value", "count"), [({"N": "1E+2"}, 100), ({"N": "5.0"}, 5), ({"N": str(MAX_COUNT)}, MAX_COUNT)]
)
def test_unusual_whole_numbers_are_counts(tables: Any, value: Any, count: int) -> None:
    put(tables, "a", value)
    assert request("GET", "/counts/a").json["count"] == count


@pytest.mark.parametrize("bad", [0, 1])
def test_spread_tag_with_one_malformed_item(tables: Any, monkeypatch: pytest.MonkeyPatch, bad: int) -> None:
    monkeypatch.setenv("ITEMS_PER_TAG", "2")
    forget()
    put(tables, "a", 4, Spread={"N": "2"})
    put(tables, "a/%/1", 3)
    assert request("GET", "/counts/a").json["count"] == 7
    items = ["a", "a/%/1"]
    put(tables, items[bad], {"S": "x"}, **({"Spread": {"N": "2"}} if not bad else {}))
    for index, outcome in ((bad, REFUSED), (1 - bad, ELSEWHERE)):
        monkeypatch.setattr("random.randrange", lambda _, index=index: index)
        assert detail("POST", "/tag/a").endswith(f"until it is mended. {outcome}")
    assert stored(tables, items[1 - bad])["Count"] == {"N": "5" if bad else "4"}
    assert detail("POST", "/tag/a", **{"Idempotency-Key": "key"}).endswith(f"until it is mended. {REFUSED}")
    assert "until it is mended" in detail("GET", "/counts/a")
    assert "until it is mended" in detail("GET", "/badge/a?count=false")
    assert request("GET", "/counts?limit=5").json["tags"] == []
    put(tables, items[bad], 1, **({"Spread": {"N": "2"}} if not bad else {}))
    assert request("GET", "/counts/a").json["count"] == (6 if bad else 5)


def test_new_item_of_tag_with_malformed_first_item(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITEMS_PER_TAG", "2")
    forget()
    put(tables, "a", {"S": "x"})
    monkeypatch.setattr("random.randrange", lambda _: 1)
    assert detail("POST", "/tag/a").endswith(REFUSED)
    assert stored(tables, "a/%/1") is None


def test_list_leaves_malformed_counts_out(tables: Any) -> None:
    for tag, value in (("a", 1), ("text", {"S": "7"}), ("half", {"N": "2.5"}), ("huge", {"N": HUGE}), ("b", 2)):
        put(tables, tag, value)
    listed = request("GET", "/counts?limit=100").json["tags"]
    assert {row["tag"]: row["count"] for row in listed} == {"a": 1, "b": 2}


def test_browser_gets_the_409_as_a_page(tables: Any) -> None:
    put(tables, "a", {"S": "<b>"})
    answer = request("GET", "/counts/a", {"Accept": "text/html"})
    assert (answer.status, answer.type) == (409, "text/html")
    assert "&lt;b&gt;" in answer.body


@pytest.mark.usefixtures("short_budgets")
def test_refused_visit_whose_count_cannot_be_read_is_a_503(tables: Any, refuse: Any) -> None:
    put(tables, "a", {"S": "7"})
    refuse("get_item", client_error("ThrottlingException"))
    answer = request("POST", "/tag/a")
    assert answer.status == 503
    assert "The visit was not counted" in answer.json["detail"]


def test_other_validation_error_is_a_500(tables: Any, refuse: Any) -> None:
    refuse("update_item", client_error("ValidationException"))
    assert request("POST", "/tag/a").status == 500


# The total.


@pytest.mark.parametrize(
    "value",
    [{"N": "2.5"}, {"S": "7"}, {"N": HUGE}, {"N": "9.9E+37"}, {"NULL": True}, {"N": str(MAX_COUNT + 1)}],
)
def test_malformed_count_is_0_in_the_total_until_mended(
    tables: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    since = {"Since": {"S": "2020"}}
    put(tables, "b", 3)
    put(tables, "born malformed", value)
    put(tables, "adopted", value, **since)
    put(tables, "a", 5)
    deliver()
    assert total(tables) == 8
    put(tables, "a", value, Since=stored(tables, "a")["Since"])
    put(tables, "b", 4, Since=stored(tables, "b")["Since"])
    caplog.clear()
    deliver()
    assert total(tables) == 4
    (line,) = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
    assert line.startswith(f"not counted: The count of item 'a' is {stored(tables, 'a')['Count']}; it must be")
    for tag, count in (("a", 7), ("born malformed", 1), ("adopted", 2)):
        put(tables, tag, count, **{name: each for name, each in stored(tables, tag).items() if name[0] in "SR"})
    deliver()
    assert total(tables) == 4 + 7 + 1 + 2


def test_total_stays_within_38_digits_whatever_is_added(tables: Any) -> None:
    put(tables, "a", 3)
    add = {
        "UpdateExpression": "ADD #Count :n",
        "ExpressionAttributeNames": {"#Count": "Count"},
        "ExpressionAttributeValues": {":n": {"N": "9.9E+37"}},
    }
    for _, number in itertools.product(range(3), range(4)):
        tables.update_item(TableName=TABLE, Key={"ID": {"S": f"tag {number}"}}, **add)
        deliver()
    assert total(tables) == 3
    for tag in range(50):
        put(tables, f"large {tag}", MAX_COUNT)
        tables.delete_item(TableName=TABLE, Key={"ID": {"S": f"large {tag}"}})
    deliver()
    assert total(tables) == 3 + 50 * MAX_COUNT
    assert stored(tables)["Ended"] == {"N": str(50 * MAX_COUNT)}
    for tag in range(50):
        put(tables, f"large {tag}", -MAX_COUNT)
    put(tables, "b", 1)
    deliver()
    assert total(tables) == 4 + 50 * MAX_COUNT
    assert "Rebuilding" not in stored(tables)
