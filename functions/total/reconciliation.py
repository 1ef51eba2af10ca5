"""Repairing or back-filling the total while visits go on: the stream re-emits the count of every tag that is behind.

A scan shows a tag's count but not the count's position in the stream, and deletions may still be on their way. A total
written from a scan would therefore be a guess. Instead, a tag whose item differs from its ledger entry gets a new mark
(`Reconciled`). The mark puts a record with the tag's count into the stream, in order with the tag's other records, and
`process_stream` applies it like any visit.

Only the ledger knows the visits of deleted tags. They come back from there: entries of an earlier epoch give all their
tags' visits again. The total must equal the sum of all visits that the entries have given. If it does not, for example
after an older copy of `COUNTER` was put back, it is rebuilt.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..dynamodb.client import error_code
from ..dynamodb.items import AttributeValue, DynamoDB, Item
from ..dynamodb.retries import MAX_BATCH_KEYS, RetryBudget, read_items
from ..dynamodb.spread import read_spread_singly, sum_total
from ..dynamodb.tables import COUNTER, KEY, is_total, name_of
from .ledger import Image, is_current, missing
from .records import image_of
from .stored import read_entry
from .totals import TAGS_PER_TRANSACTION, Total, TotalNotWrittenError

MAX_LEDGER_SCANS = 6
"""How often a pass may scan the ledger until its sum and the total agree; a rebuild takes three or four scans."""


def scan(client: DynamoDB, table: str, **more: Any) -> Iterator[tuple[list[Item], str]]:
    """Read a table page by page, with consistent reads; with each page, the key after which the next one starts."""
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True, **more}
    while True:
        answer = client.scan(**request)
        last = answer.get("LastEvaluatedKey")
        yield answer.get("Items", []), last[KEY]["S"] if last else ""
        if not last:
            return
        request["ExclusiveStartKey"] = last


class Page(NamedTuple):
    """Items of tags by their keys, and the key after which the scan continues; "" if this is its end."""

    images: dict[str, Image]
    after: str

    @property
    def tags(self) -> int:
        """The number of tags that have their item 0 on this page."""
        return sum(name_of(key) == key for key in self.images)


def scan_tags(client: DynamoDB, table: str, after: str = "") -> Iterator[Page]:
    """Read the items of all tags in pages of up to 100, which one BatchGetItem of their entries can follow."""
    start = {"ExclusiveStartKey": {KEY: {"S": after}}} if after else {}
    projection: dict[str, Any] = {
        "Limit": MAX_BATCH_KEYS,
        "ProjectionExpression": "#ID, #Count, #Since",
        "ExpressionAttributeNames": {"#ID": KEY, "#Count": "Count", "#Since": "Since"},
    }
    for items, key in scan(client, table, **projection, **start):
        images = {item[KEY]["S"]: image_of(item) for item in items if "Count" in item and not is_total(item[KEY]["S"])}
        yield Page({tag: image for tag, image in images.items() if image.visits is not None}, key)


class Progress(NamedTuple):
    """The progress of a pass: ledger entries and tags read, tags that are behind, and the visits they are missing.

    A tag is behind if the total does not contain exactly what its item shows. That includes visits still on their way
    through the stream; only a further pass tells them from lost ones. Of a spread tag, `behind` counts each item that
    is behind. `drift` is how far the total may differ from the sum of the ledger without the pass noticing: 0 unless
    visits were counted during the pass. `expected` is DynamoDB's estimate of the number of items, up to six hours old.
    `epoch` is the total's. `after` is the tag after which a pass that is stopped can go on, "" before the first and
    after the last page of tags.
    """

    epoch: str = ""
    entries: int = 0
    tags: int = 0
    behind: int = 0
    visits: int = 0
    drift: int = 0
    expected: int = 0
    after: str = ""


class Reconciliation:
    """Passes over one table and its ledger. Safe at any time, alongside any number of processors and other passes.

    A pass needs `dynamodb:DescribeTable`, `dynamodb:Scan`, `dynamodb:GetItem` and `dynamodb:UpdateItem` on the table,
    and `dynamodb:BatchGetItem`, `dynamodb:GetItem`, `dynamodb:Scan` and `dynamodb:UpdateItem` on the ledger.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str, pace: Callable[[int], None] | None = None) -> None:
        """`pace` may wait; it is called before every write, with the number of items that are written."""
        self._client = client
        self._table = table
        self._ledger = ledger
        self._pace = pace or (lambda _: None)
        self._total = Total(client, table, ledger)

    def take_over(self, budget: RetryBudget) -> None:
        """Let this ledger maintain the total, whichever ledger did before. It starts at 0; passes rebuild it."""
        self._total.take_over(budget, "an operator took it over")

    def run(self, budget: RetryBudget, start: Progress | None = None) -> Iterator[Progress]:
        """Make one pass. Yields the progress after each page; the last one is that of the whole pass.

        `start` is the progress of a pass that was stopped, at any point: this one continues it, unless the total was
        taken over since. A pass compares each tag at some moment, so it may be as long, or interrupted, as it likes.

        If the last one has `behind` 0, every visit is in the total. `budget` limits the whole pass. Raises the errors
        of `Total.apply`, such as TotalOwnershipError if another ledger maintains the total.
        """
        table = self._total.description(budget)
        progress = Progress(expected=table.items)
        if start is not None and start.after and start.epoch == self._total.confirm(budget):
            progress = start
        else:
            for epoch, entries, drift in self._reconcile_ledger(table.fingerprint, budget):
                progress = progress._replace(epoch=epoch, entries=entries, drift=drift)
                yield progress
        epoch = progress.epoch
        for page in scan_tags(self._client, self._table, progress.after):
            behind = self._tags_behind(page.images, epoch, table.fingerprint, budget)
            for tag in behind:
                self.mark(tag)
            progress = progress._replace(
                tags=progress.tags + page.tags,
                behind=progress.behind + len(behind),
                visits=progress.visits + sum(behind.values()),
                after=page.after,
            )
            yield progress
        if self._total.confirm(budget) != epoch:
            # The total was taken over during the pass, so the pass compared the tags with an outdated total.
            yield progress._replace(behind=max(1, progress.behind))
        elif not progress.behind:
            self._clear_rebuilding(epoch)

    def _reconcile_ledger(self, table: str, budget: RetryBudget) -> Iterator[tuple[str, int, int]]:
        """Bring every entry into the current epoch, and rebuild the total unless it is the sum of the entries.

        Yields the epoch, the number of entries read, and how much the total rose meanwhile.
        """
        for _ in range(MAX_LEDGER_SCANS):
            epoch, before = self._total.confirm(budget), self._read_total()
            entries, given, outdated = 0, 0, 0
            for items, _ in scan(self._client, self._ledger):
                read = {item[KEY]["S"]: read_entry(item) for item in items if item[KEY]["S"] != COUNTER}
                own = {tag: entry for tag, entry in read.items() if entry.table == table and entry.position}
                older = [tag for tag, entry in own.items() if entry.epoch != epoch]
                for first in range(0, len(older), TAGS_PER_TRANSACTION):
                    chunk = older[first : first + TAGS_PER_TRANSACTION]
                    self._pace(len(chunk))
                    self._total.apply(dict.fromkeys(chunk, ()), budget)
                entries, outdated = entries + len(read), outdated + len(older)
                given += sum(entry.given for entry in own.values())
                yield epoch, entries, 0
            after = self._read_total()
            if self._total.confirm(budget) != epoch:
                continue
            # The entries were read one after another while the total only rose, so their sum lies in between.
            if not before <= given <= after:
                reason = f"the total was {before} to {after}, but the sum of the ledger is {given}"
                self._total.take_over(budget, reason)
            elif not outdated:
                yield epoch, entries, after - before
                return
        raise TotalNotWrittenError(
            f"The total in table {self._table} did not match the sum of ledger {self._ledger} in {MAX_LEDGER_SCANS} "
            "attempts; something else keeps writing the total"
        )

    def _read_total(self) -> int:
        return sum_total(read_spread_singly(self._client, self._table, COUNTER)).visits or 0

    def _tags_behind(self, images: Mapping[str, Image], epoch: str, table: str, budget: RetryBudget) -> dict[str, int]:
        """Return the tags that are behind, each with the number of its visits that are missing from the total."""
        entries = read_items(self._client, self._ledger, list(images), budget) if images else {}
        read = {tag: (read_entry(entries.get(tag)), image) for tag, image in images.items()}
        return {
            tag: missing(entry, image, epoch, table)
            for tag, (entry, image) in read.items()
            if not is_current(entry, image, epoch, table)
        }

    def mark(self, tag: str) -> None:
        """Have the stream re-emit the tag's count, unless the tag was deleted."""
        # The condition leaves alone a tag that was deleted after the scan. The mark is random, because an update that
        # changes nothing writes no stream record.
        self._pace(1)
        mark = {":mark": {"S": uuid.uuid4().hex}}
        self._update_if(tag, "attribute_exists(#Count)", "SET #Reconciled = :mark", ("Count", "Reconciled"), mark)

    def _clear_rebuilding(self, epoch: str) -> None:
        condition = "attribute_exists(#Rebuilding) AND #Epoch = :epoch"
        self._update_if(COUNTER, condition, "REMOVE #Rebuilding", ("Rebuilding", "Epoch"), {":epoch": {"S": epoch}})

    def _update_if(
        self, key: str, condition: str, update: str, names: tuple[str, ...], values: Mapping[str, AttributeValue]
    ) -> None:
        """Update an item of the table if `condition` holds, else leave it unchanged."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={KEY: {"S": key}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues=values,
            )
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
