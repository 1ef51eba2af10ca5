"""`counter failures`: the discarded batches that the dead-letter queue reports, and bringing them in again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from ..deployment import Deployment
from ..options import deployment_options, json_option
from ..show import number

if TYPE_CHECKING:
    from ..dead_letters import Message, Report

_BUDGET_SECONDS = 3600.0


@click.command("failures")
@deployment_options("tableName", "ledgerTableName", "deadLetterQueueUrl", uses=("functionNames.processStream",))
@click.option("--redrive", is_flag=True, help="Apply the records that are missing, and delete the messages.")
@json_option
def command(*, deployment: Deployment, redrive: bool, as_json: bool) -> int:
    """Show discarded batches, or bring them in again.

    With --redrive, process_stream is called with the records of each batch that is not in the total, as long as the
    stream has them; that is safe at any time, and repeatedly. A message is deleted once its visits are in the total.
    The exit status is 1 if visits of a batch are missing.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415
    from ..dead_letters import Queue  # noqa: PLC0415

    if redrive and "processStream" not in deployment.functions:
        raise click.ClickException("--redrive calls process_stream; give --function-name processStream=NAME")
    output, progress = Console(sys.stdout), Console(sys.stderr)
    results: list[dict[str, Any]] = []
    try:
        queue = Queue(deployment)
        messages = queue.take()
        kept = list(messages)
        try:
            judge = _Judge(deployment)
            for index, message in enumerate(messages, 1):
                count = len(messages)
                progress.progress("Reading", detail=f"message {index} of {count}", done=index, total=count)
                queue.keep(message)
                result = judge.redrive(message) if redrive else judge.judge(message)
                if redrive and result["healed"]:
                    queue.delete(message)
                    kept.remove(message)
                results.append(result)
        finally:
            queue.release(kept)
            progress.end_progress()
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        output.json({"messages": results, "deleted": len(messages) - len(kept)})
    else:
        for result in results:
            output.line(f"{result['text']}\n  {result['state']}\n")
        deleted = f"; {number(len(messages) - len(kept), 'message')} deleted" if redrive else ""
        output.line(f"{number(len(messages), 'message')} in the dead-letter queue{deleted}.")
    return 0 if all(result["healed"] for result in results) else 1


class _Judge:
    """Finds out whether the visits of a discarded batch are in the total by now."""

    def __init__(self, deployment: Deployment) -> None:
        from .. import aws  # noqa: PLC0415

        self._deployment = deployment
        self._verification = aws.Verification(deployment.client("dynamodb"), deployment.table, deployment.ledger)
        self._streams = deployment.client("dynamodbstreams")

    def judge(self, message: Message) -> dict[str, Any]:
        """Return the message in words, and whether its visits are in the total."""
        return self._judge(message)[0]

    def redrive(self, message: Message) -> dict[str, Any]:
        """Bring the batch in if it is not, and judge it again."""
        from ..dead_letters import invoke  # noqa: PLC0415

        result, records = self._judge(message)
        if result["healed"] or not records:
            return result
        error = invoke(self._deployment.client("lambda"), self._deployment.functions["processStream"], records)
        if error:
            return {**result, "state": f"Not redriven; process_stream failed with {error}"}
        again, _ = self._judge(message)
        return {**again, "state": "Redriven: its visits are in the total now."} if again["healed"] else again

    def _judge(self, message: Message) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        from ..dead_letters import read_batch  # noqa: PLC0415

        report = message.report
        if report is None:
            text = f"Message {message.id}"
            return {"id": message.id, "text": text, "state": message.problem, "healed": False}, []
        shown = {"id": message.id, "text": report.describe(datetime.now(UTC)), **_data(report)}
        batch = read_batch(self._streams, report)
        if batch.is_complete:
            missing = self._unapplied(batch.records)
            state = (
                f"{number(len(missing), 'tag')} of it not in the total; its records are in the stream: use --redrive."
                if missing
                else "Healed: its records, or later ones of its tags, have brought its visits into the total."
            )
            return {**shown, "state": state, "healed": not missing}, batch.records
        missing = [*self._unapplied(batch.records), *self._behind]
        state = (
            "Some of its records have expired, and the total lacks visits: run `counter reconcile`, then use --redrive."
            if missing
            else "Healed: its records have expired, but nothing is missing from the total."
        )
        return {**shown, "state": state, "healed": not missing}, batch.records

    def _unapplied(self, records: list[dict[str, Any]]) -> list[str]:
        from .. import aws  # noqa: PLC0415

        changes = aws.read_batch({"Records": records}).changes
        keys = self._verification.unapplied(changes, aws.retry_budget(_BUDGET_SECONDS))
        return list(dict.fromkeys(map(aws.name_of, keys)))

    @cached_property
    def _behind(self) -> Mapping[str, Any]:
        """The tags that are behind in the whole table: which tags expired records belonged to is not known."""
        from .. import aws  # noqa: PLC0415

        *_, found = self._verification.run(aws.retry_budget(_BUDGET_SECONDS))
        return found.behind if found.is_sum else {**found.behind, aws.TOTAL_KEY: None}


def _data(report: Report) -> dict[str, Any]:
    return {
        "stream": report.stream,
        "shard": report.shard,
        "firstSequenceNumber": report.first,
        "lastSequenceNumber": report.last,
        "records": report.size,
        "arrived": [at.isoformat() for at in report.arrived],
        "condition": report.condition,
        "attempts": report.attempts,
    }
