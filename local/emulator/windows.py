"""Tumbling windows, as Lambda delivers the records of a stream in them.

Windows are aligned to multiples of their length. A record belongs to the window of its insertion into the stream. Every
invocation receives the state that the previous one of its window returned. A final invocation ends the window, without
records if they have all been delivered. Any failed invocation is repeated, and the state stays as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

MAX_STATE_BYTES = 1024 * 1024

Record = dict[str, Any]


class StateError(Exception):
    """The function's answer has no usable state."""


@dataclass(frozen=True)
class Window:
    """A period in seconds since 1970, from `start` until just before `end`."""

    start: int
    end: int

    @classmethod
    def around(cls, seconds: float, length: int) -> Window:
        """Return the window of this length that contains a point in time."""
        start = int(seconds // length) * length
        return cls(start, start + length)


class Shard:
    """The windows of one mapping on one shard, of which at most one is open."""

    def __init__(self, shard_id: str, source_arn: str) -> None:
        self.id = shard_id
        self.source_arn = source_arn
        self.window: Window | None = None
        self.state: dict[str, Any] = {}
        self._is_oversized = False

    def cut(self, records: list[Record], limit: int, length: int, now: float) -> Batch:
        """Return the next invocation's batch, the longest beginning of `records` that is in one window.

        `records` were read after `now`; fewer than `limit` means that there were no more. The batch is false if
        nothing is due.
        """
        if self._is_oversized and self.window:
            return Batch([], self, self.window, terminated_early=True)
        window = self.window or Window.around(_insertion(records[0]) if records else now, length)
        # A late record joins the open window: windows never go backwards.
        own = list(takewhile(lambda record: _insertion(record) < window.end, records))
        return Batch(own, self, window, final=len(own) < limit and now >= window.end)

    def accept(self, batch: Batch, answer: Any) -> None:
        """Take the state from the answer to an invocation. Raises StateError if the invocation counts as failed."""
        if not isinstance(answer, dict) or "state" not in answer:
            raise StateError("the answer has no `state`, which a mapping with a tumbling window must return")
        state = answer["state"]
        if not isinstance(state, dict):
            raise StateError("the answer's `state` is not a JSON object")
        if batch.final or batch.terminated_early:
            self.window, self.state, self._is_oversized = None, {}, False
        else:
            self.window, self.state = batch.window, state
            self._is_oversized = len(json.dumps(state, ensure_ascii=False).encode()) > MAX_STATE_BYTES


class Batch(list[Record]):
    """The records of one invocation. It is true if the invocation is due, even without records."""

    def __init__(
        self,
        records: Iterable[Record],
        shard: Shard,
        window: Window,
        *,
        final: bool = False,
        terminated_early: bool = False,
    ) -> None:
        super().__init__(records)
        self.shard = shard
        self.window = window
        self.final = final
        self.terminated_early = terminated_early

    def __bool__(self) -> bool:
        return len(self) > 0 or self.terminated_early or (self.final and self.shard.window is not None)

    def only(self, records: Iterable[Record]) -> Batch:
        """Return the same invocation with the records that pass a filter."""
        return Batch(records, self.shard, self.window, final=self.final, terminated_early=self.terminated_early)

    @property
    def event(self) -> dict[str, Any]:
        """The event that the function receives."""
        return {
            "Records": list(self),
            "window": {"start": _iso(self.window.start), "end": _iso(self.window.end)},
            "state": self.shard.state,
            "shardId": self.shard.id,
            "eventSourceARN": self.shard.source_arn,
            "isFinalInvokeForWindow": self.final,
            "isWindowTerminatedEarly": self.terminated_early,
        }


def _insertion(record: Record) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
