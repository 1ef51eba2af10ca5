"""A stack's configuration: `Pulumi.yaml` declares the component's arguments, and each stack file runs."""

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import ArgumentError, StreamTriggeredCounter
from components.config import args_from_config, config_default, config_fields, config_type
from components.settings import config_key
from components.stream_triggered_counter import StreamTriggeredCounterSettings
from components.testing import RecordingMonitor, Result, load_stack_config, run

from .conftest import PROJECT, Configured, exactly

counter_settings = StreamTriggeredCounterSettings.read
ROOT = Path(__file__).parents[2]
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def test_pulumi_yaml_declares_every_key_with_type_and_default() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    expected = {config_key(field.name): (config_type(field), config_default(field)) for _, field in config_fields()}
    assert {key: (value.get("type", "array"), value["default"]) for key, value in declared.items()} == expected
    assert all(value["description"] for value in declared.values())
    assert len(expected) == len(list(config_fields()))


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_file_runs(stack: str) -> None:
    config = load_stack_config(ROOT, stack)
    result = run(ROOT / "__main__.py", config=config.values, stack=stack, project=config.project)
    component = result.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert result.outputs == component.outputs
    assert result.one("aws:dynamodb/table:Table", "counter-table").inputs["tags"] == {"environment": stack}


def test_production_is_guarded() -> None:
    config = load_stack_config(ROOT, "prod")
    result = run(ROOT / "__main__.py", config=config.values, stack="prod", project=config.project)
    tables = exactly(2, result, "aws:dynamodb/table:Table")
    assert all(table.protect and table.inputs["deletionProtectionEnabled"] for table in tables)
    assert [table.name for table in tables if table.inputs["pointInTimeRecovery"]["enabled"]] == ["counter-table"]
    queue = result.one("aws:sqs/queue:Queue").inputs
    assert (queue["messageRetentionSeconds"], queue["sqsManagedSseEnabled"]) == (1_209_600, True)
    functions = exactly(4, result, "aws:lambda/function:Function")
    reserved = {one.name: one.inputs.get("reservedConcurrentExecutions") for one in functions}
    assert {name: value for name, value in reserved.items() if value is not None} == {"counter-process-stream": 10}
    assert {one.inputs["loggingConfig"]["applicationLogLevel"] for one in functions} == {"INFO"}
    groups = exactly(5, result, "aws:cloudwatch/logGroup:LogGroup")
    assert {one.name: one.inputs["retentionInDays"] for one in groups if one.name != "counter-api-access"} == {
        one.name: 365 for one in functions
    }
    mapping = result.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    assert (mapping["maximumRetryAttempts"], mapping["maximumRecordAgeInSeconds"]) == (-1, 84_600)
    assert (mapping["batchSize"], mapping["maximumBatchingWindowInSeconds"]) == (1000, 1)


def test_production_says_why() -> None:
    """Each setting has a comment, alone or with others of its paragraph."""
    paragraphs = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8").split("\n\n")
    settings = [one for one in paragraphs if re.search("^  stream-triggered-counter:", one, re.MULTILINE)]
    assert len(settings) > 3
    assert [one for one in settings if "#" not in one and "tags:" not in one] == []


def test_the_stacks_are_dev_and_prod() -> None:
    assert STACKS == ["dev", "prod"]


def test_nothing_set_leaves_every_default(configured: Configured) -> None:
    assert configured() == {}


def test_the_defaults_that_the_cli_fills_in_change_nothing(configured: Configured) -> None:
    args = configured(**filled_in())
    assert "existing_table" not in args
    assert counter_settings(args) == counter_settings({})


def filled_in() -> dict[str, str]:
    defaults = {config_key(field.name): config_default(field) for _, field in config_fields()}
    return {key: default if isinstance(default, str) else json.dumps(default) for key, default in defaults.items()}


@pytest.mark.parametrize("value", ["5", "7"])
def test_a_value_equal_to_the_default_is_treated_like_any_other(configured: Configured, value: str) -> None:
    refusal = rf"^readCapacity: {value} has no effect .*; allowed: billingMode PROVISIONED with it, or neither$"
    with pytest.raises(ArgumentError, match=refusal):
        counter_settings(configured(**filled_in() | {"readCapacity": value}))
    settings = counter_settings(configured(**filled_in() | {"readCapacity": value, "billingMode": "PROVISIONED"}))
    assert (settings.table.read_capacity, settings.table.write_capacity) == (int(value), 5)


TEXTS = [
    (
        "tags",
        {"costCenter": 1234, "billed": True, "zip": -5, "0": 0},
        {"costCenter": "1234", "billed": "true", "zip": "-5", "0": "0"},
    ),
    ("environment", {"RETRIES": 3, "DEBUG": False}, {"RETRIES": "3", "DEBUG": "false"}),
    ("environment", {"ACCOUNT": 9_223_372_036_854_775_807}, {"ACCOUNT": "9223372036854775807"}),
    ("allowedTags", [2024, "tech", True], ["2024", "tech", "true"]),
    ("jwtAudiences", [123456], ["123456"]),
    ("recordScopes", [1, False], ["1", "false"]),
    ("readScopes", [2], ["2"]),
]


