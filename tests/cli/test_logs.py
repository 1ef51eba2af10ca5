"""How log events are merged and shown; tests/e2e/test_logs.py reads real ones."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies

from cli.commands.logs import Event, Seen, _line

events = strategies.builds(
    Event, strategies.integers(0, 9), strategies.sampled_from("ab"), strategies.just("s"), strategies.sampled_from("xy")
)


@given(strategies.lists(strategies.lists(events)))
def test_every_event_comes_once_and_each_batch_in_order(batches: list[list[Event]]) -> None:
    seen = Seen()
    shown = [seen.take(batch) for batch in batches]
    assert sorted(event for batch in shown for event in batch) == sorted(
        {event for batch in batches for event in batch}
    )
    for batch in shown:
        assert [event.timestamp for event in batch] == sorted(event.timestamp for event in batch)


def test_an_event_that_is_old_is_forgotten() -> None:
    seen = Seen()
    old, new = Event(1000, "f", "s", "old"), Event(2000, "f", "s", "new")
    seen.take([old, new])
    seen.forget_before(2.0)
    assert seen.take([old, new]) == [old]


@pytest.mark.parametrize(
    ("message", "platform"),
    [
        ("START RequestId: x Version: $LATEST", True),
        ('{"time":"t","type":"platform.report","record":{}}', True),
        ('{"level": "INFO", "message": "platform.report"}', False),
        ('{"_aws":{"Timestamp":1},"FunctionName":"f","Visits":1}', True),
        ("hello", False),
    ],
)
def test_lines_of_lambda_itself_are_told_apart(message: str, *, platform: bool) -> None:
    assert Event(0, "f", "s", message).is_platform is platform


def test_a_json_line_is_shown_as_text() -> None:
    fields = {"timestamp": "t", "level": "ERROR", "message": "failed\x1b[2J", "requestId": "r", "tags": 3, "why": "ä"}
    shown = _line(Event(1_000, "recordVisit", "s", json.dumps(fields)), ["recordVisit", "processStream"]).plain
    assert shown == "1970-01-01 00:00:01.000  recordVisit    ERROR failed\ufffd[2J  tags=3  why=ä"
    shown = _line(Event(0, "recordVisit", "s", "Traceback\n  line\x07"), ["recordVisit"]).plain
    assert shown == "1970-01-01 00:00:00.000  recordVisit  Traceback\n    line\ufffd"
