"""Deleting a tag so that its visits stay in the total, whatever becomes of the stream's records.

The removal of an item puts a record into the stream, and `process_stream` ends the tag's ledger entry when it arrives.
Should that record be lost, visits that had not reached the total before would be lost as well. So the tag is deleted
only once the ledger has every visit that its item shows, under the condition that the item has not changed since.
The entry stays: what it gave is part of the total. All items of a spread tag are deleted in one transaction, so that
none is left behind if a visit creates another one meanwhile.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..dynamodb.client import error_code, is_transient_cancellation
from ..dynamodb.items import DynamoDB, Item
from ..dynamodb.retries import read_item
from ..dynamodb.spread import read_spread_singly
from ..dynamodb.tables import KEY, SPREAD, item_keys
from .ledger import is_current
from .ownership import LedgerClaim
from .reconciliation import Reconciliation
from .records import image_of
from .stored import read_entry, unchanged

CONTENT = ("Count", "Since", SPREAD)


class Deletion(NamedTuple):
    """The outcome of an attempt: whether the tag is deleted, and the visits of its life.

    `visits` is None if there is no such tag.
    """

    deleted: bool
    visits: int | None


class TagDeletion:
    """Deletes tags of one table.

    Needs `dynamodb:DescribeTable`, `dynamodb:GetItem`, `dynamodb:UpdateItem` and `dynamodb:DeleteItem` on the table and
    `dynamodb:GetItem` on the ledger.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._claim = LedgerClaim(client, table, ledger)
        self._reconciliation = Reconciliation(client, table, ledger)

    def attempt(self, tag: str, *, mark: bool) -> Deletion:
        """Delete `tag` if the total has all its visits. With `mark`, have the stream re-emit its count if not.

        Until then, and while visits arrive, the tag is left as it is, and another attempt is due.
        """
        read = read_spread_singly(self._client, self._table, tag)
        items = dict(zip(item_keys(tag, range(len(read))), read, strict=True))
        if not any("Count" in item for item in items.values()):
            return Deletion(deleted=False, visits=None)
        visits = sum(image_of(item).visits or 0 for item in items.values())
        behind = [key for key, item in items.items() if "Count" in item and not self._is_current(key, item)]
        for key in behind if mark else ():
            self._reconciliation.mark(key)
        return Deletion(deleted=not behind and self._delete(items), visits=visits)

    def _is_current(self, key: str, item: Item) -> bool:
        entry, epoch = read_entry(read_item(self._client, self._ledger, key)), self._claim.inspect().epoch
        return is_current(entry, image_of(item), epoch, self._claim.description().fingerprint)

    def _delete(self, items: Mapping[str, Item]) -> bool:
        """Delete the items, unless one of them has changed since it was read. An item that is empty must not exist."""
        deletes = [_conditional_delete(self._table, key, item) for key, item in items.items()]
        try:
            if len(deletes) == 1:
                self._client.delete_item(**deletes[0])
            else:
                self._client.transact_write_items(TransactItems=[{"Delete": delete} for delete in deletes])
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException" and not is_transient_cancellation(error):
                raise
            return False
        return True


def _conditional_delete(table: str, key: str, stored: Item) -> dict[str, Any]:
    condition, names, values = unchanged(stored, CONTENT)
    return {
        "TableName": table,
        "Key": {KEY: {"S": key}},
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        # DynamoDB refuses an empty mapping.
        **({"ExpressionAttributeValues": values} if values else {}),
    }