@pytest.mark.parametrize(("key", "value", "text"), TEXTS)
def test_number_in_configuration_is_its_text(configured: Configured, key: str, value: Any, text: Any) -> None:
    [group] = [name or "tags" for name, field in config_fields() if config_key(field.name) == key]
    args: Any = configured(**{key: json.dumps(value)})
    read = args[group] if group == "tags" else next(iter(args[group].values()))
    assert read == text


def test_number_in_a_secret_mapping_is_its_text() -> None:
    result = deployed_with_secrets(environment='{"TOKEN": "hush", "RETRIES": 3}')
    function = result.one("aws:lambda/function:Function", "counter-welcome")
    assert function.inputs["environment"]["variables"]["RETRIES"] == "3"
    assert "environment.variables.RETRIES" in function.secrets


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "tags",
            '{"version": 1.1}',
            "tags.version: 1.1 is a number with a fraction, whose digits may have changed (1.10 arrives as 1.1); "
            "allowed: the same in quotes",
        ),
        (
            "jwtAudiences",
            "[5, 123456789012345680000]",
            "jwtAudiences[1]: 123456789012345680000 is a number that may have been rounded; allowed: the same in",
        ),
        (
            "tags",
            '{"id": 1e+21}',
            "tags.id: 1e+21 is a number that may have been rounded; allowed: the same in quotes",
        ),
        (
            "environment",
            '{"PIN": 0.5}',
            "environment.PIN: the value is a number with a fraction, whose digits may have changed "
            "(1.10 arrives as 1.1); allowed: the same in quotes",
        ),
        ("allowedTags", "[[1]]", "allowedTags[0]: [1] is not text; allowed: a tag, or a pattern in which * stands"),
        ("tags", '{"a": null}', "tags.a: None is not text; allowed: at most 256 letters"),
        ("allowedTags", "tech", "allowedTags: 'tech' is not of type array; allowed: a list, each item a tag"),
        ("allowedTags", "5", "allowedTags: 5 is not a list; allowed: a list, each item a tag"),
    ],
)
def test_text_in_configuration_error_message(configured: Configured, key: str, value: str, sentence: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        counter_settings(configured(**{key: value}))
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize("value", [1.5, 123_456_789_012_345_680_000])
def test_secret_number_is_refused_without_it(value: float) -> None:
    with pytest.raises(ArgumentError, match=r"^tags\.a: the value is a number") as refused:
        deployed_with_secrets(tags=json.dumps({"a": value}))
    assert str(value) not in str(refused.value)


def test_number_in_python_code_is_refused_as_text() -> None:
    with pytest.raises(ArgumentError, match=r"^tags\.costCenter: 1234 is not text; allowed: at most 256"):
        counter_settings({"tags": {"costCenter": 1234}})


def deployed_with_secrets(**values: str) -> Result:
    """Run the program as the CLI does if the stack's file encrypts these values."""
    config = {f"{PROJECT}:{key}": value for key, value in values.items()}

    def program() -> None:
        pulumi.runtime.set_all_config(config, list(config))
        StreamTriggeredCounter("counter", args_from_config(pulumi.Config()))

    return run(program, project=PROJECT)


def test_a_secret_stays_one_down_to_the_resources() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    result = deployed_with_secrets(environment='{"TOKEN": "hush"}', tags='{"owner": "hush"}', encryptionKeyArn=key)
    function = result.one("aws:lambda/function:Function", "counter-welcome")
    assert function.inputs["environment"]["variables"]["TOKEN"] == "hush"
    assert {"environment.variables.TOKEN", "tags.owner"} <= function.secrets
    table = result.one("aws:dynamodb/table:Table", "counter-table")
    assert table.inputs["serverSideEncryption"]["kmsKeyArn"] == key
    assert "serverSideEncryption.kmsKeyArn" in table.secrets


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        pytest.param("logLevel", "WARN", "is a secret, but is stored as plain text", id="choice"),
        pytest.param("batchSize", "7", "is a secret, but is stored as plain text", id="number"),
        pytest.param("corsAllowOrigins", '["hush"]', "is a secret, but is stored as plain text", id="list"),
        pytest.param("tags", "hush", "is not of type object", id="no JSON"),
        pytest.param("tags", '["hush"]', "a value of type list is not a mapping", id="no mapping"),
        pytest.param("encryptionKeyArn", "hush", "a value of type str is invalid", id="text"),
    ],
)
def test_a_secret_that_could_not_stay_one_is_refused_without_it(key: str, value: str, problem: str) -> None:
    with pytest.raises(ArgumentError, match=rf"^{key}: {problem}; allowed: ") as refused:
        deployed_with_secrets(**{key: value})
    assert value not in str(refused.value)


