"""The operator's commands against the running local cloud."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from tests.e2e.test_visits import settled_total, total, visit
from tests.running import ROOT, RunningCloud, eventually

Output = pytest.CaptureFixture[str]


class Operator:
    """Calls commands on the shared cloud, by a file of its outputs."""

    def __init__(self, cloud: RunningCloud, folder: Path, output: Output) -> None:
        self.cloud = cloud
        self._file = folder / "outputs.json"
        self._file.write_text(json.dumps(cloud.outputs), encoding="utf-8")
        self._output = output

    def call(self, *arguments: str, status: int = 0) -> str:
        """Call a command, hold its exit status, and return its standard output."""
        self._output.readouterr()
        assert main([arguments[0], "--outputs", str(self._file), *arguments[1:]]) == status, self._output.readouterr()
        self.errors: str
        out, self.errors = self._output.readouterr()
        return out

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Call a command with --json and return what it printed, parsed."""
        return json.loads(self.call(*arguments, "--json", status=status))


@pytest.fixture
def operator(cloud: RunningCloud, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> Operator:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Operator(cloud, tmp_path, capsys)


@contextmanager
def stopped_stream(cloud: RunningCloud) -> Iterator[None]:
    """Disable the event source mapping meanwhile."""
    functions, uuid = cloud.client("lambda"), cloud.outputs["eventSourceMappingId"]
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)


def test_the_status_shows_every_part(operator: Operator) -> None:
    outputs = operator.cloud.outputs
    visit(operator.cloud, "status")
    visits = settled_total(operator.cloud)
    shown = operator.json("status")
    assert shown["problems"] == []
    assert shown["api"]["status"] == 200
    assert (shown["total"]["visits"], shown["total"]["maintainedBy"]) == (visits, outputs["ledgerTableName"])
    assert {outputs["tableName"], outputs["ledgerTableName"]} <= set(shown["tables"])
    mapping = shown["mapping"]
    assert (mapping["uuid"], mapping["state"]) == (outputs["eventSourceMappingId"], "Enabled")
    assert (mapping["startingPosition"], mapping["batchSize"]) == ("TRIM_HORIZON", 1_000)
    assert mapping["lastResult"].startswith("OK")
    assert (shown["queue"]["messages"], shown["lag"]["milliseconds"]) == (0, None)
    assert {one["name"] for one in shown["functions"].values()} == set(outputs["functionNames"].values())
    text = operator.call("status")
    assert f"mapping:    {outputs['eventSourceMappingId']}, Enabled\n" in text
    assert text.endswith("\nNothing needs attention.\n")


def test_the_status_names_a_message_and_an_alarm_that_fires(operator: Operator) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    sqs, cloudwatch = cloud.client("sqs"), cloud.client("cloudwatch")
    dimensions = [{"Name": "FunctionName", "Value": outputs["functionNames"]["processStream"]}]
    rule = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "Threshold": 0.0}
    for name, watched in (("operated", dimensions), ("theirs", [{"Name": "FunctionName", "Value": "other"}])):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Dimensions=watched,
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            **rule,
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="tried")
    sqs.send_message(QueueUrl=outputs["deadLetterQueueUrl"], MessageBody="{}")
    try:
        text = operator.call("status", status=1)
    finally:
        sqs.purge_queue(QueueUrl=outputs["deadLetterQueueUrl"])
        cloudwatch.delete_alarms(AlarmNames=["operated", "theirs"])
    assert "ALARM  operated\n" in text
    assert "Alarm operated: tried\n" in text
    assert "theirs" not in text
    assert "The dead-letter queue holds 1 message; see `counter failures`.\n" in text


def test_a_part_that_cannot_be_read_does_not_hide_the_others(operator: Operator) -> None:
    text = operator.call("status", "--table", "nowhere", status=1)
    assert "\ntotal:      cannot be read\n" in text
    assert "\nqueue:      " in text
    assert "total: An error occurred (ResourceNotFoundException)" in text


