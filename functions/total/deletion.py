"""Deleting a tag so that its visits stay in the total, whatever becomes of the stream's records.

The removal of an item puts a record into the stream, and `process_stream` ends the tag's ledger entry when it arrives.
Should that record be lost, visits that had not reached the total before would be lost as well. So the tag is deleted
only once the ledger has every visit that its item shows, under the condition that the item has not changed since.
The entry stays: what it gave is part of the total.
"""

from typing import NamedTuple

from ..dynamodb.client import error_code
from ..dynamodb.items import DynamoDB
from ..dynamodb.retries import read_item
from ..dynamodb.tables import KEY
from .ledger import is_current
from .ownership import LedgerClaim
from .reconciliation import Reconciliation
from .records import image_of
from .stored import read_entry, unchanged

CONTENT = ("Count", "Since")


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
        stored = read_item(self._client, self._table, tag)
        if stored is None or "Count" not in stored:
            return Deletion(deleted=False, visits=None)
        image, epoch = image_of(stored), self._claim.inspect().epoch
        entry = read_entry(read_item(self._client, self._ledger, tag))
        if not is_current(entry, image, epoch, self._claim.description().fingerprint):
            if mark:
                self._reconciliation.mark(tag)
            return Deletion(deleted=False, visits=image.visits or 0)
        condition, names, values = unchanged(stored, CONTENT)
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={KEY: {"S": tag}},
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return Deletion(deleted=False, visits=image.visits or 0)
        return Deletion(deleted=True, visits=image.visits or 0)
