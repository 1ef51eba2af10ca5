"""Visits by how they fall on tags, and the stream records that they leave. Pure, and the same at every run."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from random import Random
from typing import Any

from components.testing import StreamEvents

TAGS = 10_000
"""The number of tags of the distributions `uniform` and `zipf`."""

DISTRIBUTIONS = ("uniform", "zipf", "one tag")
"""Evenly over TAGS tags; with a share of 1/rank each, Zipf's law with exponent 1; all on one."""


class Traffic:
    """The visits of a table, in one order, and their records in the form in which Lambda passes them.

    `stream_arn` is that of the table's stream. Traffic with the same `seed` visits the same tags.
    """

    def __init__(self, stream_arn: str, distribution: str, *, seed: int = 1) -> None:
        if distribution not in DISTRIBUTIONS:
            raise ValueError(f"{distribution!r} is not a distribution; allowed: {', '.join(DISTRIBUTIONS)}")
        _, _, _, region, account, resource = stream_arn.split(":", 5)
        _, table, _, label = resource.split("/")
        self._events = StreamEvents(table, label=label, region=region, account=account)
        self._random = Random(seed)  # noqa: S311 - not for secrets
        number = 1 if distribution == "one tag" else TAGS
        self._tags = [f"tag-{rank:05}" for rank in range(1, number + 1)]
        self._weights = list(accumulate(1 / rank if distribution == "zipf" else 1.0 for rank in range(1, number + 1)))
        self._counts: dict[str, int] = {}
        self.visits = 0

    def batch(self, size: int, prefix: str = "") -> dict[str, Any]:
        """Visit `size` times, and return the event with the records. Another prefix makes other tags."""
        return {"Records": [self.visit(prefix + tag) for tag in self.tags(size)]}

    def tags(self, size: int) -> Sequence[str]:
        """Return the tags of the next `size` visits."""
        return self._random.choices(self._tags, cum_weights=self._weights, k=size)

    def visit(self, tag: str) -> dict[str, Any]:
        """Visit a tag, and return the record."""
        self.visits += 1
        before = self._counts.get(tag, 0)
        self._counts[tag] = before + 1
        old = {"old": _item(tag, before)} if before else {}
        record = self._events.record("MODIFY" if before else "INSERT", tag, new=_item(tag, before + 1), **old)
        # Event IDs of different tables differ, which the baselines rely on.
        record["eventID"] = sha256(f"{self._events.stream_arn} {self.visits}".encode()).hexdigest()[:32]
        return record


def _item(tag: str, count: int) -> dict[str, Any]:
    """Return a tag's item as a visit of this project leaves it."""
    return {"ID": {"S": tag}, "Count": {"N": str(count)}, "Since": {"S": "2026-01-01T00:00:00.000000Z"}}