def test_the_local_cloud_of_this_machine_is_found(cloud: RunningCloud, capsys: Output) -> None:
    assert main(["verify", "--local", "--endpoint-url", cloud.outputs["endpointUrl"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drift"] == []


def test_a_smoke_test_follows_its_visit_into_the_total(operator: Operator) -> None:
    before = settled_total(operator.cloud)
    first = operator.json("smoke-test")
    assert (first["tag"], first["total"]) == ("smoke-test", before + 1)
    text = operator.call("smoke-test")
    assert text.startswith(f"Visit {first['count'] + 1} of 'smoke-test' was in the total of {before + 2} after ")
    operator.call("smoke-test", "--tag", "a b/c", status=1)
    assert "did not record a visit: status 404: " in operator.errors


def test_a_smoke_test_fails_with_the_cause_if_the_total_does_not_follow(operator: Operator) -> None:
    with stopped_stream(operator.cloud):
        operator.call("smoke-test", "--tag", "stuck", "--timeout", "1s", status=1)
        assert "counter: visit 1 of 'stuck' is counted, but not in the total after 1 s" in operator.errors
        assert "the event source mapping is Disabled" in operator.errors
        assert "The event source mapping is Disabled" in operator.call("status", status=1)
    eventually(lambda: operator.cloud.request("/counts/stuck").json["count"] == 1, 5, "the visit")
    settled_total(operator.cloud)


def test_a_smoke_test_of_an_api_that_is_gone_is_a_sentence(operator: Operator) -> None:
    operator.call("smoke-test", "--api-endpoint", "http://127.0.0.1:1", status=1)
    assert operator.errors.startswith("counter: http://127.0.0.1:1/tag/smoke-test does not respond: ")


def test_verify_shows_the_three_side_by_side_and_names_drift(operator: Operator) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    for _ in range(3):
        visit(cloud, "verified")
    visits = settled_total(cloud)
    found = operator.json("verify")
    assert (found["total"]["visits"], found["ledger"]["visits"], found["drift"]) == (visits, visits, [])
    assert found["counts"]["visits"] == found["ledger"]["visitsOfTags"]
    assert operator.call("verify").endswith("\nThe total is exact.\n")
    client = cloud.client("dynamodb")
    with stopped_stream(cloud):
        visit(cloud, "verified")
        found = operator.json("verify", "--wait", "1s", status=1)
        assert (found["missing"], found["counts"]["visits"] - found["ledger"]["visitsOfTags"]) == (1, 1)
        assert found["drift"] == [
            "1 tag with 1 visit that are not in the total: 'verified'. If they do not arrive, run `counter reconcile`."
        ]
    settled_total(cloud)
    key = {"ID": {"S": "COUNTER"}}
    counter = client.get_item(TableName=outputs["tableName"], Key=key)["Item"]
    client.put_item(TableName=outputs["tableName"], Item=counter | {"TotalViews": {"N": "1"}, "Held": {"N": "1"}})
    assert f"The total (1) is not the sum of the ledger ({visits + 1:,}). Run `counter reconcile`." in operator.call(
        "verify", status=1
    )
    operator.call("reconcile")
    assert operator.json("verify")["drift"] == []


def test_a_reconciliation_killed_at_random_points_gives_the_exact_total_under_visits(
    operator: Operator, tmp_path: Path
) -> None:
    cloud, outputs = operator.cloud, operator.cloud.outputs
    client, tags = cloud.client("dynamodb"), [f"killed-{number}" for number in range(120)]
    for tag in tags:
        client.put_item(TableName=outputs["tableName"], Item={"ID": {"S": tag}, "Count": {"N": "2"}})
    before = settled_total(cloud)
    # Every tag has to be brought in again: those of other tests from their entries, these by a mark.
    for tag in tags:
        client.delete_item(TableName=outputs["ledgerTableName"], Key={"ID": {"S": tag}})
    client.delete_item(TableName=outputs["tableName"], Key={"ID": {"S": "COUNTER"}})
    recorded: list[int] = []
    stop = threading.Event()

    def visit_on() -> None:
        while not stop.is_set():
            recorded.append(visit(cloud, f"killed-{len(recorded) % 3}"))

    visits = threading.Thread(target=visit_on)
    visits.start()
    try:
        for _ in range(3):
            command = [sys.executable, str(ROOT / "cli"), "reconcile", "--outputs", str(tmp_path / "outputs.json")]
            with subprocess.Popen([*command, "--rate", "50"], stderr=subprocess.DEVNULL) as process:
                # It starts within a second, and takes more than two at this rate.
                with suppress(subprocess.TimeoutExpired):
                    process.wait(random.uniform(0.7, 3.5))
                process.kill()
        found = operator.json("reconcile")
    finally:
        stop.set()
        visits.join()
    assert (found["exact"], len(recorded) > 0) == (True, True)
    assert settled_total(cloud) == before + len(recorded)
    assert operator.json("verify")["drift"] == []


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


def test_a_deleted_tag_leaves_its_visits_in_the_total(operator: Operator) -> None:
    for _ in range(2):
        visit(operator.cloud, "to delete")
    before = settled_total(operator.cloud)
    operator.call("delete", "to delete", status=2)
    assert "Delete the tag 'to delete' of table" in operator.errors
    assert "Confirm with --yes." in operator.errors
    visit(operator.cloud, "to delete")
    assert operator.json("delete", "to delete", "--yes") == {"tag": "to delete", "deleted": True, "visits": 3}
    assert operator.cloud.request("/counts/to%20delete").json["count"] == 0
    assert settled_total(operator.cloud) == before + 1
    assert operator.json("verify")["drift"] == []
    operator.call("delete", "to delete", "--yes", status=1)
    assert "counter: there is no tag 'to delete' in table" in operator.errors
    operator.call("delete", "COUNTER", "--yes", status=2)
    assert "COUNTER is the key of the total, not a tag." in operator.errors
    with stopped_stream(operator.cloud):
        visit(operator.cloud, "kept")
        operator.call("delete", "kept", "--yes", "--timeout", "1s", status=1)
        assert "'kept' was not deleted: the total lacks visits of it after 1 s" in operator.errors


def test_the_logs_of_all_functions_are_merged_by_time(operator: Operator) -> None:
    cloud = operator.cloud
    visit(cloud, "logged")
    settled_total(cloud)
    lines = operator.call("logs", "--platform", "--since", "1h", "--json").splitlines()
    events = [json.loads(line) for line in lines]
    assert {"recordVisit", "processStream"} <= {event["function"] for event in events}
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert "RequestId" not in operator.call("logs", "--since", "1h")
    only = operator.call("logs", "--platform", "--since", "1h", "--function", "recordVisit")
    assert "START RequestId" in only
    assert "processStream" not in only
    operator.call("logs", "--function", "nobody", status=2)
    assert "'nobody' is not one of the functions; allowed: processStream, recordVisit," in operator.errors


def test_the_logs_are_followed_until_ctrl_c(operator: Operator, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli"), "logs", "--outputs", str(tmp_path / "outputs.json")]
    command += ["--follow", "--platform", "--json", "--since", "1s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        stop = threading.Event()

        def visit_on() -> None:
            while not stop.wait(0.3):
                visit(operator.cloud, "followed")

        visits = threading.Thread(target=visit_on)
        visits.start()
        try:
            seen = [json.loads(process.stdout.readline()) for _ in range(9)]
            process.send_signal(signal.SIGINT)
            rest = process.stdout.readlines()
        finally:
            stop.set()
            visits.join()
            process.kill()
        assert process.wait(20) == 0
    events = [json.dumps(one, sort_keys=True) for one in [*seen, *map(json.loads, rest)]]
    assert len(events) == len(set(events))


def test_the_doctor_examines_the_credentials(operator: Operator, capsys: Output) -> None:
    where = ("--region", operator.cloud.region, "--endpoint-url", operator.cloud.outputs["endpointUrl"])
    main(["doctor", *where, "--json"])
    findings = {one["subject"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["AWS region"]["found"] == operator.cloud.region
    assert findings["AWS credentials"]["remedy"] == ""
    assert findings["Python"]["remedy"] == ""
