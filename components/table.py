"""The table that is counted in, with its stream, and the tables beside it.

The limits are those of `CreateTable` in DynamoDB's API reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pulumi
import pulumi_aws as aws

from .checks import KEY_ARN, Number
from .functions_package import MAX_ITEMS, PARTITION_KEY
from .internals import is_unprotected
from .settings import OnlyWith, Settings, setting

STREAM_VIEW_TYPE = "NEW_AND_OLD_IMAGES"
"""The images that a stream record has of a changed item. The total is calculated from their difference."""


class BillingMode(StrEnum):
    """How reads and writes of the tables are billed."""

    PAY_PER_REQUEST = "PAY_PER_REQUEST"
    """On demand: pay for each request, nothing to plan."""
    PROVISIONED = "PROVISIONED"
    """A fixed number of capacity units per second, paid for by the hour; requests over it are throttled."""


# Not in stream_consumer.py: args.py needs the enum, and that module needs args.py.
class StartingPosition(StrEnum):
    """Where in the stream a new event source mapping begins to read."""

    TRIM_HORIZON = "TRIM_HORIZON"
    """At the oldest record that the stream still has (up to 24 hours back)."""
    LATEST = "LATEST"
    """At the first record after the mapping is ready."""


PROVISIONED = OnlyWith("billing_mode", BillingMode.PROVISIONED)


@dataclass(frozen=True, kw_only=True)
class TableSettings(Settings):
    """The tables that the component creates: the main table unless it is adopted, and those that belong to it."""

    billing_mode: BillingMode = setting(BillingMode.PAY_PER_REQUEST)
    """How reads and writes are billed. With an existing table, this and the capacities apply to the table of
    idempotency keys alone."""
    read_capacity: int = setting(5, Number(1), only_with=PROVISIONED)
    """Read capacity units per second of each table, with billing mode PROVISIONED only. A table may have 40,000 unless
    AWS raises your quota."""
    write_capacity: int = setting(5, Number(1), only_with=PROVISIONED)
    """Write capacity units per second of each table, with billing mode PROVISIONED only. A table may have 40,000 unless
    AWS raises your quota. A visit takes one unit of the main table, and each batch of the stream one or two."""
    items_per_tag: int = setting(1, Number(1, MAX_ITEMS))
    """The number of items that visits of each tag are spread over. It applies to an adopted table as well. DynamoDB
    writes at most 1,000 units a second to one item; N items take N times as many visits. A visit then reads the tag's
    other items to answer with the count, and a read of a count reads them all. The number can be changed at any time:
    no visit is lost or counted twice. After it is lowered, the items above it still count."""
    point_in_time_recovery: bool = setting(True)
    """Whether the main table can be restored to any second of the last 35 days. The idempotency keys, which live for a
    day, are not kept for that. Not allowed with an existing table, on which it has no effect."""
    deletion_protection: bool = setting(False)
    """Whether DynamoDB and Pulumi (`protect`) refuse to delete the tables, so that `pulumi destroy` fails at its
    preview, with nothing deleted. With an existing table, it applies to the table of idempotency keys alone."""
    encryption_key_arn: pulumi.Input[str] | None = setting(None, KEY_ARN)
    """The ARN of the KMS key that encrypts the tables; every execution role that reads or writes items then
    gets kms:Decrypt on it, through DynamoDB only. Without one, DynamoDB encrypts with a key that AWS owns."""

    @property
    def provisioned(self) -> bool:
        """Whether capacity units apply."""
        return self.billing_mode is BillingMode.PROVISIONED


class StreamTable(pulumi.ComponentResource):
    """A DynamoDB table with the partition key `ID` (S), and its stream."""

    def __init__(
        self, name: str, settings: TableSettings, tags: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("stream-triggered-counter:index:StreamTable", name, {}, opts)

        self.table = keyed_table(name, settings, tags, self, stream_enabled=True, stream_view_type=STREAM_VIEW_TYPE)
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
