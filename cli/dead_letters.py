"""The messages of the dead-letter queue: reports of discarded batches.

A report names a batch by its place in the stream, its shard and sequence numbers. It does not contain the records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import aws
from .deployment import Deployment
from .show import number, span

MAX_MESSAGES = 1000
"""How many messages one call reads. SQS cannot read without taking, so more would keep others from them."""

_TAKEN_SECONDS = 120
_GONE = ("InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid")
# The lengths that the stream's API accepts.
_SEQUENCE = "[0-9]{21,40}"


class InvalidReportError(ValueError):
    """A message that is not the report of a discarded batch."""


@dataclass(frozen=True)
class Report:
    """The report of a discarded batch: its place in the stream, its age and the cause.

    `condition` is Lambda's word for the cause. The times are those at which the records arrived in the stream.
    """

    stream: str
    shard: str
    first: str
    last: str
    size: int
    arrived: tuple[datetime, datetime]
    condition: str
    attempts: int
    error: str

    def describe(self, now: datetime) -> str:
        """Return a human-readable description."""
        first, last = (at.strftime("%Y-%m-%d %H:%M:%S") for at in self.arrived)
        times = f"at {first}" if first == last else f"from {first} to {last}"
        error = f" ({self.error})" if self.error else ""
        cause = f"{self.condition} after {number(self.attempts, 'attempt')}{error}"
        return (
            f"{number(self.size, 'record')} of shard {self.shard}, sequence numbers {self.first} to {self.last}, which "
            f"arrived {times} UTC, {span((now - self.arrived[0]).total_seconds())} ago. Discarded: {cause}."
        )


@dataclass(frozen=True)
class Message:
    """A message of the queue: its id, the handle to delete it by, and its report, or why it is none."""

    id: str
    handle: str
    report: Report | None
    problem: str = ""


def read_report(body: str) -> Report:
    """Read a message's body. Raises InvalidReportError that names the field. Pure."""
    try:
        message = json.loads(body)
        batch, request = message["DDBStreamBatchInfo"], message["requestContext"]
        response = message.get("responseContext") or {}
        error = response.get("functionError") or ""
        arrived = tuple(
            datetime.fromisoformat(batch[f"approximateArrivalOf{which}Record"].replace("Z", "+00:00"))
            for which in ("First", "Last")
        )
        return Report(
            stream=_matching(batch, "streamArn", r"arn:aws[a-z-]*:dynamodb:.+:table/.+/stream/.+"),
            shard=_matching(batch, "shardId", r"[\w-]{28,65}"),
            first=_matching(batch, "startSequenceNumber", _SEQUENCE),
            last=_matching(batch, "endSequenceNumber", _SEQUENCE),
            size=int(batch["batchSize"]),
            arrived=(_in_utc(arrived[0]), _in_utc(arrived[1])),
            condition=str(request["condition"]),
            attempts=int(request.get("approximateInvokeCount", 0)),
            error=str(error),
        )
    except KeyError as missing:
        raise InvalidReportError(f"not the report of a discarded batch: {missing} is missing") from None
    except InvalidReportError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidReportError(f"not the report of a discarded batch: {error}") from None


def _matching(batch: Mapping[str, Any], field: str, pattern: str) -> str:
    value = batch[field]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise InvalidReportError(f"not the report of a discarded batch: {field} is {value!r}")
    return value


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


class Queue:
    """The dead-letter queue. Messages that are taken come back when they are released, or after two minutes."""

    def __init__(self, deployment: Deployment) -> None:
        self._client = deployment.client("sqs")
        self._url = deployment.text("deadLetterQueueUrl")

    def take(self) -> list[Message]:
        """Take the queue's messages, at most 1,000."""
        taken: dict[str, Message] = {}
        while len(taken) < MAX_MESSAGES:
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=_TAKEN_SECONDS, WaitTimeSeconds=1
            )
            new = [each for each in answer.get("Messages", ()) if each["MessageId"] not in taken]
            if not new:
                break
            taken |= {each["MessageId"]: _read_message(each) for each in new}
        return list(taken.values())

    def release(self, messages: Sequence[Message]) -> None:
        """Let others see the messages again."""
        for message in messages:
            try:
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message.handle, VisibilityTimeout=0
                )
            except aws.ClientError as error:
                # The message was deleted, or came back by itself.
                if error.response["Error"]["Code"] not in _GONE:
                    raise

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages."""
        for message in messages:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.handle)


def _read_message(message: Mapping[str, Any]) -> Message:
    try:
        return Message(message["MessageId"], message["ReceiptHandle"], read_report(message["Body"]))
    except InvalidReportError as error:
        return Message(message["MessageId"], message["ReceiptHandle"], None, str(error))
