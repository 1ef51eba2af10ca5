"""The schema states the defaults and limits that the code applies."""

import dataclasses
import re
from enum import Enum
from typing import Any

import pulumi
import pytest

import components
from components import StreamConsumer, StreamTriggeredCounter
from components.plugin import COMPONENTS, NAME, CounterProvider
from components.settings import Group, Settings, config_key, default_of, is_required

DOCUMENT = CounterProvider().document
FIELDS = [
    pytest.param(kind, declared, id=f"{kind.__name__}.{declared.name}")
    for kind in Settings.kinds()
    for declared in kind.declared().values()
]


def described(kind: type[Settings]) -> dict[str, Any]:
    """Return the inputs of a component, or the properties of a type, by their names."""
    name = kind.__name__.removesuffix("Settings")
    component = DOCUMENT["resources"].get(f"{NAME}:index:{name}")
    inputs: dict[str, Any] = (
        component["inputProperties"] if component else DOCUMENT["types"][f"{NAME}:index:{name}Args"]["properties"]
    )
    return inputs


def required_names(kind: type[Settings]) -> set[str]:
    name = kind.__name__.removesuffix("Settings")
    component = DOCUMENT["resources"].get(f"{NAME}:index:{name}")
    if component:
        return set(component.get("requiredInputs", ()))
    return set(DOCUMENT["types"][f"{NAME}:index:{name}Args"].get("required", ()))


def spelled(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, float):
        return f"{default:g}"
    return {(): "[]", None: "none"}.get(default, str(default)) if not isinstance(default, dict) else "{}"


@pytest.mark.parametrize(("kind", "declared"), FIELDS)
def test_default_and_limits(kind: type[Settings], declared: dataclasses.Field[Any]) -> None:
    text = described(kind)[config_key(declared.name)]["description"]
    meaning = re.split(r" ?(?:Default|Allowed): ", text)[0]
    assert meaning.endswith(".")
    check = declared.metadata["check"]
    limits = "" if isinstance(check, Group) else f" Allowed: {check}."
    silent = is_required(declared) or isinstance(default_of(declared), Settings)
    assert text == meaning + ("" if silent else f" Default: {spelled(default_of(declared))}.") + limits


@pytest.mark.parametrize("kind", Settings.kinds())
def test_the_schema_has_exactly_the_declared_arguments(kind: type[Settings]) -> None:
    declared = kind.declared()
    assert list(described(kind)) == [config_key(name) for name in declared]
    assert required_names(kind) == {config_key(name) for name, one in declared.items() if is_required(one)}


def test_every_default_is_allowed() -> None:
    checked = 0
    for kind in Settings.kinds():
        for name, declared in kind.declared().items():
            default, check = default_of(declared), declared.metadata["check"]
            if default is not None and not isinstance(check, Group):
                assert check(name, default) == default
                checked += 1
    assert checked > 20


def test_only_the_two_components_are_published() -> None:
    offered = {getattr(components, name) for name in components.__all__}
    published = {one for one in offered if isinstance(one, type) and issubclass(one, pulumi.ComponentResource)}
    assert published == {*COMPONENTS} == {StreamTriggeredCounter, StreamConsumer}
    assert {token.rpartition(":")[2] for token in DOCUMENT["resources"]} == {one.__name__ for one in published}
