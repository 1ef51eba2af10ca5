"""A table that exists already: looked up, and refused if it cannot be counted in."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import pulumi
import pulumi_aws as aws

from .checks import STREAM_ARN, TABLE_ARN, ArgumentError, Text
from .functions_package import PARTITION_KEY
from .settings import Settings, required
from .table import STREAM_VIEW_TYPE, TableSettings

EMULATED_ACCOUNT = "000000000000"
"""No account of AWS has this number; the local cloud and other emulators give it to every ARN."""


@dataclass(frozen=True, kw_only=True)
class ExistingTableSettings(Settings):
    """An existing table to count in, such as the one of AWS's tutorial. Its partition key must be `ID` (S).

    If the stack created a table of its own before, it deletes that table with its counts; the preview shows it. If a
    customer-managed KMS key encrypts the existing table, `encryption_key_arn` must name it. A table with replicas (a
    global table) is refused: DynamoDB replicates whole items and keeps the last write, so visits of two regions would
    overwrite each other. Capacity, billing, protection and tags of the existing table stay as they are; these arguments
    apply to the table of idempotency keys beside it.
    """

    table_arn: pulumi.Input[str] = required(TABLE_ARN)
    """The table's ARN."""
    stream_arn: pulumi.Input[str] = required(
        Text(
            f"the ARN of the table's stream; turn the stream on with the view type {STREAM_VIEW_TYPE}",
            STREAM_ARN.pattern,
        ),
        why="without a stream nothing would reach the total",
    )
    """The ARN of the table's stream."""


class FoundTable(NamedTuple):
    """The attributes of an existing table that other resources need."""

    name: str
    arn: str
    stream_arn: str


def adopt(existing: ExistingTableSettings, own: TableSettings, parent: pulumi.Resource) -> pulumi.Output[Any]:
    """Look the table up with the parent's provider and check it; `own` are the settings of the tables beside it.

    The result has the attributes of a `FoundTable`. Raises `ArgumentError` as soon as the answer is there: if the table
    does not exist, if its key is not the string `ID` alone, if it has replicas, if its stream is off, has another view
    type, or is not the one named, or if the KMS key that encrypts it was not given.
    """
    if pulumi.runtime.is_dry_run():
        pulumi.log.warn(
            "This counter adopts a table. If the stack has a table of its own, this preview shows it as deleted "
            f"({parent.pulumi_resource_name}-table), and its counts go with it.",
            resource=parent,
        )
    named: pulumi.Output[Any] = pulumi.Output.from_input(existing.table_arn)
    found: pulumi.Output[Any] = named.apply(lambda known: _look_up(known, existing, parent))
    given: pulumi.Output[Any] = pulumi.Output.all(named, existing.stream_arn).apply(
        lambda known: FoundTable(known[0].rpartition("/")[2], *known)
    )
    checked: pulumi.Output[Any] = pulumi.Output.all(found, given).apply(
        lambda known: check_table(known[0], FoundTable(*known[1]), existing)
    )
    return pulumi.Output.all(found, checked).apply(
        lambda known: _check_key(known[0].server_side_encryption, FoundTable(*known[1]), own, parent)
    )


def _look_up(
    table_arn: str, existing: ExistingTableSettings, parent: pulumi.Resource
) -> pulumi.Output[aws.dynamodb.GetTableResult]:
    def refuse(error: Exception) -> NoReturn:
        path = existing.path_of("table_arn")
        if re.search(r"not ?found|couldn't find", str(error), re.IGNORECASE):
            problem = f"{table_arn!r} does not exist in the account and region that the stack deploys to"
            raise ArgumentError(path, problem, "the ARN of a table that exists there") from error
        problem = f"{table_arn!r} cannot be looked up ({' '.join(str(error).split())})"
        raise ArgumentError(path, problem, "the ARN of a table that the deployment may describe") from error

    options = pulumi.InvokeOutputOptions(parent=parent)
    return aws.dynamodb.get_table_output(name=table_arn.rpartition("/")[2], opts=options).recover(refuse)


