"""`counter delete`: a tag goes, its visits stay in the total."""

from __future__ import annotations

import sys
import time

import click

from ..deployment import Deployment
from ..options import Duration, confirm, deployment_options, json_option, yes_option
from ..show import number, printable

_POLL_SECONDS = 0.3


@click.command("delete")
@click.argument("tag")
@deployment_options("tableName", "ledgerTableName")
@click.option(
    "--timeout",
    type=Duration(),
    default="1m",
    show_default=True,
    metavar="TIME",
    help="How long visits that are on their way may take to arrive.",
)
@yes_option
@json_option
def command(*, deployment: Deployment, tag: str, timeout: float, yes: bool, as_json: bool) -> int:
    """Delete a tag; its visits stay in the total.

    The tag's item is deleted once the total has all its visits. The ledger keeps the tag's entry, which is how the
    total knows these visits. The next visit of the tag counts from 1 again.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415

    shown = repr(printable(tag))
    if not tag:
        raise click.UsageError("The tag is empty; allowed: 1 character or more.")
    if aws.name_of(tag) == aws.TOTAL_KEY:
        raise click.UsageError(f"{tag} is the key of the total, not a tag.")
    if aws.name_of(tag) != tag:
        whole = repr(printable(aws.name_of(tag)))
        raise click.UsageError(f"{shown} is one of the items of the tag {whole}. Delete that tag.")
    confirm(f"Delete the tag {shown} of table {deployment.table}?", yes=yes, as_json=as_json)
    started = time.monotonic()
    try:
        deletion = aws.TagDeletion(deployment.client("dynamodb"), deployment.table, deployment.ledger)
        # One mark is enough: the stream keeps it until process_stream has applied it.
        outcome = deletion.attempt(tag, mark=True)
        while not outcome.deleted and outcome.visits is not None and time.monotonic() - started < timeout:
            time.sleep(_POLL_SECONDS)
            outcome = deletion.attempt(tag, mark=False)
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    if outcome.visits is None:
        raise click.ClickException(f"there is no tag {shown} in table {deployment.table}")
    if not outcome.deleted:
        raise click.ClickException(
            f"{shown} was not deleted: the total lacks visits of it after {timeout:g} s; see `counter verify`"
        )
    if as_json:
        Console(sys.stdout).json({"tag": tag, "deleted": True, "visits": outcome.visits})
    else:
        visits = number(outcome.visits, "visit")
        Console(sys.stdout).line(f"{shown} ({visits}) is deleted. The total and the ledger keep its visits.")
    return 0
