"""A POST with an Idempotency-Key counts once."""

import time
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError  # type: ignore[import-untyped]

from functions.counting import visits
from functions.counting.idempotency import KeyedVisits
from functions.dynamodb.retries import retry_budget
from functions.http.problems import ProblemError
from tests.answers import Answer
from tests.doubles import cancelled, client_error
from tests.functions.conftest import KEYS, TABLE
from tests.functions.gateway import request

pytestmark = pytest.mark.usefixtures("tables", "short_budgets")

DAY = 86_400
"""Seconds for which a key is promised to be remembered."""


def post(tag: str, key: str, **headers: str) -> Answer[str]:
    return request("POST", f"/tag/{tag}", {"Idempotency-Key": key, **headers})


def count(tag: str) -> int:
    return int(request("GET", f"/counts/{tag}").json["count"])


def test_repeated_key_counts_once_and_gets_the_same_body() -> None:
    request("POST", "/tag/a")
    first = post("a", "key")
    request("POST", "/tag/a")
    again = request("POST", "/tags/a", {"idempotency-key": "key"})
    assert (first.json, first.headers.get("idempotency-replayed")) == ({"tag": "a", "count": 2}, None)
    assert (again.body, again.headers["idempotency-replayed"]) == (first.body, "true")
    assert count("a") == 3


def test_each_key_is_another_visit(tables: Any) -> None:
    assert [post("a", key).json["count"] for key in ("one", "two", "a", "COUNTER")] == [1, 2, 3, 4]
    assert [item["ID"]["S"] for item in tables.scan(TableName=TABLE)["Items"]] == ["a"]


def test_key_reused_with_another_tag_is_a_422() -> None:
    post("a", "key")
    answer = post("b", "key")
    assert answer.status == 422
    assert answer.json["field"] == "Idempotency-Key"
    assert (count("a"), count("b")) == (1, 0)
    assert post("a", "key").json["count"] == 1


def test_key_is_replayed_for_another_spelling_of_the_tag() -> None:
    post("%C3%A4", "key")
    assert post("a%CC%88", "key").headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "ä", "x" * 256])
def test_malformed_key_is_a_400_and_counts_nothing(key: str) -> None:
    answer = post("a", key)
    assert answer.status == 400
    assert answer.json["field"] == "Idempotency-Key"
    assert "255" in answer.json["detail"]
    assert count("a") == 0


def test_key_of_the_maximum_length_is_accepted() -> None:
    assert post("a", "~" * 255).json["count"] == 1


def test_key_of_a_get_is_ignored() -> None:
    assert [request("GET", "/tag/a", {"Idempotency-Key": "key"}).json["count"] for _ in range(2)] == [1, 2]


def test_browser_gets_a_replay_as_a_redirect() -> None:
    post("a", "key")
    answer = post("a", "key", Accept="text/html")
    assert (answer.status, answer.type, answer.headers["idempotency-replayed"]) == (303, "text/html", "true")


def test_key_expires_after_a_day_and_its_item_has_the_ttl(tables: Any) -> None:
    keyed, start = KeyedVisits(tables, TABLE, KEYS), 1_800_000_000.0
    assert keyed.record("a", "key", retry_budget(5), start).count == 1
    assert keyed.record("a", "key", retry_budget(5), start + 600).replayed
    assert keyed.record("a", "key", retry_budget(5), start + DAY - 1).replayed
    item = tables.get_item(TableName=KEYS, Key={"ID": {"S": "key"}})["Item"]
    assert item["ExpiresAt"] == {"N": str(int(start) + DAY)}
    later = keyed.record("b", "key", retry_budget(5), start + DAY)
    assert (later.count, later.replayed) == (1, False)
    assert keyed.record("b", "key", retry_budget(5), start + DAY).replayed


def test_expiry_defaults_to_a_day_from_now(tables: Any) -> None:
    post("a", "key")
    item = tables.get_item(TableName=KEYS, Key={"ID": {"S": "key"}})["Item"]
    assert 0 <= int(item["ExpiresAt"]["N"]) - DAY - time.time() + 30 <= 60


