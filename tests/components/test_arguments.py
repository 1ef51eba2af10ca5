"""Rules that every argument follows, including those that are added later."""

import importlib
import inspect
import json
from dataclasses import Field, FrozenInstanceError, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import components
from components import ArgumentError, StreamTriggeredCounter
from components.config import config_fields
from components.settings import Settings, config_key
from components.testing import run
from tests.samples import needed, sample, samples
from tests.share import share

from .conftest import Configured

CONFIGURED = [
    pytest.param(group, declared, id=f"{group}.{declared.name}" if group else declared.name)
    for group, declared in config_fields()
]
TAKEN = [one for one in CONFIGURED if one.values[0] != "existing_table"]
DECLARED = [
    pytest.param(kind, declared, id=f"{kind.__name__}.{declared.name}")
    for kind in Settings.kinds()
    for declared in kind.declared().values()
]


def grouped(group: str | None, args: dict[str, Any]) -> dict[str, Any]:
    return {group: args} if group else args


@cache
def registered(args: str) -> dict[str, Any]:
    """Record everything that may follow from an argument (given as JSON); the functions' code does not."""
    result = run(lambda: StreamTriggeredCounter("counter", json.loads(args)))
    return {
        resource.urn: (resource.protect, {key: value for key, value in resource.inputs.items() if key != "code"})
        for resource in result.resources
    }


@pytest.mark.parametrize(("group", "declared"), share(TAKEN[::3], in_ci=TAKEN))
def test_an_argument_reaches_a_resource(group: str | None, declared: Field[Any]) -> None:
    # The alarms are a quarter of the resources, and follow from arguments of their group.
    rest: dict[str, Any] = {} if group == "monitoring" else {"monitoring": {"alarms": False}}
    without = grouped(group, needed(declared)) if needed(declared) else {}
    with_it = grouped(group, needed(declared) | {declared.name: sample(declared)})
    assert registered(json.dumps(rest | with_it)) != registered(json.dumps(rest | without))


@pytest.mark.parametrize(("group", "declared"), CONFIGURED)
def test_a_configuration_key_reaches_its_argument(
    group: str | None, declared: Field[Any], configured: Configured
) -> None:
    value = sample(declared)
    text = value if isinstance(value, str) else json.dumps(value)
    assert configured(**{config_key(declared.name): text}) == grouped(group, {declared.name: value})


@pytest.mark.parametrize(("kind", "declared"), DECLARED)
def test_a_value_of_another_type_is_refused_with_the_argument_and_the_limits(
    kind: type[Settings], declared: Field[Any]
) -> None:
    args = samples(kind) | {declared.name: object()}
    with pytest.raises(ArgumentError) as raised:
        kind.read(args, "group")
    path, _, said = str(raised.value).partition(": ")
    assert path == f"group.{declared.name}"
    assert said.endswith(f"; allowed: {declared.metadata['check']}")
    assert " object at 0x" in said or f"type {object.__name__}" in said


COMPONENTS = Path(components.__file__).parent
MODULES = [
    ".".join(path.relative_to(COMPONENTS.parent).with_suffix("").parts) for path in COMPONENTS.rglob("[a-z]*.py")
]
DATACLASSES = [
    found
    for name in sorted(MODULES)
    for found in vars(importlib.import_module(name)).values()
    if isinstance(found, type) and is_dataclass(found) and found.__module__ == name
]


@pytest.mark.parametrize("kind", DATACLASSES)
def test_a_dataclass_is_frozen_and_a_long_declaration_is_given_by_name(kind: type) -> None:
    """One declaration is shared by all counters of a program; a field that is added must not move the others."""
    with pytest.raises(FrozenInstanceError):
        setattr(object.__new__(kind), "anything", None)  # noqa: B010
    given = inspect.signature(kind).parameters.values()
    if issubclass(kind, Settings) or (len(given) > 4 and kind.__module__.count(".") == 1):
        assert {each.kind for each in given} == {inspect.Parameter.KEYWORD_ONLY}
