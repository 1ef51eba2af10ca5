"""The table that an operator's command works on: checking that it is a counter's, reading `COUNTER`, and scanning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .. import core

PAGE_ITEMS = 1000
"""The maximum number of items of a page of a scan."""


UNUSED = core.MISSING
"""What `CounterTable.counter` returns if no visit has been counted in the table yet."""


class NotACounterError(Exception):
    """The table is not one that visits are counted in; the message says why, and nothing was written."""


class Page(NamedTuple):
    """Items of tags by their keys, those whose count is malformed, and the key after which the scan goes on, or ""."""

    images: dict[str, core.Image]
    malformed: dict[str, str]
    after: str

    @property
    def tags(self) -> int:
        """How many tags have their item 0 on this page."""
        return sum(core.name_of(key) == key for key in self.images)

    @property
    def visits(self) -> int:
        """The sum of the counts."""
        return sum(image.visits or 0 for image in self.images.values())


class CounterTable:
    """A counter's table. Raises NotACounterError if visits cannot be counted in it."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        described = client.describe_table(TableName=name)["Table"]
        keys = [key["AttributeName"] for key in described["KeySchema"]]
        view = described.get("StreamSpecification", {}).get("StreamViewType")
        if keys != [core.KEY] or view != core.VIEW_TYPE:
            raise NotACounterError(
                f"table {name} is not a counter's: its key is {' and '.join(map(repr, keys))} and the view type of its "
                f"stream {view or 'none'}; allowed: the key {core.KEY!r} alone, and {core.VIEW_TYPE}"
            )
        self.description = core.TableDescription(described)

    def item(self) -> core.Item:
        """Read `COUNTER`; empty if there is none."""
        return core.read_item(self.client, self.name, core.TOTAL_KEY) or {}

    def counter(self) -> core.Counter | str:
        """Read `COUNTER`; a text says why it cannot be trusted."""
        found = core.read_counter(self.item(), self.description.identity)
        if found == UNUSED and core.read_item(self.client, self.name, core.ORIGIN):
            return "COUNTER was deleted"
        return found

    def scan(self, after: str = "") -> Iterator[Page]:
        """Read the items of all tags page by page, with consistent reads, from the item after the key `after` on."""
        names = {"#ID": core.KEY, "#Count": "Count", "#Since": "Since", "#Mark": core.MARK}
        request = {"TableName": self.name, "ConsistentRead": True, "Limit": PAGE_ITEMS}
        request |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        last = {core.KEY: {"S": after}} if after else None
        while True:
            answer = self.client.scan(**request, **({"ExclusiveStartKey": last} if last else {}))
            items = {item[core.KEY]["S"]: item for item in answer["Items"] if not core.is_total(item[core.KEY]["S"])}
            images = {key: image for key, item in items.items() if (image := core.image_of(item))}
            malformed = {key: str(items[key]["Count"]) for key, image in images.items() if image.visits is None}
            last = answer.get("LastEvaluatedKey")
            yield Page(images, malformed, last[core.KEY]["S"] if last else "")
            if not last:
                return


def includes(counter: core.Counter | str, image: core.Image) -> bool:
    """Whether the total includes the item. If there is no total, nothing can be said."""
    # A tag may have been created by a clock that is ahead of this one.
    return isinstance(counter, str) or counter.present.includes(image, core.begin_time(datetime.now(UTC)))
