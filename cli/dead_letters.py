"""What the dead-letter queue holds: reports of discarded batches; and the batches' records, while the stream has them.

A report names a batch by its place in the stream: shard and sequence numbers. The records are read from there, and the
ledger shows which of them are in the total by now.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from . import aws
from .deployment import Deployment
from .show import number, span

MAX_MESSAGES = 1000
"""How many messages one call reads. SQS has no way to read without taking, so more would keep others from them."""

MAX_PAYLOAD_BYTES = 5_000_000
"""The size of an invocation; Lambda takes 6 MB."""

_TAKEN_SECONDS = 120
_PAGE_RECORDS = 1000
# The lengths that the stream's API takes.
_SEQUENCE = "[0-9]{21,40}"
_EMPTY_PAGES = 20
_EMPTY_SECONDS = 0.05
_EXPIRED = ("TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException")


class InvalidReportError(ValueError):
    """A message that is not the report of a discarded batch."""


@dataclass(frozen=True)
class Report:
    """The report of a discarded batch: its place in the stream, its age and the cause.

    `condition` is Lambda's own word for the cause. The times are those at which the records arrived in the stream.
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

    @property
    def label(self) -> str:
        """The label of the stream, which orders positions."""
        return self.stream.rpartition("/stream/")[2]

    def describe(self, now: datetime) -> str:
        """Say it in words."""
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

    def keep(self, message: Message) -> None:
        """Take a message for two minutes more."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=message.handle, VisibilityTimeout=_TAKEN_SECONDS
        )

    def release(self, messages: Sequence[Message]) -> None:
        """Let others see the messages again."""
        for message in messages:
            with suppress(*aws.ERRORS):
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message.handle, VisibilityTimeout=0
                )

    def delete(self, message: Message) -> None:
        """Delete a message."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.handle)


def _read_message(message: Mapping[str, Any]) -> Message:
    try:
        return Message(message["MessageId"], message["ReceiptHandle"], read_report(message["Body"]))
    except InvalidReportError as error:
        return Message(message["MessageId"], message["ReceiptHandle"], None, str(error))


class Batch(NamedTuple):
    """A batch's records that the stream still has, as Lambda passes them, and whether these are all."""

    records: list[dict[str, Any]]
    is_complete: bool


def read_batch(client: Any, report: Report) -> Batch:
    """Read a batch's records from the stream."""
    place = {"StreamArn": report.stream, "ShardId": report.shard}
    records: list[dict[str, Any]] = []
    try:
        try:
            at = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": report.first}
            iterator = client.get_shard_iterator(**place, **at)["ShardIterator"]
        except aws.ClientError as error:
            if error.response["Error"]["Code"] not in _EXPIRED:
                raise
            iterator = client.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for record in _read_from(client, iterator, int(report.last)):
            if _sequence(record) >= int(report.first):
                records.append(as_lambda_record(record, report.stream))
    except aws.ClientError as error:
        if error.response["Error"]["Code"] not in _EXPIRED:
            raise
    ends = [_sequence(records[index]) for index in (0, -1)] if records else []
    return Batch(records, ends == [int(report.first), int(report.last)])


def _read_from(client: Any, iterator: str | None, last: int) -> Iterator[Mapping[str, Any]]:
    """Read records up to the sequence number `last`."""
    empty = 0
    # A page may be empty before the end of a shard; the end of an open shard has no sign.
    while iterator and empty < _EMPTY_PAGES:
        page = client.get_records(ShardIterator=iterator, Limit=_PAGE_RECORDS)
        for record in page["Records"]:
            if _sequence(record) > last:
                return
            yield record
            if _sequence(record) == last:
                return
        empty = 0 if page["Records"] else empty + 1
        if empty:
            time.sleep(_EMPTY_SECONDS)
        iterator = page.get("NextShardIterator")


def _sequence(record: Mapping[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def payloads(records: Sequence[Mapping[str, Any]], limit: int = MAX_PAYLOAD_BYTES) -> Iterator[bytes]:
    """Pack records into events of at most `limit` bytes, each with at least one record, in order. Pure."""
    head, tail, size = b'{"Records": [', b"]}", 0
    packed: list[bytes] = []
    for record in records:
        text = json.dumps(record).encode()
        if packed and size + len(text) + 2 > limit - len(head) - len(tail):
            yield head + b", ".join(packed) + tail
            packed, size = [], 0
        packed.append(text)
        size += len(text) + 2
    if packed:
        yield head + b", ".join(packed) + tail


def invoke(client: Any, function: str, records: Sequence[Mapping[str, Any]]) -> str:
    """Call the function with the records, as the mapping would. Returns its error; "" if there is none."""
    for payload in payloads(records):
        answer = client.invoke(FunctionName=function, Payload=payload)
        if answer.get("FunctionError"):
            said = answer["Payload"].read().decode(errors="replace")
            with suppress(ValueError, AttributeError):
                said = json.loads(said).get("errorMessage") or said
            return f"{answer['FunctionError']}: {said[:500]}"
    return ""


def as_lambda_record(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """Return a record of boto3 in the form in which Lambda passes it: as JSON, with the ARN of its stream. Pure."""
    return {**_as_json(record), "eventSourceARN": stream_arn}


def _as_json(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _as_json(part) for key, part in value.items()}
        case list() | set():
            return [_as_json(part) for part in value]
        case datetime():
            return value.timestamp()
        case bytes():
            return base64.b64encode(value).decode()
    return value
