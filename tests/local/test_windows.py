"""Tumbling windows: how a stream's records are cut into them, and what functions on the emulator receive."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from local.emulator.windows import MAX_STATE_BYTES, Batch, Shard, StateError, Window
from local.errors import ResourceError
from tests.local.conftest import POLICY, TRUST, Cloud
from tests.running import eventually

LENGTH = 60
LIMIT = 3
SHARD_ID = "shardId-00000000000000000000-00000000"


def records(*times: int) -> list[dict[str, Any]]:
    return [{"dynamodb": {"ApproximateCreationDateTime": seconds}} for seconds in times]


def times(batch: Batch) -> list[int]:
    return [record["dynamodb"]["ApproximateCreationDateTime"] for record in batch]


@pytest.fixture
def shard() -> Shard:
    return Shard(SHARD_ID, "arn:stream")


def deliver(shard: Shard, read: list[dict[str, Any]], now: float, state: Any) -> dict[str, Any]:
    """Deliver the next batch, and return the function's event."""
    batch = shard.cut(read, LIMIT, LENGTH, now)
    assert batch
    event = batch.event
    shard.accept(batch, {"state": state})
    return event


@pytest.mark.parametrize(
    ("seconds", "length", "start"),
    [(0, 60, 0), (59.9, 60, 0), (60, 60, 60), (1_000, 900, 900), (7, 1, 7), (125, 7, 119)],
)
def test_windows_are_aligned_to_their_length(seconds: float, length: int, start: int) -> None:
    assert Window.around(seconds, length) == Window(start, start + length)


def test_event_of_the_first_invocation(shard: Shard) -> None:
    assert deliver(shard, records(61, 62), 63, {"n": 2}) == {
        "Records": records(61, 62),
        "window": {"start": "1970-01-01T00:01:00Z", "end": "1970-01-01T00:02:00Z"},
        "state": {},
        "shardId": SHARD_ID,
        "eventSourceARN": "arn:stream",
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }


def test_state_is_carried_within_a_window_and_then_reset(shard: Shard) -> None:
    assert deliver(shard, records(61), 62, {"n": 1})["state"] == {}
    assert deliver(shard, records(63), 64, {"n": 2})["state"] == {"n": 1}
    final = deliver(shard, [], 120, {"ignored": True})
    assert (final["Records"], final["state"], final["isFinalInvokeForWindow"]) == ([], {"n": 2}, True)
    following = deliver(shard, records(121), 122, {"n": 1})
    assert (following["state"], following["window"]["start"]) == ({}, "1970-01-01T00:02:00Z")


def test_nothing_is_due_without_records_until_the_window_ends(shard: Shard) -> None:
    assert not shard.cut([], LIMIT, LENGTH, 61)
    deliver(shard, records(61), 62, {})
    assert not shard.cut([], LIMIT, LENGTH, 119.9)
    deliver(shard, [], 120, {})
    assert not shard.cut([], LIMIT, LENGTH, 500)


def test_batches_end_with_their_window(shard: Shard) -> None:
    deliver(shard, records(61), 62, {})
    batch = shard.cut(records(119, 120), LIMIT, LENGTH, 121)
    assert (times(batch), batch.final) == ([119], True)
    shard.accept(batch, {"state": {}})
    batch = shard.cut(records(120), LIMIT, LENGTH, 121)
    assert (times(batch), batch.window, batch.final) == ([120], Window(120, 180), False)


def test_final_invocation_precedes_the_next_windows_records(shard: Shard) -> None:
    deliver(shard, records(61), 62, {"n": 1})
    batch = shard.cut(records(120), LIMIT, LENGTH, 121)
    assert (times(batch), batch.final, batch.event["state"]) == ([], True, {"n": 1})


def test_full_batch_is_not_final(shard: Shard) -> None:
    event = deliver(shard, records(61, 62, 63), 200, {"n": 3})
    assert event["isFinalInvokeForWindow"] is False
    assert deliver(shard, records(64), 200, {})["isFinalInvokeForWindow"] is True


def test_single_invocation_of_a_past_window_is_final(shard: Shard) -> None:
    event = deliver(shard, records(61, 62), 500, {"n": 2})
    assert (event["state"], event["isFinalInvokeForWindow"]) == ({}, True)
    assert not shard.cut([], LIMIT, LENGTH, 500)


