"""A table that exists already: looked up, and refused where it could not be counted in."""

from typing import Any

import pulumi
import pulumi_aws as aws

from .settings import NEW_IMAGE_VIEWS, ExistingTableSettings
from .stream_table import PARTITION_KEY
from .validation import ArgumentError


def adopt(settings: ExistingTableSettings, parent: pulumi.Resource) -> pulumi.Output[aws.dynamodb.GetTableResult]:
    """Look the table up with the parent's provider and check it.

    Raises `ArgumentError` as soon as the answer is there: where the table's partition key is not `ID` alone, or where
    its stream is off, lacks the new image, or is not the one named.
    """
    table_name = pulumi.Output.from_input(settings.table_arn).apply(lambda arn: str(arn).rpartition("/")[2])
    table = aws.dynamodb.get_table_output(name=table_name, opts=pulumi.InvokeOutputOptions(parent=parent))
    checked: pulumi.Output[aws.dynamodb.GetTableResult] = pulumi.Output.all(table, settings.stream_arn).apply(
        lambda known: check_table(known[0], known[1])
    )
    return checked


def check_table(table: Any, stream_arn: str) -> Any:
    """Return the description of a table that can be counted in; raises `ArgumentError` for any other."""
    if table.hash_key != PARTITION_KEY or table.range_key:
        keys = " and ".join(filter(None, (table.hash_key, table.range_key)))
        problem = f"the key of table {table.name} is {keys!r}"
        raise ArgumentError("existing_table.table_arn", problem, f"a table whose key is {PARTITION_KEY!r} alone")
    allowed = f"the ARN of the table's stream, with the view type {' or '.join(NEW_IMAGE_VIEWS)}"
    if not table.stream_enabled:
        problem = f"table {table.name} has no stream, and without one nothing would reach the total"
        raise ArgumentError("existing_table.stream_arn", problem, allowed)
    if table.stream_view_type not in NEW_IMAGE_VIEWS:
        problem = (
            f"the view type of table {table.name}'s stream is {table.stream_view_type!r}, which leaves the new image "
            "out of the records, and the total is made from the count in the new image"
        )
        raise ArgumentError("existing_table.stream_arn", problem, allowed)
    if table.stream_arn != stream_arn:
        problem = f"{stream_arn!r} is not the stream that table {table.name} has now"
        raise ArgumentError("existing_table.stream_arn", problem, table.stream_arn)
    return table
