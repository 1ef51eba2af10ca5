"""The table that is counted in, with its stream, and the tables beside it."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from .functions_package import PARTITION_KEY
from .internals import is_unprotected
from .settings import TableSettings


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
        # Without a key of one's own, DynamoDB encrypts with a key that AWS owns, which costs nothing.
        server_side_encryption=(
            {"enabled": True, "kms_key_arn": settings.encryption_key_arn} if settings.encryption_key_arn else None
        ),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect),
        **more,
    )
