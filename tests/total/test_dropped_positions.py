"""Positions of shards whose records have left the stream are dropped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from functions.total.counter import MAX_DROPPED, POSITION_RETENTION, Counter, Position, commit
from functions.total.generation import Change, Generation, Image, Sum

NOW = datetime(2026, 1, 3, tzinfo=UTC)
OLD = int((NOW - POSITION_RETENTION).timestamp()) - 1
CHANGE = Change(7, NOW.timestamp() - 1, "tag", None, Image(1))
ADDED = Sum(1, CHANGE, 1, 0, 0, {})


@pytest.mark.parametrize("number", [0, 1, MAX_DROPPED, 4 * MAX_DROPPED])
def test_update_drops_as_many_positions_as_fit(number: int) -> None:
    positions = {f"{1_767_225_600_000 + n}-0a1b2c3d": Position(4 * 10**24, OLD) for n in range(number)}
    counter = Counter(0, 0, Generation("m", "", frozenset()), None, 0, positions, False, "")
    request, after = commit("visits", counter, "shardId-0001", ADDED, NOW)
    assert len(request["UpdateExpression"]) < 4_096
    assert len(after.positions) == 1 + max(0, number - MAX_DROPPED)
    assert ("REMOVE" in request["UpdateExpression"]) == (number > 0)
