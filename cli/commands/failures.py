"""`counter failures`: the discarded batches that the dead-letter queue reports."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ..deployment import Deployment
from ..options import confirm, deployment_options, json_option, yes_option
from ..show import number

if TYPE_CHECKING:
    from ..dead_letters import Message

_ADVICE = (
    "The total lacks visits of these batches until `counter reconcile` brings them back. Then run `counter failures "
    "--clear`."
)


@click.command("failures")
@deployment_options("deadLetterQueueUrl")
@click.option("--clear", is_flag=True, help="Delete the messages. Run reconcile first.")
@yes_option
@json_option
def command(*, deployment: Deployment, clear: bool, yes: bool, as_json: bool) -> int:
    """Show discarded batches.

    The total lacks their visits until reconcile brings them back. The exit status is 1 if there are any.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415
    from ..dead_letters import Queue  # noqa: PLC0415

    if clear:
        confirm("Delete the messages of the dead-letter queue? Run reconcile first.", yes=yes, as_json=as_json)
    output = Console(sys.stdout)
    try:
        queue = Queue(deployment)
        messages = queue.take()
        if clear:
            queue.delete(messages)
        else:
            queue.release(messages)
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    deleted = len(messages) if clear else 0
    if as_json:
        output.json({"messages": [_data(message) for message in messages], "deleted": deleted})
    else:
        for message in messages:
            output.line(_text(message))
        cleared = f"; {number(deleted, 'message')} deleted" if clear else ""
        output.line(f"{number(len(messages), 'message')} in the dead-letter queue{cleared}.")
        if messages and not clear:
            output.line(_ADVICE)
    return 1 if messages and not clear else 0


def _text(message: Message) -> str:
    return message.report.describe(datetime.now(UTC)) if message.report else f"Message {message.id}: {message.problem}."


def _data(message: Message) -> dict[str, Any]:
    shown, report = {"id": message.id, "text": _text(message)}, message.report
    if report is None:
        return shown
    return {
        **shown,
        "stream": report.stream,
        "shard": report.shard,
        "firstSequenceNumber": report.first,
        "lastSequenceNumber": report.last,
        "records": report.size,
        "arrived": [at.isoformat() for at in report.arrived],
        "condition": report.condition,
        "attempts": report.attempts,
    }