@pytest.mark.parametrize("method", ["transact_write_items", "get_item"])
@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="x"),
        client_error("ThrottlingException"),
        client_error("InternalServerError"),
        cancelled("None", "TransactionConflict"),
    ],
)
def test_transient_error_is_retried_and_finally_answered_503(method: str, error: Exception, refuse: Any) -> None:
    refuse(method, error)
    assert post("a", "once").json == {"tag": "a", "count": 1}
    refuse(method, *[error] * 9)
    answer = post("b", "never")
    assert answer.status == 503
    assert "same Idempotency-Key" in answer.json["detail"]
    assert answer.headers["retry-after"]


def test_repeated_request_gets_the_answer_that_was_lost(tables: Any) -> None:
    class Losing:
        """A client that loses the responses to transactions."""

        def __getattr__(self, name: str) -> Any:
            return getattr(tables, name)

        def transact_write_items(self, **wanted: Any) -> Any:
            tables.transact_write_items(**wanted)
            raise ReadTimeoutError(endpoint_url="x")

    with pytest.raises(ProblemError):
        KeyedVisits(Losing(), TABLE, KEYS).record("a", "key", retry_budget(0.5))
    again = post("a", "key")
    assert (again.json["count"], again.headers["idempotency-replayed"]) == (1, "true")
    assert count("a") == 1


def test_permanent_error_is_a_500(refuse: Any, caplog: pytest.LogCaptureFixture) -> None:
    refuse("transact_write_items", cancelled("None", "ValidationError"))
    assert post("a", "key").status == 500
    assert "TransactionCanceledException" in caplog.text


class Interrupted:
    """A client that runs an action between a request's read and its transaction."""

    def __init__(self, tables: Any, *actions: Any) -> None:
        self.tables, self.actions, self.calls = tables, list(actions), Counter[str]()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        if name == "transact_write_items" and self.actions:
            self.actions.pop(0)()
        return getattr(self.tables, name)


def test_requests_of_a_keyed_visit(tables: Any) -> None:
    def visit() -> None:
        tables.update_item(TableName=TABLE, Key={"ID": {"S": "a"}}, **visits.one_visit(1, 1))

    for number, between in enumerate((0, 0, 1, 2), 1):
        client = Interrupted(tables, *[visit] * between)
        recorded = KeyedVisits(client, TABLE, KEYS).record("a", f"key {number}", retry_budget(5))
        assert client.calls == {"get_item": 1, "transact_write_items": 1 + between}
        assert (recorded.count, recorded.replayed) == (count("a"), False)


def test_visit_counts_if_the_tag_is_rewritten_meanwhile(tables: Any) -> None:
    def delete() -> None:
        tables.delete_item(TableName=TABLE, Key={"ID": {"S": "a"}})

    def rewrite() -> None:
        tables.put_item(TableName=TABLE, Item={"ID": {"S": "a"}, "Count": {"N": "40"}})

    def strip() -> None:
        tables.put_item(TableName=TABLE, Item={"ID": {"S": "a"}, "Note": {"S": "no count"}})

    for number, (action, expected) in enumerate([(delete, 1), (rewrite, 41), (strip, 1), (delete, 1)]):
        client = Interrupted(tables, action)
        assert KeyedVisits(client, TABLE, KEYS).record("a", f"key {number}", retry_budget(5)).count == expected


def test_visit_raises_a_negative_count(tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={"ID": {"S": "a"}, "Count": {"N": "-3"}})
    assert post("a", "key").json["count"] == 1
    assert tables.get_item(TableName=TABLE, Key={"ID": {"S": "a"}})["Item"]["Count"] == {"N": "-2"}


def test_visit_without_key_needs_no_idempotency_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDEMPOTENCY_TABLE_NAME")
    assert request("POST", "/tag/a").json["count"] == 1
