"""`failures`: the reports of discarded batches in the dead-letter queue, in words, and bringing the batches in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.test_visits import settled_total, total, visit
from tests.operator import Operator, stopped_stream
from tests.running import RunningCloud, eventually
from tests.share import ci_only


def report_of(cloud: RunningCloud, tag: str) -> dict[str, Any]:
    """Return the report that Lambda would send of a discarded batch with the tag's records."""
    streams, arn = cloud.client("dynamodbstreams"), cloud.outputs["streamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    records, iterator = [], streams.get_shard_iterator(**place)["ShardIterator"]
    # The stream is as long as the tests before this one made it.
    while page := streams.get_records(ShardIterator=iterator)["Records"]:
        records += page
        place |= {
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
            "SequenceNumber": page[-1]["dynamodb"]["SequenceNumber"],
        }
        iterator = streams.get_shard_iterator(**place)["ShardIterator"]
    own = [each["dynamodb"]["SequenceNumber"] for each in records if each["dynamodb"]["Keys"]["ID"]["S"] == tag]
    assert own
    function = cloud.outputs["functionNames"]["processStream"]
    return {
        "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 4},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": own[0],
            "endSequenceNumber": own[-1],
            "approximateArrivalOfFirstRecord": "2026-01-01T10:00:00Z",
            "approximateArrivalOfLastRecord": "2026-01-01T10:00:05Z",
            "batchSize": len(own),
            "streamArn": arn,
        },
    }


@ci_only("waits for a batch to be given up")
def test_a_discarded_batch_is_described_and_redriven(operator: Operator) -> None:
    cloud, queue = operator.cloud, operator.cloud.outputs["deadLetterQueueUrl"]
    before, sqs = settled_total(cloud), cloud.client("sqs")
    assert operator.json("failures") == {"messages": [], "deleted": 0}
    with stopped_stream(cloud):
        for _ in range(3):
            visit(cloud, "discarded")
        body = report_of(cloud, "discarded")
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
        text = operator.call("failures", status=1)
        assert text.startswith("3 records of shard shardId-")
        assert "which arrived from 2026-01-01 10:00:00 to 2026-01-01 10:00:05 UTC, " in text
        assert "Discarded: RetryAttemptsExhausted after 4 attempts (Unhandled).\n" in text
        assert "  1 tag of it not in the total; its records are in the stream: use --redrive.\n" in text
        assert "1 message in the dead-letter queue." in text
        # Looking does not take it away, and neither does a redrive that fails.
        missing = ("--function-name", "processStream=nowhere")
        operator.call("failures", "--redrive", *missing, status=1)
        done = operator.json("failures", "--redrive")
        assert (done["deleted"], done["messages"][0]["state"]) == (1, "Redriven: its visits are in the total now.")
        assert total(cloud) == before + 3
        assert operator.json("failures")["messages"] == []
    # The mapping delivers the records as well; they are in the total already.
    visit(cloud, "discarded")
    assert settled_total(cloud) == before + 4
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    healed = operator.json("failures")["messages"][0]
    assert (healed["healed"], healed["state"].partition(":")[0]) == (True, "Healed")
    # Its records have expired, but nothing is missing.
    batch = body["DDBStreamBatchInfo"] | {"startSequenceNumber": f"{1:021}", "endSequenceNumber": f"{2:021}"}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body | {"DDBStreamBatchInfo": batch}))
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    states = sorted(each["state"] for each in operator.json("failures", "--redrive", status=1)["messages"])
    assert [state.partition(":")[0] for state in states] == ["Healed", "Healed", "not the report of a discarded batch"]
    left = operator.json("failures", status=1)["messages"]
    assert [each["healed"] for each in left] == [False]
    sqs.purge_queue(QueueUrl=queue)


@contextmanager
def broken_processor(cloud: RunningCloud, uuid: str) -> Iterator[None]:
    """Let every batch fail, and the mapping give up on records that are older than a second."""
    functions, name = cloud.client("lambda"), cloud.outputs["functionNames"]["processStream"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = {**variables, "LEDGER_TABLE_NAME": "missing"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    age = functions.get_event_source_mapping(UUID=uuid)["MaximumRecordAgeInSeconds"]
    functions.update_event_source_mapping(UUID=uuid, MaximumRecordAgeInSeconds=1)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, MaximumRecordAgeInSeconds=age)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_a_batch_that_the_mapping_gave_up_on_is_redriven(operator: Operator) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    before = settled_total(cloud)
    with broken_processor(cloud, outputs["eventSourceMappingId"]):
        with stopped_stream(cloud):
            # One batch, and one report.
            for _ in range(2):
                visit(cloud, "given up")
        eventually(lambda: len(operator.found()) == 1, 30, "a report in the dead-letter queue")
    # Nothing delivers these records again: the mapping has gone on.
    [message] = operator.found()
    assert (message["condition"], message["records"], message["healed"]) == ("MaxRecordAgeExceeded", 2, False)
    assert "2 records of shard shardId-" in message["text"]
    assert total(cloud) == before
    done = operator.json("failures", "--redrive")
    assert (done["deleted"], done["messages"][0]["state"]) == (1, "Redriven: its visits are in the total now.")
    assert (total(cloud), operator.found()) == (before + 2, [])
    assert operator.json("verify")["drift"] == []
    # The mapping goes on, and its last result is a success again.
    visit(cloud, "given up")
    assert settled_total(cloud) == before + 3