def test_values_reach_their_group_in_their_type(configured: Configured) -> None:
    args = configured(
        batchSize="500",
        deletionProtection="true",
        logLevel="WARN",
        corsAllowOrigins='["https://example.org"]',
        environment='{"A_B": "c"}',
        tags='{"team": "x"}',
        throttlingRateLimit="12.5",
    )
    assert args == {
        "stream": {"batch_size": 500},
        "table": {"deletion_protection": True},
        "functions": {"log_level": "WARN", "environment": {"A_B": "c"}},
        "api": {"cors_allow_origins": ["https://example.org"], "throttling_rate_limit": 12.5},
        "tags": {"team": "x"},
    }
    assert counter_settings(args).stream.batch_size == 500


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("batchSize", "many", "integer"),
        ("deletionProtection", "perhaps", "boolean"),
        ("corsAllowOrigins", "https://example.org", "array"),
        ("environment", "{", "object"),
        ("throttlingRateLimit", "fast", "number"),
        ("readCapacity", "plenty", "number"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(configured: Configured, key: str, value: str, kind: str) -> None:
    with pytest.raises(ArgumentError, match=rf"^{key}: {re.escape(repr(value))} is not of type {kind}; allowed: "):
        configured(**{key: value})


def test_two_keys_adopt_a_table(configured: Configured) -> None:
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/tutorial"
    args = configured(tableArn=table, streamArn=f"{table}/stream/1")
    assert args == {"existing_table": {"table_arn": table, "stream_arn": f"{table}/stream/1"}}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"batchSize": "0"}, "batchSize: 0 is out of range; allowed: 1 to 10,000"),
        ({"throttlingRateLimit": "0.5"}, "throttlingRateLimit: 0.5 is out of range; allowed: 1 or more"),
        ({"logLevel": ""}, "logLevel: '' is not a LogLevel; allowed: TRACE, DEBUG, INFO, WARN, ERROR or FATAL"),
        ({"logLevel": "LOUD"}, "logLevel: 'LOUD' is not a LogLevel; allowed: TRACE, DEBUG, INFO, WARN, ERROR or FATAL"),
        (
            {"corsAllowOrigins": '["here"]'},
            "corsAllowOrigins[0]: 'here' is invalid; allowed: an origin as browsers send it, such as "
            "https://example.org (in lower case, without a path or a default port); or https://*, http://* or * for "
            "any",
        ),
        (
            {"tags": '{"team": "a&b"}'},
            "tags.team: 'a&b' is invalid; allowed: at most 256 letters, digits, spaces and _.:/=+-@, not "
            "starting with aws:",
        ),
        ({"itemsPerTag": "51"}, "itemsPerTag: 51 is out of range; allowed: 1 to 50"),
        (
            {"tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/t"},
            "streamArn: is missing, and without a stream nothing would reach the total; allowed: the ARN of the "
            "table's stream; turn the stream on with the view type NEW_AND_OLD_IMAGES",
        ),
    ],
)
def test_a_bad_value_stops_the_program_before_it_registers_anything(config: dict[str, str], sentence: str) -> None:
    monitor = RecordingMonitor(project=PROJECT)
    # Pulumi prints a RunError as it is, and anything else with its traceback.
    with pytest.raises(pulumi.RunError) as raised:
        run(
            ROOT / "__main__.py",
            config={f"{PROJECT}:{key}": value for key, value in (filled_in() | config).items()},
            monitor=monitor,
        )
    assert str(raised.value) == sentence
    assert [resource.type for resource in monitor.resources] == ["pulumi:pulumi:Stack"]


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("batchsize", "batchSize"),
        ("BATCHSIZE", "batchSize"),
        ("batch_size", "batchSize"),
        ("streamBatchSize", "batchSize"),
        ("retention", "logRetentionInDays"),
        ("deleteProtection", "deletionProtection"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(configured: Configured, key: str, near: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        configured(**filled_in() | {key: "5"})
    assert str(raised.value).startswith(
        f"{key}: there is no such configuration key (did you mean '{near}'?); allowed: "
    )


def test_keys_of_other_namespaces_are_ignored(configured: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []
    config = {"aws:region": "eu-west-1", "pulumi:tags": "{}", "other:batchsize": "5", f"{PROJECT}:batchSize": "5"}
    run(lambda: found.append(args_from_config(pulumi.Config())), config=config, project=PROJECT)
    assert found == [{"stream": {"batch_size": 5}}]
    # The CLI hands the configuration over in the environment, where the SDK looks as well.
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"{PROJECT}:batchsize": "5"}))
    with pytest.raises(ArgumentError, match=r"^batchsize: there is no such configuration key"):
        configured()