def check_table(table: Any, given: FoundTable, existing: ExistingTableSettings) -> FoundTable:
    """Return a table that can be counted in; raises `ArgumentError` for any other.

    `given` is the table by the ARNs that the user gave.
    """
    found = FoundTable(table.name or given.name, table.arn or given.arn, table.stream_arn or given.stream_arn)
    # AWS always answers with the key. Pulumi's own mocks may answer with nothing, which is no reason to fail a test.
    if table.hash_key is None:
        return found
    _check_items(table, found, existing.path_of("table_arn"))
    path = existing.path_of("stream_arn")
    allowed = f"the ARN of the table's stream, with the view type {STREAM_VIEW_TYPE}"
    if not table.stream_enabled:
        problem = f"table {found.name} has no stream, and without one nothing would reach the total"
        raise ArgumentError(path, problem, allowed)
    if table.stream_view_type != STREAM_VIEW_TYPE:
        problem = (
            f"the view type of table {found.name}'s stream is {table.stream_view_type!r}, and it cannot be changed"
        )
        way_out = f"disable the stream, enable it again with {STREAM_VIEW_TYPE}, and give its new ARN"
        raise ArgumentError(path, problem, f"{allowed}: {way_out}")
    # On an emulator, a table with the same name and other ARNs stands in for the one that is meant.
    if found.stream_arn != given.stream_arn and found.arn.split(":")[4] != EMULATED_ACCOUNT:
        problem = f"{given.stream_arn!r} is not the stream that table {found.name} has now"
        raise ArgumentError(path, problem, found.stream_arn)
    return found


def _check_items(table: Any, found: FoundTable, path: str) -> None:
    """Refuse a table whose items cannot be the counter's, because of their key or of other regions' writes."""
    allowed = f"a table whose key is {PARTITION_KEY!r} alone, of the type S (string)"
    if table.hash_key != PARTITION_KEY or table.range_key:
        keys = " and ".join(filter(None, (table.hash_key, table.range_key)))
        raise ArgumentError(path, f"the key of table {found.name} is {keys!r}", allowed)
    key_type = next((one.type for one in table.attributes or () if one.name == PARTITION_KEY), "S")
    if key_type != "S":
        raise ArgumentError(path, f"the key of table {found.name} is of the type {key_type}", allowed)
    own_region = found.arn.split(":")[3]
    regions = sorted({one.region_name for one in table.replicas or ()} - {own_region})
    if regions:
        problem = (
            f"table {found.name} is a global table, with replicas in {', '.join(regions)}: DynamoDB replicates whole "
            "items and keeps the last write, so visits of two regions would overwrite each other"
        )
        raise ArgumentError(path, problem, "a table without replicas")


def _check_key(encryption: Any, found: FoundTable, own: TableSettings, parent: pulumi.Resource) -> Any:
    """Refuse a table that is encrypted with a customer-managed key unless that key was given.

    Without it no function could read an item. The key that AWS manages for DynamoDB has an ARN, too, but everybody in
    the account may use it through DynamoDB.
    """
    if not (encryption and encryption.enabled and encryption.kms_key_arn):
        return found
    used = encryption.kms_key_arn
    key = aws.kms.get_key_output(key_id=used, opts=pulumi.InvokeOutputOptions(parent=parent))
    # A key that the deployment may not look up is not the one that AWS manages.
    manager = key.key_manager.recover(lambda _: "CUSTOMER")

    def check(given: str | None, manager: str) -> Any:
        if manager == "AWS" or given == used:
            return found
        problem = (
            f"is missing, and table {found.name} is encrypted with a customer-managed key"
            if given is None
            else f"{given!r} is not the key that encrypts table {found.name}"
        )
        raise ArgumentError(own.path_of("encryption_key_arn"), problem, used)

    return pulumi.Output.all(own.encryption_key_arn, manager).apply(lambda known: check(known[0], known[1]))
