"""Comparing the total with the tags' counts, without writing anything, while visits go on.

The total is `Ended` plus the counts, as far as the stream has been read. A scan reads each count at another moment. So
the total that follows the scan, once it has caught up, must be at least what the scan saw; and the total before the
scan must not be more than what the scan saw and has ended since. In between lies what was counted meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .. import core
from .table import UNUSED, CounterTable, includes

MAX_REFRESHED = 25
"""The maximum number of items that are read again at once. More would take longer than a pause between two attempts."""


@dataclass
class Findings:
    """What a comparison has read so far.

    `before` is `COUNTER` before the scan and `after` as it was last read; a text says why it cannot be trusted.
    `visits` is the sum of the counts of `tags`. `unmarked` has the visits of items that are not included in the total,
    and `malformed` the counts that are not whole numbers, both by the items' keys.
    """

    expected: int
    before: core.Counter | str
    after: core.Counter | str
    tags: int = 0
    visits: int = 0
    unmarked: dict[str, int] = field(default_factory=dict)
    malformed: dict[str, str] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether the total has what the scan saw and nothing else, or there is no total that could catch up."""
        if isinstance(self.after, str):
            return self.after != UNUSED or not self.tags
        return not (self.missing or self.surplus or self.unmarked)

    @property
    def was_replaced(self) -> bool:
        """Whether another generation of the total has begun since, so that only a new comparison can tell."""
        before, after = ("" if isinstance(each, str) else each.present.mark for each in (self.before, self.after))
        return before != after

    @property
    def missing(self) -> int:
        """How many visits the total lacks that the scan saw, or that had ended before."""
        return max(0, -self._lead[0])

    @property
    def surplus(self) -> int:
        """How many visits the total had before the scan that the tags do not show, and that have not ended since."""
        return max(0, -self._lead[1])

    @property
    def within(self) -> int:
        """To within how many visits the comparison is exact: those that were counted while it went on."""
        return max(0, max(self._lead) - self.missing - self.surplus)

    @property
    def _lead(self) -> tuple[int, int]:
        """How far the total is ahead of what the scan saw, and what the scan saw ahead of the total before."""
        if isinstance(self.before, str) or isinstance(self.after, str):
            return -self.visits, 0
        seen = self.before.ended + self.visits
        return self.after.total - seen, self.after.ended + self.visits - self.before.total


def compare(table: CounterTable) -> Iterator[Findings]:
    """Compare everything. Yields the findings after each page; they are complete after the last one."""
    before = table.counter()
    found = Findings(table.description.items, before, before)
    for page in table.scan():
        found.tags += page.tags
        found.visits += page.visits
        found.malformed |= page.malformed
        unmarked = {key: image for key, image in page.images.items() if not includes(before, image)}
        found.unmarked |= {key: image.visits or 0 for key, image in unmarked.items()}
        yield found
    found.after = table.counter()
    yield found


def refresh(table: CounterTable, found: Findings) -> None:
    """Read again what may have caught up with the scan: the total, and some of the items that were not included."""
    found.after = table.counter()
    for key in list(found.unmarked)[:MAX_REFRESHED]:
        image = core.image_of(core.read_item(table.client, table.name, key) or {})
        if image is None or includes(found.after, image):
            del found.unmarked[key]
