"""A stack's configuration: `Pulumi.yaml` declares what the component takes, and each stack file runs."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import ArgumentError, StreamTriggeredCounter
from components.config import args_from_config, config_default, config_fields, config_key, config_type
from components.settings import counter_settings
from components.testing import load_stack_config, run

ROOT = Path(__file__).parents[2]
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
PROJECT = "stream-triggered-counter"


def configured(**values: str) -> Any:
    found: list[Any] = []
    config = {f"{PROJECT}:{key}": value for key, value in values.items()}
    run(lambda: found.append(args_from_config(pulumi.Config())), config=config, project=PROJECT)
    return found[0]


def test_pulumi_yaml_declares_every_key_with_type_and_default() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    expected = {
        config_key(field.name): (config_type(field.metadata["check"]), config_default(field))
        for _, field in config_fields()
    }
    assert {key: (value["type"], value["default"]) for key, value in declared.items()} == expected
    assert all(value["description"] for value in declared.values())
    assert len(expected) == len(list(config_fields()))


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_file_runs(stack: str) -> None:
    config = load_stack_config(ROOT, stack)
    result = run(ROOT / "__main__.py", config=config.values, stack=stack, project=config.project)
    component = result.one("stream-triggered-counter:index:StreamTriggeredCounter")
    assert result.outputs == component.outputs
    assert result.one("aws:dynamodb/table:Table", "counter-table").inputs["tags"] == {"environment": stack}


def test_the_stacks_are_dev_and_prod() -> None:
    assert STACKS == ["dev", "prod"]


def test_nothing_set_leaves_every_default() -> None:
    assert configured() == {}


def test_what_the_command_line_fills_in_leaves_every_default() -> None:
    values = {}
    for _, field in config_fields():
        default = config_default(field)
        values[config_key(field.name)] = default if isinstance(default, str) else json.dumps(default)
    assert configured(**values) == {}


def test_values_reach_their_group_in_their_type() -> None:
    args = configured(
        batchSize="500",
        deletionProtection="true",
        logLevel="WARN",
        corsAllowOrigins='["https://example.org"]',
        environment='{"A_B": "c"}',
        tags='{"team": "x"}',
        throttlingRateLimit="5",
    )
    assert args == {
        "stream": {"batch_size": 500},
        "table": {"deletion_protection": True},
        "functions": {"log_level": "WARN", "environment": {"A_B": "c"}},
        "api": {"cors_allow_origins": ["https://example.org"], "throttling_rate_limit": 5},
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
    ],
)
def test_a_value_of_the_wrong_type_is_named(key: str, value: str, kind: str) -> None:
    with pytest.raises(ArgumentError, match=rf"^{PROJECT}:{key}: .*is not of type {kind}"):
        configured(**{key: value})


def test_adopting_a_table_is_a_matter_of_two_keys() -> None:
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/tutorial"
    args = configured(tableArn=table, streamArn=f"{table}/stream/1")
    assert args == {"existing_table": {"table_arn": table, "stream_arn": f"{table}/stream/1"}}


def test_a_bad_value_stops_the_program_before_it_registers_anything() -> None:
    with pytest.raises(ArgumentError, match=r"^stream\.batch_size: 0 is out of range"):
        run(
            lambda: StreamTriggeredCounter("counter", args_from_config(pulumi.Config())),
            config={f"{PROJECT}:batchSize": "0"},
            project=PROJECT,
        )
