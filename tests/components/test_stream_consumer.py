"""The event source mapping, its rights and its dead-letter queue, for the counter and for any further function."""

import json
from typing import Any

import pytest

from components import ArgumentError, StartingPosition, StreamConsumer, StreamTriggeredCounter
from components.testing import RecordingMonitor, Result, run

from .conftest import Build, exactly
from .test_function import code, statements

MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/tags/stream/2024-01-01T00:00:00.000"
OWN: dict[str, Any] = {"stream_arn": STREAM, "code": code(), "handler": "app.handler"}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:existing"


def test_nothing_is_given_up_by_default_until_the_stream_is_about_to_drop_it(counter: Result) -> None:
    mapping = counter.one(MAPPING)
    table = counter.one("aws:dynamodb/table:Table", "counter-table")
    queue = counter.one("aws:sqs/queue:Queue")
    expected = {
        "eventSourceArn": table.state["streamArn"],
        "functionName": counter.one("aws:lambda/function:Function", "counter-process-stream").state["arn"],
        "startingPosition": "TRIM_HORIZON",
        "batchSize": 1_000,
        "maximumBatchingWindowInSeconds": 1,
        "maximumRetryAttempts": -1,
        "maximumRecordAgeInSeconds": 84_600,
        "bisectBatchOnFunctionError": False,
        "parallelizationFactor": 1,
        "tumblingWindowInSeconds": 900,
        "destinationConfig": {"onFailure": {"destinationArn": queue.state["arn"]}},
        "metricsConfig": {"metrics": ["EventCount"]},
    }
    assert {key: mapping.inputs[key] for key in expected} == expected
    assert queue.inputs["messageRetentionSeconds"] == 1_209_600
    assert queue.inputs["sqsManagedSseEnabled"] is True
    assert "kmsMasterKeyId" not in queue.inputs