def test_late_record_joins_the_open_window(shard: Shard) -> None:
    deliver(shard, records(121), 122, {"n": 1})
    assert deliver(shard, records(119), 123, {"n": 2})["window"]["start"] == "1970-01-01T00:02:00Z"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "the answer has no `state`, which a mapping with a tumbling window must return"),
        ({"batchItemFailures": []}, "the answer has no `state`, which a mapping with a tumbling window must return"),
        ({"state": None}, "the answer's `state` is not a JSON object"),
        ({"state": [1]}, "the answer's `state` is not a JSON object"),
    ],
)
def test_answer_without_a_state_changes_nothing(shard: Shard, answer: Any, reason: str) -> None:
    deliver(shard, records(61), 62, {"n": 1})
    for read, now in ((records(63), 64), ([], 120)):
        batch = shard.cut(read, LIMIT, LENGTH, now)
        with pytest.raises(StateError, match=f"^{reason}$"):
            shard.accept(batch, answer)
        assert shard.cut(read, LIMIT, LENGTH, now).event == batch.event
    assert deliver(shard, [], 120, {})["state"] == {"n": 1}


def test_failed_first_invocation_opens_no_window(shard: Shard) -> None:
    batch = shard.cut(records(61), LIMIT, LENGTH, 62)
    with pytest.raises(StateError):
        shard.accept(batch, {})
    assert not shard.cut([], LIMIT, LENGTH, 120)


