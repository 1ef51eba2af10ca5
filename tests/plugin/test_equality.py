"""The plugin registers and returns the same as the component does in a Python program."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pulumi
import pytest

from components import StreamConsumer, StreamTriggeredCounter
from components.checks import Entries
from components.settings import Settings
from components.stream_triggered_counter import StreamTriggeredCounterSettings
from components.testing import UNKNOWN, Resource, Result, run
from tests.samples import STREAM, samples

from .engine import Constructed, Plugin, output, text_archive

ARN = "arn:aws:{}:eu-west-1:123456789012:{}".format
KEY = ARN("kms", "key/1234-abcd")
ALL_ARGUMENTS = samples(StreamTriggeredCounterSettings, "existing_table")
USERS_KEYS = {
    declared.name
    for kind in Settings.kinds()
    for declared in kind.declared().values()
    if isinstance(declared.metadata["check"], Entries)
}
"""The arguments whose keys the user chooses."""

CODE = {"app.py": "def handler(event, context): ..."}
STATEMENTS = [
    {
        "actions": ["s3:GetObject"],
        "resources": ["arn:aws:s3:::bucket/*"],
        "conditions": {"StringLike": {"s3:prefix": ["a"]}},
    }
]
CONSUMER: dict[str, dict[str, Any]] = {
    "own function": {
        "stream_arn": STREAM,
        "handler": "app.handler",
        "statements": STATEMENTS,
        "variables": {"A_B": "c"},
        "function": {"timeout": 3, "environment": {"C_D": "e"}},
        "filters": ['{"eventName": ["REMOVE"]}'],
        "stream": {"batch_size": 10},
        "encryption_key_arn": KEY,
        "tags": {"a_b": "c"},
    },
    "existing function": {
        "stream_arn": STREAM,
        "function_arn": ARN("lambda", "function:hello"),
        "function_role_name": "hello-role",
    },
}


def in_camel_case(value: Any, own_keys: bool = False) -> Any:
    """Spell a mapping's keys as a program in another language does; those that the user chose stay as they are."""
    if isinstance(value, list):
        return [in_camel_case(item) for item in value]
    if not isinstance(value, dict):
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    spelled = {}
    for key, item in value.items():
        first, *others = [key] if own_keys else key.split("_")
        spelled[first + "".join(map(str.capitalize, others))] = in_camel_case(item, own_keys or key in USERS_KEYS)
    return spelled


def comparable(resource: Resource) -> dict[str, Any]:
    """Everything that was registered, apart from the order of what has none."""
    shown = {field.name: _plain(getattr(resource, field.name)) for field in fields(resource)}
    # The engine's request always says whether to protect and to retain; a program leaves out what is false.
    return shown | {
        "dependencies": sorted(resource.dependencies),
        "property_dependencies": {key: sorted(urns) for key, urns in resource.property_dependencies.items()},
        "protect": bool(resource.protect),
        "retain_on_delete": bool(resource.retain_on_delete),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, pulumi.AssetArchive):
        return {name: _plain(asset) for name, asset in value.assets.items()}
    if isinstance(value, pulumi.FileAsset):
        return f"file {value.path}"
    if isinstance(value, pulumi.StringAsset):
        return f"text {value.text}"
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def assert_equal(constructed: Constructed, in_process: Result) -> None:
    there = {resource.urn: comparable(resource) for resource in constructed.resources}
    here = {resource.urn: comparable(resource) for resource in in_process.resources}
    assert there.keys() == here.keys()
    for urn, resource in here.items():
        assert there[urn] == resource
    outputs = here[constructed.urn]["outputs"]
    assert outputs
    assert dict(constructed.state) == outputs
    assert constructed.secrets == in_process.by_urn(constructed.urn).secret_outputs


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
@pytest.mark.parametrize("args", [{}, ALL_ARGUMENTS], ids=["defaults", "all arguments"])
def test_counter_is_the_same_through_the_plugin(plugin: Plugin, args: Any, preview: bool) -> None:
    constructed = plugin.construct("StreamTriggeredCounter", in_camel_case(args), preview=preview)
    in_process = run(lambda: StreamTriggeredCounter("counter", args), preview=preview)
    assert_equal(constructed, in_process)
    assert (constructed.state["apiEndpoint"] is UNKNOWN) == preview


@pytest.mark.parametrize("case", CONSUMER)
def test_consumer_is_the_same_through_the_plugin(plugin: Plugin, case: str) -> None:
    args = CONSUMER[case]
    sent = in_camel_case(args) | ({"code": text_archive(CODE)} if "handler" in args else {})

    def program() -> None:
        code = pulumi.AssetArchive({name: pulumi.StringAsset(text) for name, text in CODE.items()})
        given: Any = {**args, "code": code} if "handler" in args else args
        StreamConsumer("consumer", given)

    assert_equal(plugin.construct("StreamConsumer", sent, name="consumer"), run(program))


def test_options_reach_the_children_as_in_process(plugin: Plugin) -> None:
    constructed = plugin.construct(
        "StreamTriggeredCounter", {}, protect=True, dependencies=["urn:pulumi:a::b::c:d:E::f"]
    )
    in_process = run(lambda: StreamTriggeredCounter("counter", opts=pulumi.ResourceOptions(protect=True)))
    children = [resource for resource in constructed.resources if resource.urn != constructed.urn]
    assert {child.urn for child in children} == {
        resource.urn for resource in in_process.resources if resource.protect and resource.urn != constructed.urn
    }
    assert len(children) > 50
    assert all(child.protect for child in children)
    assert constructed.one("counter").dependencies == ("urn:pulumi:a::b::c:d:E::f",)


def test_an_outputs_dependencies_reach_the_resources_that_use_it(plugin: Plugin) -> None:
    key = "urn:pulumi:test::project::aws:kms/key:Key::key"
    sent = {"table": {"encryptionKeyArn": output(KEY, dependencies=(key,))}}
    constructed = plugin.construct("StreamTriggeredCounter", sent)
    tables = [resource for resource in constructed.resources if resource.type == "aws:dynamodb/table:Table"]
    assert [table.inputs["serverSideEncryption"]["kmsKeyArn"] for table in tables] == [KEY, KEY]
    assert all(key in table.dependencies for table in tables)


def test_outputs_carry_their_dependencies(plugin: Plugin) -> None:
    dependencies = plugin.construct("StreamTriggeredCounter", {}).dependencies
    assert any(urn.endswith("Table::counter-table") for urn in dependencies["tableName"])
    assert any(urn.endswith("Stage::counter-api") for urn in dependencies["apiEndpoint"])
