"""A function with an execution role and a log group of its own."""

import json
from pathlib import Path
from typing import Any

import pulumi

from components import StreamConsumer
from components.functions_package import carried_files, function_archive
from components.testing import Result, run

from .conftest import Build, exactly

FUNCTION = "aws:lambda/function:Function"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/tags/stream/2024-01-01T00:00:00.000"


def code() -> pulumi.Archive:
    return pulumi.AssetArchive({"app.py": pulumi.StringAsset("def handler(event, context): ...")})


def statements(result: Result, name: str) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(result.one(POLICY, name).inputs["policy"])["Statement"]
    return parsed


def test_defaults(counter: Result) -> None:
    function = counter.one(FUNCTION, "counter-record-visit")
    assert function.inputs["runtime"] == "python3.13"
    assert function.inputs["architectures"] == ["arm64"]
    assert (function.inputs["memorySize"], function.inputs["timeout"]) == (256, 30)
    assert function.inputs["handler"] == "functions.record_visit.handler"
    assert function.inputs["loggingConfig"] == {
        "logFormat": "JSON",
        "applicationLogLevel": "INFO",
        "systemLogLevel": "WARN",
        "logGroup": counter.one("aws:cloudwatch/logGroup:LogGroup", "counter-record-visit").state["name"],
    }
    assert counter.one("aws:cloudwatch/logGroup:LogGroup", "counter-record-visit").inputs["retentionInDays"] == 30


def test_settings_reach_every_function(build: Build) -> None:
    result = build(
        lambda: {
            "functions": {
                "runtime": "python3.12",
                "architecture": "x86_64",
                "memory_size": 512,
                "timeout": 60,
                "log_retention_in_days": 7,
                "log_level": "DEBUG",
                "environment": {"REGION_NAME": pulumi.Output.from_input("north")},
            }
        }
    )
    for function in exactly(4, result, FUNCTION):
        assert function.inputs["runtime"] == "python3.12"
        assert function.inputs["architectures"] == ["x86_64"]
        assert (function.inputs["memorySize"], function.inputs["timeout"]) == (512, 60)
        assert function.inputs["loggingConfig"]["applicationLogLevel"] == "DEBUG"
        assert function.inputs["environment"]["variables"]["REGION_NAME"] == "north"
        assert result.one(LOG_GROUP, function.name).inputs["retentionInDays"] == 7


def test_tracing_is_a_switch_that_gives_each_role_what_it_needs(counter: Result, build: Build) -> None:
    assert not any("tracingConfig" in function.inputs for function in exactly(4, counter, FUNCTION))
    traced = build({"functions": {"tracing": True}})
    right = {"Effect": "Allow", "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "Resource": ["*"]}
    for function in exactly(4, traced, FUNCTION):
        assert function.inputs["tracingConfig"] == {"mode": "Active"}
        expected = [one for one in statements(traced, function.name) if one != right]
        assert [one["Action"] for one in expected] == [one["Action"] for one in statements(counter, function.name)]
        assert len(expected) + 1 == len(statements(traced, function.name))


def test_a_key_encrypts_every_log_group(build: Build) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    groups = build({"functions": {"log_encryption_key_arn": key}}).all(LOG_GROUP)
    assert [group.inputs["kmsKeyId"] for group in groups] == [key] * 5


def test_each_function_gets_only_the_names_of_the_tables_that_it_uses(counter: Result) -> None:
    for function in exactly(4, counter, FUNCTION):
        variables = function.inputs["environment"]["variables"]
        assert variables["TABLE_NAME"] == counter.one("aws:dynamodb/table:Table", "counter-table").state["name"]
        assert ("IDEMPOTENCY_TABLE_NAME" in variables) == (function.name == "counter-record-visit")


def test_the_functions_that_change_something_count_it_unless_metrics_are_off(counter: Result, build: Build) -> None:
    off = build({"monitoring": {"metrics": False}})
    counting = {"counter-record-visit", "counter-process-stream"}
    for function in exactly(4, counter, FUNCTION):
        namespace = function.inputs["environment"]["variables"].get("METRICS_NAMESPACE")
        assert namespace == ("StreamTriggeredCounter" if function.name in counting else None)
        assert "METRICS_NAMESPACE" not in off.one(FUNCTION, function.name).inputs["environment"]["variables"]


def test_each_function_has_its_own_role_that_only_lambda_assumes(counter: Result) -> None:
    roles = [function.inputs["role"] for function in counter.all(FUNCTION)]
    assert len(set(roles)) == 4
    for role in exactly(4, counter, "aws:iam/role:Role"):
        assert json.loads(role.inputs["assumeRolePolicy"])["Statement"] == [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ]
        assert "managedPolicyArns" not in role.inputs


def test_no_policy_has_a_wildcard_but_for_log_streams_and_what_knows_no_resource(counter: Result) -> None:
    anywhere = []
    for policy in exactly(5, counter, POLICY):
        assert statements(counter, policy.name)
        for statement in statements(counter, policy.name):
            assert statement["Resource"]
            assert not any("*" in action for action in statement["Action"])
            if statement["Resource"] == ["*"]:
                anywhere += statement["Action"]
                continue
            for resource in statement["Resource"]:
                assert "*" not in resource.removesuffix(":*")
                assert resource.startswith("arn:aws:")
    assert anywhere == ["dynamodb:ListStreams"]


def test_a_consumers_own_function_gets_its_arguments() -> None:
    result = run(
        lambda: StreamConsumer(
            "audit",
            {
                "stream_arn": STREAM,
                "code": code(),
                "handler": "app.handler",
                "statements": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::bucket/key"]}],
                "variables": {"BUCKET": "bucket", "BOTH": "variables"},
                "function": {"environment": {"COLOUR": "red", "BOTH": "environment"}, "timeout": 3},
                "tags": {"team": "web"},
            },
        )
    )
    function = result.one(FUNCTION)
    assert function.inputs["environment"]["variables"] == {"BUCKET": "bucket", "COLOUR": "red", "BOTH": "variables"}
    assert (function.inputs["handler"], function.inputs["timeout"]) == ("app.handler", 3)
    assert {kind: result.one(kind).inputs["tags"] for kind in (FUNCTION, ROLE, LOG_GROUP)} == {
        kind: {"team": "web"} for kind in (FUNCTION, ROLE, LOG_GROUP)
    }
    outputs = result.one("stream-triggered-counter:index:FunctionWithRole").outputs
    assert outputs is not None
    assert outputs["functionArn"] == function.state["arn"]
    assert outputs["roleArn"] == result.one(ROLE).state["arn"]


def test_archive_holds_the_sources_sorted_and_nothing_compiled(counter: Result) -> None:
    functions = Path(__file__).parents[2] / "functions"
    names = list(function_archive().assets)
    assert {f"functions/{path.relative_to(functions)}" for path in functions.rglob("*.py")} <= set(names)
    assert {"functions/http/openapi.json", "functions/pages/counter.js", "functions/process_stream.py"} <= set(names)
    assert names == sorted(names)
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)
    for function in exactly(4, counter, FUNCTION):
        assert set(function.inputs["code"].assets) == set(names)


def test_archive_leaves_out_files_that_no_function_needs(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "a.pyc", "notes.md", "openapi.json"):
        (tmp_path / name).touch()
    (tmp_path / "folder.py").mkdir()
    for name in ("a/b.py", "a/c/d.css", "__pycache__/a.pyc", ".cache/a.json", "a/.cache/a.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    carried = [str(path.relative_to(tmp_path)) for path in carried_files(tmp_path)]
    assert carried == ["a.py", "a/b.py", "a/c/d.css", "b.py", "openapi.json"]
