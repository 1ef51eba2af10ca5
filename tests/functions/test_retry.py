"""Retries of the functions: their pauses, their limits, and the errors of DynamoDB that they retry."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from functions import process_stream, record_visit
from functions.dynamodb import client as dynamodb
from functions.dynamodb.items import DynamoDB
from functions.dynamodb.retries import RetryBudget, UnreadItemsError, read_items, retry_budget
from functions.total.total import TotalNotWrittenError
from tests.doubles import Context, cancelled, client_error
from tests.functions.conftest import TABLE
from tests.functions.events import Stream, batch, stored
from tests.functions.gateway import request

# As AWS documents them, so a change of the product's lists is noticed.
THROTTLES = [
    *("LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "Throttling"),
    *("ThrottlingException", "TransactionConflictException", "TransactionInProgressException"),
]
FAULTS = ["InternalFailure", "InternalServerError", "ServiceUnavailable"]
PERMANENT = [
    "AccessDeniedException",
    "ItemCollectionSizeLimitExceededException",
    "ResourceNotFoundException",
    "Unknown",
]
REASONS = ["ConditionalCheckFailed", "ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"]
"""The reasons for a cancelled transaction that reading its items again can remove."""


class Clock:
    """A clock that advances only during sleeps."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.left -= seconds

    def budget(self, jitter: float) -> RetryBudget:
        return RetryBudget(lambda: self.left, sleep=self.sleep, jitter=lambda: jitter)


def test_pauses_double_up_to_one_second() -> None:
    clock = Clock(60)
    budget = clock.budget(jitter=1.0)
    assert all(budget.pause(attempt) for attempt in [*range(1, 11), 1_000_000])
    assert clock.slept == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1, 1, 1, 1, 1])


@given(st.floats(0, 1), st.integers(1, 40), st.floats(0, 3))
@example(jitter=0.0, attempt=1, left=0.5)
def test_pause_is_random_and_leaves_half_a_second(jitter: float, attempt: int, left: float) -> None:
    clock = Clock(left)
    pause = jitter * min(1.0, 0.02 * 2 ** (attempt - 1))
    assert clock.budget(jitter).pause(attempt) == (left >= pause + 0.5)
    assert clock.slept == ([pytest.approx(pause)] if left >= pause + 0.5 else [])


def test_default_budget_really_sleeps() -> None:
    started = time.monotonic()
    assert RetryBudget(lambda: 10.0, jitter=lambda: 1.0).pause(3)
    assert time.monotonic() - started >= 0.08


def test_colliding_requests_pause_for_different_times() -> None:
    clock = Clock(60)
    budget = RetryBudget(lambda: clock.left, sleep=clock.sleep)
    assert all(budget.pause(1) for _ in range(50))
    assert len(set(clock.slept)) > 40
    assert 0 <= min(clock.slept) < 0.005
    assert 0.015 < max(clock.slept) <= 0.02


def test_budget_allows_no_pause_in_its_last_half_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1000)
    monkeypatch.setattr("functions.dynamodb.retries.time.monotonic", lambda: -clock.left)
    assert not retry_budget(0.5)._replace(sleep=clock.sleep, jitter=lambda: 1.0).pause(1)
    budget, attempt = retry_budget(0.7)._replace(sleep=clock.sleep, jitter=lambda: 1.0), 1
    while budget.pause(attempt):
        attempt += 1
    assert clock.slept == pytest.approx([0.02, 0.04, 0.08])


def test_pauses_between_reads_of_unread_items_double() -> None:
    class Unready:
        def batch_get_item(self, **request: Any) -> Any:
            return {"UnprocessedKeys": request["RequestItems"]}

    clock = Clock(0.65)
    with pytest.raises(UnreadItemsError, match=r"1 of 1 keys of table visits unprocessed in 4 attempts"):
        read_items(cast("DynamoDB", Unready()), TABLE, ["a"], clock.budget(jitter=1.0))
    assert clock.slept == pytest.approx([0.02, 0.04, 0.08])


def process(milliseconds: int = 60_000) -> Any:
    return process_stream.handler(batch(Stream().insert("a")), Context(milliseconds / 1000))


def start_total() -> None:
    """Start the total, so the next batch takes one request."""
    process_stream.handler(batch(Stream(first_sequence=1).insert("b", 0)), Context(60))


