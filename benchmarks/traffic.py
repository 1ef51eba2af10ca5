"""Visits by how they fall on tags, and the events in which Lambda passes their stream records. Pure and repeatable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from random import Random
from typing import Any

TAGS = 10_000
"""The number of tags of the distributions `uniform` and `zipf`."""

DISTRIBUTIONS = ("uniform", "zipf", "one tag")
"""Evenly over TAGS tags; with a share of 1/rank each, Zipf's law with exponent 1; all on one."""

WINDOW_SECONDS = 900
"""The length of a tumbling window."""


class Traffic:
    """The visits of a table, in one order, and the events of its stream.

    A stream has lines of shards: one shard of a line is read at a time, and its child follows its end.
    `stream_arn` is the stream's ARN and `created` the time of all visits, in seconds since 1970. Traffic with the same
    `seed` visits the same tags. Each line of shards has tags of its own.
    """

    def __init__(self, stream_arn: str, distribution: str, created: float, *, seed: int = 1) -> None:
        if distribution not in DISTRIBUTIONS:
            raise ValueError(f"{distribution!r} is not a distribution; allowed: {', '.join(DISTRIBUTIONS)}")
        self._arn = stream_arn
        self._region = stream_arn.split(":")[3]
        self._created = created
        self._random = Random(seed)  # noqa: S311 - not for secrets
        number = 1 if distribution == "one tag" else TAGS
        self._tags = [f"tag-{rank:05}" for rank in range(1, number + 1)]
        self._weights = list(accumulate(1 / rank if distribution == "zipf" else 1.0 for rank in range(1, number + 1)))
        # The sequence number of the last record, and the number of shards that have ended, of each line of shards.
        self._sequences: Counter[int] = Counter()
        self._ended: Counter[int] = Counter()
        self._counts: dict[str, int] = {}
        self._since = {"S": _iso(created)}
        start = created - created % WINDOW_SECONDS
        self._window = {"start": _iso(start, "seconds"), "end": _iso(start + WINDOW_SECONDS, "seconds")}
        self.visits = 0

    def batch(self, size: int, line: int = 0) -> dict[str, Any]:
        """Visit `size` times, and return the event of a line of shards with the records."""
        return self.event(self.tags(size), line)

    def tags(self, size: int) -> Sequence[str]:
        """Return the tags of the next `size` visits."""
        return self._random.choices(self._tags, cum_weights=self._weights, k=size)

    def event(self, tags: Iterable[str], line: int = 0) -> dict[str, Any]:
        """Visit these tags, and return the event of a line of shards with the records."""
        # Ids and sequence numbers look like those of DynamoDB.
        created = round(1000 * self._created) + self._ended[line]
        return {
            "Records": [self._visit(f"{line}-{tag}" if line else tag, line) for tag in tags],
            "shardId": f"shardId-{created:020}-{sha256(f'{line}'.encode()).hexdigest()[:8]}",
            "eventSourceARN": self._arn,
            "window": self._window,
            "state": {},
            "isFinalInvokeForWindow": False,
            "isWindowTerminatedEarly": False,
        }

    def end_of_shard(self, line: int = 0) -> dict[str, Any]:
        """Return the last event of a line's present shard, which has no records. Later ones are of its child."""
        event = self.event((), line)
        self._ended[line] += 1
        return event | {"isFinalInvokeForWindow": True}

    def _visit(self, tag: str, line: int) -> dict[str, Any]:
        self.visits += 1
        self._sequences[line] += 1
        before = self._counts.get(tag, 0)
        self._counts[tag] = before + 1
        return {
            # Event IDs of different tables differ, which the baselines rely on.
            "eventID": sha256(f"{self._arn} {self.visits}".encode()).hexdigest()[:32],
            "eventName": "MODIFY" if before else "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._region,
            "dynamodb": {
                "ApproximateCreationDateTime": self._created,
                "Keys": {"ID": {"S": tag}},
                "NewImage": self._item(tag, before + 1),
                **({"OldImage": self._item(tag, before)} if before else {}),
                "SequenceNumber": str((40 + line) * 10**23 + self._sequences[line]),
                "SizeBytes": 64,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": self._arn,
        }

    def _item(self, tag: str, count: int) -> dict[str, Any]:
        """Return a tag's item as a visit of this project leaves it."""
        return {"ID": {"S": tag}, "Count": {"N": str(count)}, "Since": self._since}


def _iso(seconds: float, precision: str = "microseconds") -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec=precision).replace("+00:00", "Z")
