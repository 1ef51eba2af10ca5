"""Noticing records that arrive late. Pure.

Lambda delivers a shard's records in order the first time, and the position in `COUNTER` relies on it: a record before
the position counts as included. Most of those are repeated deliveries. What tells a late record from a repeated one is
the state of the tumbling window, which holds the batches that were answered in it: a record that comes before the end
of one of them, and was in none, has never been delivered before.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .generation import Change

MAX_BATCHES = 50
"""The number of batches that a window remembers. Lambda passes the state with every invocation."""


class Window(NamedTuple):
    """The batches that were answered in a tumbling window: the first and the last sequence number of each.

    All records up to `floor` were delivered before the first of them.
    """

    floor: int
    batches: tuple[tuple[int, int], ...] = ()

    @classmethod
    def read(cls, state: Any, position: int) -> "Window":
        """Read the `state` of an event; any other state begins a window at the shard's `position`."""
        try:
            return cls(int(state["floor"]), tuple((int(first), int(last)) for first, last in state["batches"]))
        except (KeyError, TypeError, ValueError):
            return cls(position)

    def late(self, changes: Sequence[Change]) -> int:
        """Return how many changes come before the end of an answered batch, and were delivered in none."""
        end = max((last for _, last in self.batches), default=self.floor)
        return sum(
            self.floor < each.sequence < end and not any(first <= each.sequence <= last for first, last in self.batches)
            for each in changes
            if changes[0].sequence < end
        )

    def state_after(self, changes: Sequence[Change]) -> dict[str, Any]:
        """Return the state once the batch with these changes, of which there is one at least, has been answered.

        Sequence numbers are text, since JSON numbers cannot hold them.
        """
        batches = (*self.batches, (changes[0].sequence, changes[-1].sequence))
        floor = max([self.floor, *(last for _, last in batches[:-MAX_BATCHES])])
        return {"floor": str(floor), "batches": [[str(a), str(b)] for a, b in batches[-MAX_BATCHES:]]}
