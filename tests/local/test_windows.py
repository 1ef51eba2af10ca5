"""Tumbling windows: how a stream's records are cut into them."""

from __future__ import annotations

from typing import Any

import pytest

from local.emulator.windows import MAX_STATE_BYTES, Batch, Shard, StateError, Window

LENGTH = 60
LIMIT = 3
SHARD_ID = "shardId-00000000000000000000-00000000"


def records(*times: int) -> list[dict[str, Any]]:
    return [{"dynamodb": {"ApproximateCreationDateTime": seconds}} for seconds in times]


def times(batch: Batch) -> list[int]:
    return [record["dynamodb"]["ApproximateCreationDateTime"] for record in batch]


@pytest.fixture
def shard() -> Shard:
    return Shard(SHARD_ID, "arn:stream")


def deliver(shard: Shard, read: list[dict[str, Any]], now: float, state: Any) -> dict[str, Any]:
    """Deliver the next batch, and return the function's event."""
    batch = shard.cut(read, LIMIT, LENGTH, now)
    assert batch
    event = batch.event
    shard.accept(batch, {"state": state})
    return event


@pytest.mark.parametrize(
    ("seconds", "length", "start"),
    [(0, 60, 0), (59.9, 60, 0), (60, 60, 60), (1_000, 900, 900), (7, 1, 7), (125, 7, 119)],
)
def test_windows_are_aligned_to_their_length(seconds: float, length: int, start: int) -> None:
    assert Window.around(seconds, length) == Window(start, start + length)


def test_event_of_the_first_invocation(shard: Shard) -> None:
    assert deliver(shard, records(61, 62), 63, {"n": 2}) == {
        "Records": records(61, 62),
        "window": {"start": "1970-01-01T00:01:00Z", "end": "1970-01-01T00:02:00Z"},
        "state": {},
        "shardId": SHARD_ID,
        "eventSourceARN": "arn:stream",
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }


def test_state_is_carried_within_a_window_and_then_reset(shard: Shard) -> None:
    assert deliver(shard, records(61), 62, {"n": 1})["state"] == {}
    assert deliver(shard, records(63), 64, {"n": 2})["state"] == {"n": 1}
    final = deliver(shard, [], 120, {"ignored": True})
    assert (final["Records"], final["state"], final["isFinalInvokeForWindow"]) == ([], {"n": 2}, True)
    following = deliver(shard, records(121), 122, {"n": 1})
    assert (following["state"], following["window"]["start"]) == ({}, "1970-01-01T00:02:00Z")


def test_nothing_is_due_without_records_until_the_window_ends(shard: Shard) -> None:
    assert not shard.cut([], LIMIT, LENGTH, 61)
    deliver(shard, records(61), 62, {})
    assert not shard.cut([], LIMIT, LENGTH, 119.9)
    deliver(shard, [], 120, {})
    assert not shard.cut([], LIMIT, LENGTH, 500)


def test_batches_end_with_their_window(shard: Shard) -> None:
    deliver(shard, records(61), 62, {})
    batch = shard.cut(records(119, 120), LIMIT, LENGTH, 121)
    assert (times(batch), batch.final) == ([119], True)
    shard.accept(batch, {"state": {}})
    batch = shard.cut(records(120), LIMIT, LENGTH, 121)
    assert (times(batch), batch.window, batch.final) == ([120], Window(120, 180), False)


def test_final_invocation_precedes_the_next_windows_records(shard: Shard) -> None:
    deliver(shard, records(61), 62, {"n": 1})
    batch = shard.cut(records(120), LIMIT, LENGTH, 121)
    assert (times(batch), batch.final, batch.event["state"]) == ([], True, {"n": 1})


def test_full_batch_is_not_final(shard: Shard) -> None:
    event = deliver(shard, records(61, 62, 63), 200, {"n": 3})
    assert event["isFinalInvokeForWindow"] is False
    assert deliver(shard, records(64), 200, {})["isFinalInvokeForWindow"] is True


def test_single_invocation_of_a_past_window_is_final(shard: Shard) -> None:
    event = deliver(shard, records(61, 62), 500, {"n": 2})
    assert (event["state"], event["isFinalInvokeForWindow"]) == ({}, True)
    assert not shard.cut([], LIMIT, LENGTH, 500)


def test_late_record_joins_the_open_window(shard: Shard) -> None:
    deliver(shard, records(121), 122, {"n": 1})
    assert deliver(shard, records(119), 123, {"n": 2})["window"]["start"] == "1970-01-01T00:02:00Z"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "the answer has no `state`, which a mapping with a tumbling window must return"),
        ({"batchItemFailures": []}, "the answer has no `state`, which a mapping with a tumbling window must return"),
        ({"state": None}, "the answer's `state` is not a JSON object"),
        ({"state": [1]}, "the answer's `state` is not a JSON object"),
    ],
)
def test_answer_without_a_state_changes_nothing(shard: Shard, answer: Any, reason: str) -> None:
    deliver(shard, records(61), 62, {"n": 1})
    for read, now in ((records(63), 64), ([], 120)):
        batch = shard.cut(read, LIMIT, LENGTH, now)
        with pytest.raises(StateError, match=f"^{reason}$"):
            shard.accept(batch, answer)
        assert shard.cut(read, LIMIT, LENGTH, now).event == batch.event
    assert deliver(shard, [], 120, {})["state"] == {"n": 1}


def test_failed_first_invocation_opens_no_window(shard: Shard) -> None:
    batch = shard.cut(records(61), LIMIT, LENGTH, 62)
    with pytest.raises(StateError):
        shard.accept(batch, {})
    assert not shard.cut([], LIMIT, LENGTH, 120)


def test_state_over_1_mb_terminates_the_window_early(shard: Shard) -> None:
    large = {"": "é" * (MAX_STATE_BYTES // 2)}
    deliver(shard, records(61), 62, large)
    early = deliver(shard, records(63), 64, {"ignored": True})
    assert (early["Records"], early["state"]) == ([], large)
    assert (early["isFinalInvokeForWindow"], early["isWindowTerminatedEarly"]) == (False, True)
    again = deliver(shard, records(63), 64, {"n": 1})
    assert (again["state"], again["window"], again["isWindowTerminatedEarly"]) == ({}, early["window"], False)


def test_filter_keeps_the_invocation(shard: Shard) -> None:
    assert not shard.cut(records(61), LIMIT, LENGTH, 120).only([]), "no invocation has opened the window"
    deliver(shard, records(61), 62, {})
    assert not shard.cut(records(63), LIMIT, LENGTH, 64).only([])
    final = shard.cut(records(63, 64), LIMIT, LENGTH, 120).only(records(64))
    assert (times(final), final.final) == ([64], True)
    assert shard.cut(records(63), LIMIT, LENGTH, 120).only([])
