"""What a total has to be, computed by other means than the functions."""

from collections.abc import Sequence
from typing import Any

from tests.total.store import Item


class Oracle:
    """The expected total of one table, computed from all records and from those that the ledger has applied.

    The fold has to infer which life a record belongs to; the oracle knows, because it sees every record in order. It
    excludes only visits that nobody can know of: those after the last applied record of a life that has ended, and
    those before a count was lowered, if no record in between was applied.
    """

    def __init__(self, *, old_images: bool) -> None:
        self.total = 0
        self._old_images = old_images
        self._positions: dict[str, int] = {}
        self._lives: dict[str, object] = {}
        self._counts: dict[str, int] = {}

    def observe(self, tag: str, truth: Sequence[dict[str, Any]], delivered: set[str], upto: str) -> None:
        """Note that the ledger has applied the `delivered` records of `tag`, up to the sequence number `upto`.

        `truth` is the whole stream of the table, with both images.
        """
        life: object = None
        # Lives by their `since`: a restored item continues its life.
        lives: dict[str, object] = {}
        for change in (each["dynamodb"] | {"event": each["eventName"]} for each in truth):
            if change["Keys"]["ID"]["S"] != tag:
                continue
            old, new = (change.get(name) for name in ("OldImage", "NewImage"))
            sequence = int(change["SequenceNumber"])
            since = (new or old).get("Since", {}).get("S")
            if change["event"] == "INSERT" or life is None:
                life = lives.get(since, sequence)
            if since:
                lives[since] = life
            if not self._positions.get(tag, -1) < sequence <= int(upto) or change["SequenceNumber"] not in delivered:
                continue
            if self._lives.get(tag) != life:
                self._lives[tag], self._counts[tag] = life, 0
            if old is not None and self._old_images:
                self._reach(tag, count_of(old))
            if new is not None:
                self._reach(tag, count_of(new))
        self._positions[tag] = int(upto)

    def forget_ledger(self) -> None:
        """Note that the ledger was emptied."""
        self.__init__(old_images=self._old_images)  # type: ignore[misc]

    def _reach(self, tag: str, count: int) -> None:
        self.total += max(0, count - self._counts[tag])
        self._counts[tag] = count


def count_of(item: Item) -> int:
    """Return the count in a tag's item."""
    return int(item.get("Count", {}).get("N", "0"))
