"""The table that is counted in, with its stream, and the tables beside it.

The limits are those of `CreateTable` in DynamoDB's API reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

import pulumi
import pulumi_aws as aws

from .checks import KEY_ARN, Number
from .functions_package import ITEMS_PER_TAG, ITEMS_PER_TOTAL, MAX_ITEMS, PARTITION_KEY
from .internals import is_unprotected
from .settings import OnlyWith, Settings, setting


class BillingMode(StrEnum):
    """How reads and writes of the tables are billed."""

    PAY_PER_REQUEST = "PAY_PER_REQUEST"
    """On demand: pay for each request, nothing to plan."""
    PROVISIONED = "PROVISIONED"
    """A fixed number of capacity units per second, paid for by the hour; requests over it are throttled."""


class StreamViewType(StrEnum):
    """The images of a changed item that a stream record holds: at least the new one, which the total needs."""

    NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"
    """The item as it was and as it is."""
    NEW_IMAGE = "NEW_IMAGE"
    """The item as it is after the change."""


# Not in stream_consumer.py: args.py needs the enum, and that module needs args.py.
class StartingPosition(StrEnum):
    """Where in the stream a new event source mapping begins to read."""

    TRIM_HORIZON = "TRIM_HORIZON"
    """At the oldest record that the stream still has (up to 24 hours back)."""
    LATEST = "LATEST"
    """At the first record after the mapping is ready. Visits until then reach the total with the tag's next visit."""


PROVISIONED = OnlyWith("billing_mode", BillingMode.PROVISIONED)


@dataclass(frozen=True, kw_only=True)
class TableSettings(Settings):
    """The tables that the component creates: the main table unless it is adopted, and those that belong to it."""

    billing_mode: BillingMode = setting(BillingMode.PAY_PER_REQUEST)
    """How reads and writes are billed."""
    read_capacity: int = setting(5, Number(1), only_with=PROVISIONED)
    """Read capacity units per second of each table except the ledger, with billing mode PROVISIONED only. A table may
    have 40,000 unless AWS raises your quota."""
    write_capacity: int = setting(5, Number(1), only_with=PROVISIONED)
    """Write capacity units per second of each table except the ledger, with billing mode PROVISIONED only. A table may
    have 40,000 unless AWS raises your quota. A visit takes one unit of the main table. A transaction that adds up to
    99 tags to the total takes two."""
    ledger_read_capacity: int | None = setting(None, Number(1), only_with=PROVISIONED)
    """Read capacity units per second of the ledger, with billing mode PROVISIONED only; by default, the write capacity
    of the main table. The total reads at most one entry for each visit, and one item for each transaction."""
    ledger_write_capacity: int | None = setting(None, Number(1), only_with=PROVISIONED)
    """Write capacity units per second of the ledger, with billing mode PROVISIONED only; by default, twice the write
    capacity of the main table. A visit may write an entry, for which a transaction takes two units. With less, the
    total can fall further and further behind if the main table's capacity is fully used."""
    stream_view_type: StreamViewType = setting(StreamViewType.NEW_AND_OLD_IMAGES)
    """The images of a changed item that a stream record holds. The total is calculated from the count in the new image,
    so DynamoDB's other two view types are not supported."""
    point_in_time_recovery: bool = setting(True)
    """Whether the main table and the ledger can be restored to any second of the last 35 days. The idempotency keys,
    which live for a day, are not kept for that."""
    deletion_protection: bool = setting(False)
    """Whether DynamoDB and Pulumi (`protect`) refuse to delete the tables, so that `pulumi destroy` fails at its
    preview, with nothing deleted."""
    encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the tables; every execution role that reads or writes items then
    gets kms:Decrypt on it, through DynamoDB only. Without one, DynamoDB encrypts with a key that AWS owns."""

    @property
    def provisioned(self) -> bool:
        """Whether capacity units apply."""
        return self.billing_mode is BillingMode.PROVISIONED

    def for_ledger(self) -> Self:
        """Return the settings of the ledger, whose capacity follows from the main table's unless it is given."""
        reads, writes = self.ledger_read_capacity, self.ledger_write_capacity
        return replace(
            self,
            read_capacity=self.write_capacity if reads is None else reads,
            write_capacity=2 * self.write_capacity if writes is None else writes,
        )


@dataclass(frozen=True, kw_only=True)
class SpreadSettings(Settings):
    """The number of items that a tag and the total are spread over.

    DynamoDB writes at most 1,000 units a second to one item; N items take N times as many. The numbers can be changed
    at any time: no visit is lost or counted twice. After a number is lowered, the items above it still count.
    """

    items_per_tag: int = setting(1, Number(1, MAX_ITEMS))
    """The number of items that visits of each tag are spread over. With more than 1, a tag takes more than 1,000 visits
    per second. A visit then reads the tag's other items to answer with the count, and a read of a count reads them all.
    One BatchGetItem reads a tag and the total, at most 100 items, so each has at most 50."""
    items_per_total: int = setting(1, Number(1, MAX_ITEMS))
    """The number of items that the total is spread over. Each transaction that adds to the total takes two units of one
    item, so one item takes 500 transactions a second, and N items N times as many. A read of the total reads all of
    them."""

    def variables(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the environment variables with the number of items per tag, and with that per total; 1 needs none."""
        numbers = {ITEMS_PER_TAG: self.items_per_tag, ITEMS_PER_TOTAL: self.items_per_total}
        per_tag, per_total = ({name: str(items)} if items > 1 else {} for name, items in numbers.items())
        return per_tag, per_total


class StreamTable(pulumi.ComponentResource):
    """A DynamoDB table with the partition key `ID` (S), and its stream."""

    def __init__(
        self, name: str, settings: TableSettings, tags: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("stream-triggered-counter:index:StreamTable", name, {}, opts)

        self.table = keyed_table(
            name, settings, tags, self, stream_enabled=True, stream_view_type=settings.stream_view_type.value
        )
        self.register_outputs(
            {"tableName": self.table.name, "tableArn": self.table.arn, "streamArn": self.table.stream_arn}
        )


def keyed_table(
    name: str,
    settings: TableSettings,
    tags: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
    **more: Any,
) -> aws.dynamodb.Table:
    """Create a table with the partition key `ID` (S) and the settings that all of a counter's tables share."""
    # DynamoDB's own protection stops a deletion only when it comes to the table, with the rest of the stack deleted
    # already. Pulumi's stops it in the preview. A program may say otherwise of the component (`protect=False`); in the
    # plugin, which has no root, the SDK says False whenever the program says nothing.
    refused = is_unprotected(parent) and pulumi.runtime.get_root_resource() is not None
    protect = True if settings.deletion_protection and not refused else None
    return aws.dynamodb.Table(
        name,
        attributes=[{"name": PARTITION_KEY, "type": "S"}],
        hash_key=PARTITION_KEY,
        billing_mode=settings.billing_mode.value,
        read_capacity=settings.read_capacity if settings.provisioned else None,
        write_capacity=settings.write_capacity if settings.provisioned else None,
        point_in_time_recovery={"enabled": settings.point_in_time_recovery},
        deletion_protection_enabled=settings.deletion_protection,
        # Without a customer-managed key, DynamoDB encrypts with a key that AWS owns, which costs nothing.
        server_side_encryption=(
            {"enabled": True, "kms_key_arn": settings.encryption_key_arn} if settings.encryption_key_arn else None
        ),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect),
        **more,
    )
