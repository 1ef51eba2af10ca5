"""What the documentation says of a default or a limit is what the code does."""

import dataclasses
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest

from components import function_with_role, http_api, settings
from components.plugin import NAME, CounterProvider
from components.validation import Check, config_key, default_of

DOCUMENT = CounterProvider().document
GROUPS = {
    "TableArgs": settings.TableSettings,
    "ExistingTableArgs": settings.ExistingTableSettings,
    "StreamArgs": settings.StreamSettings,
    "FunctionArgs": settings.FunctionSettings,
    "ApiArgs": settings.ApiSettings,
}
NARROWER = {"TableArgs.streamViewType": "NEW_AND_OLD_IMAGES or NEW_IMAGE"}
"""What is refused for more than its type; the refusal has tests of its own."""

ELSEWHERE: dict[str, Check] = {
    "StreamTriggeredCounter.tags": settings.TAGS,
    "StreamTable.tags": settings.TAGS,
    "FunctionWithRole.handler": function_with_role.HANDLER,
    "FunctionWithRole.variables": function_with_role.VARIABLES,
    "FunctionWithRole.tags": settings.TAGS,
    "HttpApi.functions": http_api.FUNCTIONS,
    "HttpApi.tags": settings.TAGS,
    "StreamConsumer.streamArn": settings.STREAM_ARN,
    "StreamConsumer.handler": function_with_role.HANDLER,
    "StreamConsumer.variables": function_with_role.VARIABLES,
    "StreamConsumer.functionArn": settings.FUNCTION_ARN,
    "StreamConsumer.functionRoleName": settings.ROLE_NAME,
    "StreamConsumer.encryptionKeyArn": settings.KEY_ARN,
    "StreamConsumer.tags": settings.TAGS,
    "RouteArgs.key": http_api.ROUTE_KEY,
    "RouteArgs.function": http_api.FUNCTION_KEY,
}
FIELDS = [(group, field) for group, declared in GROUPS.items() for field in dataclasses.fields(declared)]


def descriptions() -> Iterator[tuple[str, str]]:
    """Every input, as `Component.input` or `Type.property`, with its description."""
    for token, component in DOCUMENT["resources"].items():
        for name, declared in component["inputProperties"].items():
            yield f"{token.removeprefix(f'{NAME}:index:')}.{name}", declared["description"]
    for token, definition in DOCUMENT["types"].items():
        for name, declared in definition.get("properties", {}).items():
            yield f"{token.removeprefix(f'{NAME}:index:')}.{name}", declared["description"]


DESCRIPTIONS = dict(descriptions())


def spelled(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, float):
        return f"{default:g}"
    return {(): "[]", None: "none"}.get(default, str(default)) if not isinstance(default, dict) else "{}"


@pytest.mark.parametrize(("group", "field"), FIELDS, ids=[f"{group}.{field.name}" for group, field in FIELDS])
def test_default_and_limits_of_a_setting(group: str, field: dataclasses.Field[Any]) -> None:
    path = f"{group}.{config_key(field.name)}"
    text = DESCRIPTIONS[path]
    default = re.escape(spelled(default_of(field)))
    # A default may go on to say what it means: `Default: none, which …`.
    assert re.search(rf"Default: {default}(\.( |$)|, )", text)
    allowed = NARROWER.get(path, str(field.metadata["check"]))
    assert re.search(rf"Allowed: {re.escape(allowed)}(\.( |$)|; )", text)


@pytest.mark.parametrize("path", ELSEWHERE)
def test_limits_of_an_argument_that_stands_alone(path: str) -> None:
    assert re.search(rf"Allowed: {re.escape(str(ELSEWHERE[path]))}(\.( |$)|; )", DESCRIPTIONS[path])


def test_no_limit_is_stated_that_nothing_holds_to_the_code() -> None:
    held = {f"{group}.{config_key(field.name)}" for group, field in FIELDS} | ELSEWHERE.keys()
    nested = {"StatementArgs.actions", "StatementArgs.resources", "StatementArgs.conditions", "StreamConsumer.filters"}
    assert {path for path, text in DESCRIPTIONS.items() if "Allowed: " in text} <= held | nested
    for path, check in {
        "StatementArgs.actions": settings.STATEMENT.required["actions"],
        "StatementArgs.resources": settings.STATEMENT.required["resources"],
        "StatementArgs.conditions": settings.STATEMENT.optional["conditions"],
    }.items():
        assert f"Allowed: {check}" in DESCRIPTIONS[path]
    assert f"each item {settings.FILTER}" in DESCRIPTIONS["StreamConsumer.filters"]