def test_state_over_1_mb_terminates_the_window_early(shard: Shard) -> None:
    large = {"": "é" * (MAX_STATE_BYTES // 2)}
    deliver(shard, records(61), 62, large)
    early = deliver(shard, records(63), 64, {"ignored": True})
    assert (early["Records"], early["state"]) == ([], large)
    assert (early["isFinalInvokeForWindow"], early["isWindowTerminatedEarly"]) == (False, True)
    again = deliver(shard, records(63), 64, {"n": 1})
    assert (again["state"], again["window"], again["isWindowTerminatedEarly"]) == ({}, early["window"], False)


def test_filter_keeps_the_invocation(shard: Shard) -> None:
    assert not shard.cut(records(61), LIMIT, LENGTH, 120).only([]), "no invocation has opened the window"
    deliver(shard, records(61), 62, {})
    assert not shard.cut(records(63), LIMIT, LENGTH, 64).only([])
    final = shard.cut(records(63, 64), LIMIT, LENGTH, 120).only(records(64))
    assert (times(final), final.final) == ([64], True)
    assert shard.cut(records(63), LIMIT, LENGTH, 120).only([])


# Reports each event and its answer to a queue. Its first answer about `stateless` has no state, and the first final
# invocation of the window with `unlucky` raises an exception, which ends the process, so files mark the failures.
CODE = """
import json, os, pathlib, tempfile, time
import boto3

client = boto3.client("sqs")

def handler(event, context):
    new = [record["dynamodb"]["Keys"]["ID"]["S"] for record in event["Records"]]
    ids = event.get("state", {}).get("ids", []) + new
    unlucky = "unlucky" in ids and event["isFinalInvokeForWindow"]
    failure = "unlucky" if unlucky else "stateless" if "stateless" in new else None
    mark = pathlib.Path(tempfile.gettempdir(), f"{context.function_name}-{failure}")
    fails = failure and not mark.exists()
    mark.touch()
    report = {"event": event, "answer": {} if fails else {"state": {"ids": ids}}, "at": time.time()}
    client.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(report))
    if fails and unlucky:
        raise RuntimeError("unlucky")
    return report["answer"]
"""


class Deployed:
    """A table, a function, and a mapping with `arguments` between them."""

    def __init__(self, cloud: Cloud, **arguments: Any) -> None:
        def program() -> None:
            table = aws.dynamodb.Table(
                "t",
                attributes=[{"name": "ID", "type": "S"}],
                hash_key="ID",
                billing_mode="PAY_PER_REQUEST",
                stream_enabled=True,
                stream_view_type="NEW_IMAGE",
            )
            queue = aws.sqs.Queue("q")
            role = aws.iam.Role("r", assume_role_policy=TRUST)
            policy = aws.iam.RolePolicy("p", role=role.name, policy=POLICY)
            function = aws.lambda_.Function(
                "f",
                role=role.arn,
                code=pulumi.AssetArchive({"main.py": pulumi.StringAsset(CODE)}),
                handler="main.handler",
                runtime="python3.13",
                timeout=30,
                environment={"variables": {"QUEUE": queue.url}},
                opts=pulumi.ResourceOptions(depends_on=[policy]),
            )
            aws.lambda_.EventSourceMapping(
                "m",
                event_source_arn=table.stream_arn,
                function_name=function.arn,
                starting_position="TRIM_HORIZON",
                **arguments,
            )

        result = cloud.deploy(program)
        self._cloud = cloud
        self._reports: list[dict[str, Any]] = []
        self._queue = result.one("q").id
        self.table = result.one("t")
        self.function = result.one("f").id
        self.mapping = result.one("m").id

    def put(self, key: str) -> None:
        self._cloud.client("dynamodb").put_item(TableName=self.table.id, Item={"ID": {"S": key}})

    @property
    def reports(self) -> list[dict[str, Any]]:
        """All invocations so far, in order."""
        client = self._cloud.client("sqs")
        while messages := client.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            self._reports.extend(json.loads(message["Body"]) for message in messages)
            for message in messages:
                client.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(self._reports, key=lambda report: float(report["at"]))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [report["event"] for report in self.reports]

    def wait_for(self, count: int) -> None:
        eventually(lambda: len(self.events) >= count, 60, f"{count} invocations")


def ids(event: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["ID"]["S"] for record in event["Records"]]


def has_finished(key: str, reports: list[dict[str, Any]]) -> bool:
    """Return whether a window with this key has ended with a successful invocation."""
    return any(
        report["event"]["isFinalInvokeForWindow"] and key in report["answer"].get("state", {}).get("ids", [])
        for report in reports
    )


def has_ended(window: Window) -> bool:
    return time.time() >= window.end


def test_windows_on_the_emulator(cloud: Cloud) -> None:
    deployed = Deployed(cloud, tumbling_window_in_seconds=2)
    mapping = cloud.client("lambda").get_event_source_mapping(UUID=deployed.mapping)
    assert (mapping["TumblingWindowInSeconds"], mapping["State"]) == (2, "Enabled")

    deployed.put("unlucky")
    eventually(lambda: has_finished("unlucky", deployed.reports), 60, "a final invocation after a failed one")
    deployed.put("stateless")
    eventually(lambda: has_finished("stateless", deployed.reports), 60, "a final invocation after a failed batch")

    def carries_state() -> bool:
        deployed.put(f"item-{len(deployed.reports)}")
        return any(event["state"] for event in deployed.events)

    eventually(carries_state, 60, "an invocation with the state of the previous one")
    invocations = [(report["event"], report["answer"]) for report in deployed.reports]
    expected: dict[str, Any] = {}
    windows = []
    for event, answer in invocations:
        assert event["state"] == expected
        assert event["shardId"] == SHARD_ID
        assert event["eventSourceARN"] == deployed.table.state["streamArn"]
        assert event["isWindowTerminatedEarly"] is False
        assert event["Records"] or event["isFinalInvokeForWindow"]
        windows.append((event["window"]["start"], event["window"]["end"]))
        if answer:
            expected = {} if event["isFinalInvokeForWindow"] else answer["state"]
    assert windows == sorted(windows)
    failed = [event for event, answer in invocations if not answer]
    assert any("stateless" in ids(event) for event in failed)
    assert any(event["isFinalInvokeForWindow"] for event in failed)

    stream = cloud.client("dynamodbstreams").describe_stream(StreamArn=deployed.table.state["streamArn"])
    assert [shard["ShardId"] for shard in stream["StreamDescription"]["Shards"]] == [SHARD_ID]
    source = {"event": "failure", "function": deployed.function, "table": deployed.table.id}
    for reason in (
        "StateError: the answer has no `state`, which a mapping with a tumbling window must return",
        "Runtime.HandlerError: unlucky",
    ):
        eventually(partial(cloud.events.__contains__, {**source, "reason": reason}), 10, reason)
    assert all(event["records"] for event in cloud.events if event["event"] == "batch")


def test_records_of_past_windows_come_with_final_invocations(cloud: Cloud) -> None:
    deployed = Deployed(cloud, tumbling_window_in_seconds=1, enabled=False)
    for key in ("old", "new"):
        deployed.put(key)
        window = Window.around(time.time(), 1)
        eventually(partial(has_ended, window), 10, "the end of the window")
    cloud.client("lambda").update_event_source_mapping(UUID=deployed.mapping, Enabled=True)
    deployed.wait_for(2)
    assert [(ids(event), event["state"]) for event in deployed.events] == [(["old"], {}), (["new"], {})]
    assert all(event["isFinalInvokeForWindow"] for event in deployed.events)


def test_mapping_without_a_window_receives_records_only(cloud: Cloud) -> None:
    deployed = Deployed(cloud)
    deployed.put("first")
    deployed.wait_for(1)
    assert [set(event) for event in deployed.events] == [{"Records"}]


def test_windows_require_a_parallelization_factor_of_1(cloud: Cloud) -> None:
    reason = "ParallelizationFactor is 2, must be 1 for a mapping with TumblingWindowInSeconds"
    with pytest.raises(ResourceError, match=f"EventSourceMapping 'm': .*{reason}"):
        Deployed(cloud, tumbling_window_in_seconds=2, parallelization_factor=2)
    deployed = Deployed(cloud, parallelization_factor=2)
    client = cloud.client("lambda")
    with pytest.raises(ClientError, match=reason):
        client.update_event_source_mapping(UUID=deployed.mapping, TumblingWindowInSeconds=2)
    client.update_event_source_mapping(UUID=deployed.mapping, TumblingWindowInSeconds=2, ParallelizationFactor=1)
    assert client.get_event_source_mapping(UUID=deployed.mapping)["TumblingWindowInSeconds"] == 2
