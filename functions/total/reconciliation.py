"""Repairing or back-filling the total while visits go on: the stream re-emits the count of every tag that is behind.

A scan sees what a tag has, but not where in the stream that stands; and deletions still on their way would make any
number written from it a guess. So no count is written from the scan. A tag whose item is not what its ledger entry says
gets a fresh mark, `Reconciled`. That puts a record with its count into the stream, in order with all others of the tag,
and `process_stream` brings it in through the same fold as every visit.

What the ledger alone knows, the visits of tags that were deleted, is brought in from the ledger: entries of an epoch
gone by give again what their tags ever gave. And since the total is the sum of what the entries gave, a total that is
not, such as one pasted from an older copy, is found and rebuilt.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..dynamodb.client import error_code
from ..dynamodb.items import DynamoDB, Item, whole_number
from ..dynamodb.retries import MAX_BATCH_KEYS, RetryBudget, read_items
from ..dynamodb.tables import COUNTER, KEY
from .ledger import Image, is_current, missing
from .records import image_of
from .totals import Total, TotalNotWrittenError, read_entry

MAX_LEDGER_SCANS = 6
"""How often a pass may read the ledger until its sum and the total agree; a rebuild takes three or four reads."""


class Progress(NamedTuple):
    """How far a pass has come: ledger entries and tags seen, tags that are behind, and how many visits that makes.

    A tag is behind if the total does not hold exactly what its item shows. Visits still on their way through the stream
    are among them; a further pass tells these from those that were lost. `drift` is the most by which the total may
    differ from the sum of the ledger without the pass having seen it: 0 unless visits were counted meanwhile.
    `expected` is DynamoDB's own estimate of the table's items, up to six hours old, and `epoch` the total's.
    """

    epoch: str = ""
    entries: int = 0
    tags: int = 0
    behind: int = 0
    visits: int = 0
    drift: int = 0
    expected: int = 0


class Reconciliation:
    """Passes over one table and its ledger. Safe at any time, alongside any number of processors and of other passes.

    A pass needs `dynamodb:DescribeTable`, `dynamodb:Scan`, `dynamodb:GetItem` and `dynamodb:UpdateItem` on the table,
    and `dynamodb:BatchGetItem`, `dynamodb:GetItem`, `dynamodb:Scan` and `dynamodb:UpdateItem` on the ledger.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._total = Total(client, table, ledger)

    def take_over(self, budget: RetryBudget) -> None:
        """Let this ledger keep the total from now on, whichever kept it so far. It starts at 0; passes rebuild it."""
        self._total.take_over(budget, "an operator asked for it")

    def run(self, budget: RetryBudget) -> Iterator[Progress]:
        """Make one pass, and yield the progress after each page; the last is the whole pass's.

        A pass that ends with `behind` 0 found every visit in the total. `budget` limits the whole pass. Raises what
        `Total.apply` raises: above all TotalKeptElsewhereError if another ledger keeps the total.
        """
        described = self._total.described(budget)
        progress = Progress(expected=described.items)
        for epoch, entries, drift in self._settle(described.fingerprint, budget):
            progress = progress._replace(epoch=epoch, entries=entries, drift=drift)
            yield progress
        epoch = progress.epoch
        for images in self._tags():
            behind = self._behind(images, epoch, described.fingerprint, budget)
            for tag in behind:
                self._mark(tag)
            progress = progress._replace(
                tags=progress.tags + len(images),
                behind=progress.behind + len(behind),
                visits=progress.visits + sum(behind.values()),
            )
            yield progress
        if self._total.confirm(budget) != epoch:
            # Taken over meanwhile: the pass compared with a total that is gone.
            yield progress._replace(behind=max(1, progress.behind))
        elif not progress.behind:
            self._declare_rebuilt(epoch)

    def _settle(self, table: str, budget: RetryBudget) -> Iterator[tuple[str, int, int]]:
        """Bring every entry into the present epoch, and the total to what the entries gave.

        Yields the epoch, the number of entries seen, and by how much the total moved meanwhile.
        """
        for _ in range(MAX_LEDGER_SCANS):
            epoch, before = self._total.confirm(budget), self._views()
            entries, given, older = 0, 0, 0
            for items in self._pages(self._ledger, {}):
                read = {item[KEY]["S"]: read_entry(item) for item in items if item[KEY]["S"] != COUNTER}
                own = {tag: entry for tag, entry in read.items() if entry.table == table and entry.position}
                behind = [tag for tag, entry in own.items() if entry.epoch != epoch]
                self._total.apply(dict.fromkeys(behind, ()), budget)
                entries, older = entries + len(read), older + len(behind)
                given += sum(entry.given for entry in own.values())
                yield epoch, entries, 0
            after = self._views()
            if self._total.confirm(budget) != epoch:
                continue
            # What the entries gave was read one after the other while the total only rose, so it lies between.
            if not before <= given <= after:
                why = f"the total was {before} to {after}, but the entries of the ledger make {given}"
                self._total.take_over(budget, why)
            elif not older:
                yield epoch, entries, after - before
                return
        raise TotalNotWrittenError(
            f"The total in table {self._table} and the ledger {self._ledger} did not come to agree in "
            f"{MAX_LEDGER_SCANS} attempts; something else keeps writing the total"
        )

    def _views(self) -> int:
        counter = self._client.get_item(TableName=self._table, Key={KEY: {"S": COUNTER}}, ConsistentRead=True)
        return whole_number(counter.get("Item"), "TotalViews") or 0

    def _tags(self) -> Iterator[dict[str, Image]]:
        projection = {
            "Limit": MAX_BATCH_KEYS,
            "ProjectionExpression": "#ID, #Count, #Since",
            "ExpressionAttributeNames": {"#ID": KEY, "#Count": "Count", "#Since": "Since"},
        }
        for items in self._pages(self._table, projection):
            images = {item[KEY]["S"]: image_of(item) for item in items if "Count" in item and item[KEY]["S"] != COUNTER}
            yield {tag: image for tag, image in images.items() if image.visits is not None}

    def _pages(self, table: str, more: Mapping[str, Any]) -> Iterator[list[Item]]:
        request: dict[str, Any] = {"TableName": table, "ConsistentRead": True, **more}
        while True:
            answer = self._client.scan(**request)
            yield answer.get("Items", [])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _behind(self, images: Mapping[str, Image], epoch: str, table: str, budget: RetryBudget) -> dict[str, int]:
        entries = read_items(self._client, self._ledger, list(images), budget) if images else {}
        read = {tag: (read_entry(entries.get(tag)), image) for tag, image in images.items()}
        return {
            tag: missing(entry, image, epoch, table)
            for tag, (entry, image) in read.items()
            if not is_current(entry, image, epoch, table)
        }

    def _mark(self, tag: str) -> None:
        # A tag deleted since the scan saw it has nothing to bring back. The mark is never the value that the tag had:
        # an update that changes nothing writes no stream record.
        self._update_if(
            tag,
            UpdateExpression="SET #Reconciled = :mark",
            ConditionExpression="attribute_exists(#Count)",
            ExpressionAttributeNames={"#Reconciled": "Reconciled", "#Count": "Count"},
            ExpressionAttributeValues={":mark": {"S": uuid.uuid4().hex}},
        )

    def _declare_rebuilt(self, epoch: str) -> None:
        # Unless it was not being rebuilt, or was taken over just now.
        self._update_if(
            COUNTER,
            UpdateExpression="REMOVE #Rebuilding",
            ConditionExpression="attribute_exists(#Rebuilding) AND #Epoch = :epoch",
            ExpressionAttributeNames={"#Rebuilding": "Rebuilding", "#Epoch": "Epoch"},
            ExpressionAttributeValues={":epoch": {"S": epoch}},
        )

    def _update_if(self, key: str, **update: Any) -> None:
        """Update an item of the table, or leave it if the condition does not hold."""
        try:
            self._client.update_item(TableName=self._table, Key={KEY: {"S": key}}, **update)
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