@pytest.mark.parametrize(("milliseconds", "attempts"), [(499, 1), (520, 2)])
def test_remaining_milliseconds_of_lambda_become_seconds(
    tables: Any, refuse: Any, milliseconds: int, attempts: int
) -> None:
    start_total()
    # The first pause is at most 20 ms, and half a second is reserved.
    calls = refuse("update_item", client_error("ThrottlingException"))
    if attempts == 1:
        with pytest.raises(TotalNotWrittenError):
            process(milliseconds)
    else:
        process(milliseconds)
    assert len(calls) == attempts


def test_lists_of_error_codes_are_complete() -> None:
    assert sorted(dynamodb.THROTTLES) == THROTTLES
    assert sorted(dynamodb.FAULTS) == FAULTS


def test_error_without_a_code_has_none() -> None:
    assert dynamodb.error_code(ClientError({}, "GetItem")) == dynamodb.error_code(ValueError("x")) == ""


@given(st.lists(st.sampled_from([*REASONS, "None", "ValidationError"]), max_size=4))
@example(REASONS)
def test_cancellation_is_transient_if_all_its_reasons_are(codes: list[str]) -> None:
    failed = set(codes) - {"None"}
    assert dynamodb.is_transient_cancellation(cancelled(*codes)) == (bool(failed) and "ValidationError" not in failed)


@pytest.mark.parametrize("error", [ValueError("x"), client_error("ConditionalCheckFailedException")])
def test_error_without_cancellation_has_no_reasons(error: Exception) -> None:
    assert dynamodb.cancellation_reasons(error) == []
    assert not dynamodb.is_transient_cancellation(error)


@pytest.mark.parametrize("code", THROTTLES)
def test_throttled_visit_is_retried_and_counted_once(tables: Any, refuse: Any, code: str) -> None:
    calls = refuse("update_item", client_error(code))
    assert request("POST", "/tag/a").json["count"] == 1
    assert len(calls) == 2


@pytest.mark.parametrize("code", THROTTLES)
def test_visit_throttled_to_the_end_is_a_503_not_counted(
    tables: Any, refuse: Any, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(record_visit, "retry_budget", lambda _: RetryBudget(lambda: 0.0))
    calls = refuse("update_item", client_error(code))
    answer = request("POST", "/tag/a")
    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert "was not counted" in answer.json["detail"]
    assert len(calls) == 1
    assert request("GET", "/counts/a").json["count"] == 0


@pytest.mark.parametrize("code", FAULTS)
def test_visit_is_not_retried_after_a_fault(tables: Any, refuse: Any, code: str) -> None:
    calls = refuse("update_item", client_error(code), client_error(code))
    answer = request("POST", "/tag/a")
    assert answer.status == 503
    assert answer.headers["retry-after"]
    # It may have been counted.
    assert "was not counted;" not in answer.json["detail"]
    assert len(calls) == 1


@pytest.mark.parametrize("code", PERMANENT)
def test_permanent_error_of_a_visit_is_a_500_at_once(tables: Any, refuse: Any, code: str) -> None:
    calls = refuse("update_item", client_error(code), client_error(code))
    assert request("POST", "/tag/a").status == 500
    assert len(calls) == 1


@pytest.mark.parametrize("method", ["get_item", "describe_table", "update_item", "transact_write_items"])
@pytest.mark.parametrize("code", [*THROTTLES, *FAULTS])
def test_batch_is_retried_after_every_transient_error(tables: Any, refuse: Any, code: str, method: str) -> None:
    calls = refuse(method, client_error(code))
    process()
    assert len(calls) >= 2
    assert stored(tables)["TotalViews"] == {"N": "1"}


@pytest.mark.parametrize("code", PERMANENT)
def test_permanent_error_of_batch_is_raised_at_once(tables: Any, refuse: Any, code: str) -> None:
    start_total()
    calls = refuse("update_item", client_error(code), client_error(code))
    with pytest.raises(ClientError, match=code):
        process()
    assert len(calls) == 1


def test_time_of_total_is_utc_with_milliseconds(tables: Any) -> None:
    # The stored time is truncated to milliseconds.
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    process()
    written = stored(tables)["UpdatedAt"]
    assert list(written) == ["S"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written["S"])
    moment = datetime.strptime(written["S"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert before <= moment <= datetime.now(UTC)