def test_the_dead_letter_queue_refuses_every_request_without_tls(counter: Result) -> None:
    queue = counter.one("aws:sqs/queue:Queue")
    policy = counter.one("aws:sqs/queuePolicy:QueuePolicy")
    assert policy.inputs["queueUrl"] == queue.state["url"]
    assert json.loads(policy.inputs["policy"])["Statement"] == [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue.state["arn"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_a_key_encrypts_the_dead_letter_queue_and_no_table(build: Build) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    result = build({"stream": {"dead_letter_queue_encryption_key_arn": key}})
    queue = result.one("aws:sqs/queue:Queue")
    assert queue.inputs["kmsMasterKeyId"] == key
    assert "sqsManagedSseEnabled" not in queue.inputs
    assert all("serverSideEncryption" not in table.inputs for table in result.all("aws:dynamodb/table:Table"))


@pytest.mark.parametrize("reserved", [0, 10])
def test_concurrency_is_reserved_for_the_stream_and_nothing_else(build: Build, reserved: int) -> None:
    functions = build({"stream": {"reserved_concurrency": reserved}}).all("aws:lambda/function:Function")
    assert {each.name: each.inputs.get("reservedConcurrentExecutions") for each in functions} == {
        "counter-welcome": None,
        "counter-record-visit": None,
        "counter-view-counts": None,
        "counter-process-stream": reserved,
    }


def test_nothing_is_reserved_by_default(counter: Result) -> None:
    functions = exactly(4, counter, "aws:lambda/function:Function")
    assert not any("reservedConcurrentExecutions" in each.inputs for each in functions)


def test_the_totals_own_changes_are_filtered_out_at_the_source(counter: Result) -> None:
    [pattern] = counter.one(MAPPING).inputs["filterCriteria"]["filters"]
    assert json.loads(pattern["pattern"]) == {
        "dynamodb": {"Keys": {"ID": {"S": [{"anything-but": ["COUNTER", "COUNTER/%/1"]}]}}}
    }


def test_the_mapping_counts_its_events_unless_that_is_off(counter: Result, build: Build) -> None:
    assert counter.one(MAPPING).inputs["metricsConfig"] == {"metrics": ["EventCount"]}
    assert "metricsConfig" not in build({"stream": {"mapping_metrics": False}}).one(MAPPING).inputs


def test_a_mapping_is_deleted_before_its_replacement_is_made(counter: Result) -> None:
    assert counter.one(MAPPING).delete_before_replace is True


def test_settings_reach_the_mapping_and_the_queue(build: Build) -> None:
    given = {
        "batch_size": 10_000,
        "maximum_batching_window_in_seconds": 300,
        "maximum_retry_attempts": -1,
        "maximum_record_age_in_seconds": -1,
        "dead_letter_queue_retention_seconds": 60,
        "mapping_metrics": False,
    }
    result = build({"stream": given})
    inputs = result.one(MAPPING).inputs
    assert inputs["batchSize"] == 10_000
    assert inputs["maximumBatchingWindowInSeconds"] == 300
    assert inputs["maximumRetryAttempts"] == -1
    assert inputs["maximumRecordAgeInSeconds"] == -1
    assert "metricsConfig" not in inputs
    assert result.one("aws:sqs/queue:Queue").inputs["messageRetentionSeconds"] == 60


def test_a_further_function_with_code_of_its_own() -> None:
    def program() -> None:
        counter = StreamTriggeredCounter("counter")
        StreamConsumer(
            "audit",
            {
                "stream_arn": counter.stream_arn,
                "code": code(),
                "handler": "app.handler",
                "filters": ['{"eventName": ["REMOVE"]}'],
                "stream": {
                    "batch_size": 5,
                    "reserved_concurrency": 2,
                    "starting_position": StartingPosition.LATEST,
                    "bisect_batch_on_function_error": False,
                },
            },
        )

    result = run(program)
    mapping = result.one(MAPPING, "audit")
    assert mapping.inputs["batchSize"] == 5
    assert mapping.inputs["startingPosition"] == "LATEST"
    assert mapping.inputs["bisectBatchOnFunctionError"] is False
    assert result.one("aws:lambda/function:Function", "audit").inputs["reservedConcurrentExecutions"] == 2
    assert mapping.inputs["filterCriteria"] == {"filters": [{"pattern": '{"eventName": ["REMOVE"]}'}]}
    policies = {result.one("aws:iam/rolePolicy:RolePolicy", name).urn for name in ("audit", "audit-consume")}
    assert policies <= set(mapping.dependencies)
    assert len({queue.name for queue in result.all("aws:sqs/queue:Queue")}) == 2
    assert result.warnings == []


@pytest.mark.parametrize(
    "given",
    [
        {"parallelization_factor": 10},
        {"tumbling_window_in_seconds": 900},
        {"parallelization_factor": 1, "tumbling_window_in_seconds": 60},
    ],
)
def test_several_batches_at_once_or_a_window_over_batches(given: dict[str, int]) -> None:
    inputs = run(lambda: StreamConsumer("audit", OWN | {"stream": given})).one(MAPPING).inputs  # type: ignore[arg-type]
    assert (inputs["parallelizationFactor"], inputs["tumblingWindowInSeconds"]) == (
        given.get("parallelization_factor", 1),
        given.get("tumbling_window_in_seconds", 0),
    )


def test_several_batches_at_once_cannot_have_a_window() -> None:
    args: Any = OWN | {"stream": {"parallelization_factor": 2, "tumbling_window_in_seconds": 900}}
    with pytest.raises(ArgumentError) as raised:
        run(lambda: StreamConsumer("audit", args))
    assert str(raised.value) == (
        "stream.parallelization_factor: 2 is not supported with a tumbling window; "
        "allowed: 1, or stream.tumbling_window_in_seconds 0"
    )


def test_an_existing_functions_role_is_given_the_rights() -> None:
    result = run(
        lambda: StreamConsumer(
            "audit", {"stream_arn": STREAM, "function_arn": FUNCTION, "function_role_name": "their-role"}
        )
    )
    policy = result.one("aws:iam/rolePolicy:RolePolicy", "audit-consume")
    assert policy.inputs["role"] == "their-role"
    assert statements(result, "audit-consume")[0]["Resource"] == [STREAM]
    assert policy.urn in result.one(MAPPING).dependencies
    mapping = result.one(MAPPING).inputs
    assert "filterCriteria" not in mapping
    assert mapping["startingPosition"] == "TRIM_HORIZON"
    assert mapping["bisectBatchOnFunctionError"] is True
    assert (mapping["parallelizationFactor"], mapping["tumblingWindowInSeconds"]) == (1, 0)
    assert result.all("aws:lambda/function:Function") == []
    outputs = result.one("stream-triggered-counter:index:StreamConsumer").outputs
    assert outputs is not None
    assert outputs["functionName"] == "existing"


@pytest.mark.parametrize(
    ("args", "path"),
    [
        ({"code": code(), "handler": "app.handler"}, "stream_arn"),
        (
            {"stream_arn": "arn:aws:sqs:eu-west-1:123456789012:q", "code": code(), "handler": "app.handler"},
            "stream_arn",
        ),
        ({"stream_arn": STREAM}, "code"),
        ({"stream_arn": STREAM, "code": code()}, "handler"),
        ({"stream_arn": STREAM, "function_arn": FUNCTION}, "function_role_name"),
        ({"stream_arn": STREAM, "function_role_name": "role"}, "function_role_name"),
        ({"stream_arn": STREAM, "function_arn": FUNCTION, "function_role_name": "r", "code": code()}, "code"),
        (
            {
                "stream_arn": STREAM,
                "function_arn": FUNCTION,
                "function_role_name": "r",
                "stream": {"reserved_concurrency": 5},
            },
            "stream.reserved_concurrency",
        ),
        ({"stream_arn": STREAM, "function_arn": "existing", "function_role_name": "r"}, "function_arn"),
        (
            {"stream_arn": STREAM, "function_arn": FUNCTION, "function_role_name": "arn:aws:iam::1:role/r"},
            "function_role_name",
        ),
        ({"stream_arn": STREAM, "code": code(), "handler": "app.handler", "filters": ["REMOVE"]}, "filters[0]"),
        ({"stream_arn": STREAM, "code": code(), "handler": "app.handler", "filters": ["{}"] * 11}, "filters"),
        ({"stream_arn": STREAM, "code": code(), "handler": "app.handler", "batch_size": 5}, "batch_size"),
        (OWN | {"stream": {"batch_size": 0}}, "stream.batch_size"),
        (OWN | {"stream": {"starting_position": "AT_TIMESTAMP"}}, "stream.starting_position"),
        (OWN | {"stream": {"bisect_batch_on_function_error": "no"}}, "stream.bisect_batch_on_function_error"),
        (OWN | {"stream": {"parallelization_factor": 11}}, "stream.parallelization_factor"),
        (OWN | {"stream": {"tumbling_window_in_seconds": 901}}, "stream.tumbling_window_in_seconds"),
        (OWN | {"encryption_key_arn": "alias/mine"}, "encryption_key_arn"),
        (OWN | {"tags": {"aws:owner": "me"}}, "tags (key)"),
        (OWN | {"code": "app.zip"}, "code"),
        (OWN | {"handler": "handler"}, "handler"),
        (OWN | {"function": {"timeout": 0}}, "function.timeout"),
        (OWN | {"variables": {"A B": ""}}, "variables (key)"),
        (OWN | {"statements": [{"actions": ["s3:GetObject"]}]}, "statements[0].resources"),
        (OWN | {"statements": [{"actions": ["*"], "resources": ["*"]}]}, "statements[0].actions[0]"),
        (OWN | {"statements": [{"actions": [], "resources": [], "effect": "Deny"}]}, "statements[0].effect"),
        (OWN | {"statements": ["s3:GetObject"]}, "statements[0]"),
        (OWN | {"function": {"environment": {"TABLE_NAME": "x"}}}, "function.environment (key)"),
        (OWN | {"function_role_name": "role"}, "function_role_name"),
        ("everything", "args"),
    ],
)
def test_bad_arguments_are_refused_before_anything_exists(args: Any, path: str) -> None:
    monitor = RecordingMonitor()
    with pytest.raises(ArgumentError) as raised:
        run(lambda: StreamConsumer("audit", args), monitor=monitor)
    assert str(raised.value).startswith(f"{path}: ")
    assert [resource.type for resource in monitor.resources] == ["pulumi:pulumi:Stack"]


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^name: 'two words' is invalid; allowed: 1 to 56 letters"):
        run(lambda: StreamConsumer("two words", OWN))  # type: ignore[arg-type]
