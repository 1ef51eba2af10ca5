"""`counter delete`: deletes a tag, keeps its visits in the total."""

from __future__ import annotations

import sys

import click

from ..deployment import Deployment
from ..options import confirm, deployment_options, json_option, yes_option
from ..show import number, printable

_BUDGET_SECONDS = 60.0


@click.command("delete")
@click.argument("tag")
@deployment_options("tableName")
@yes_option
@json_option
def command(*, deployment: Deployment, tag: str, yes: bool, as_json: bool) -> int:
    """Delete a tag; its visits stay in the total.

    The tag's next visit counts from 1 again.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws, core  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415
    from ..operate.deletion import delete_tag  # noqa: PLC0415
    from ..operate.table import CounterTable  # noqa: PLC0415

    shown = repr(printable(tag))
    if not tag:
        raise click.UsageError("The tag is empty; allowed: 1 character or more.")
    if core.is_total(tag):
        raise click.UsageError(f"{tag} is the key of the total, not a tag.")
    if core.name_of(tag) != tag:
        whole = repr(printable(core.name_of(tag)))
        raise click.UsageError(f"{shown} is one of the items of the tag {whole}. Delete that tag.")
    confirm(f"Delete the tag {shown} of table {deployment.table}?", yes=yes, as_json=as_json)
    try:
        table = CounterTable(deployment.client("dynamodb"), deployment.table)
        visits = delete_tag(table, tag, core.retry_budget(_BUDGET_SECONDS))
    except core.MalformedCountError as error:
        raise click.ClickException(f"{shown} was not deleted: its visits would be lost. {error}") from error
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    if visits is None:
        raise click.ClickException(f"there is no tag {shown} in table {deployment.table}")
    if as_json:
        Console(sys.stdout).json({"tag": tag, "deleted": True, "visits": visits})
    else:
        Console(sys.stdout).line(f"{shown} ({number(visits, 'visit')}) is deleted. The total keeps its visits.")
    return 0
