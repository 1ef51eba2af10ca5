"""Inputs as the engine sends them, turned into the arguments of a component's constructor.

The engine sends a value that a program computed as an Output, wherever it stands: a group of arguments may be one.
Arguments that are plain in the schema need their value, those that are not keep the Output, with its secrecy and its
dependencies. The constructor checks the values.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi
from pulumi.output import Unknown

from . import stream_consumer, stream_triggered_counter  # noqa: F401 - they declare the arguments
from .checks import ArgumentError, as_text, refuse_unknown
from .internals import settled
from .settings import Settings, config_key

FIELDS = {name for kind in Settings.kinds() for name in kind.declared()}
"""The names of all arguments, as Python spells them."""

PYTHON_NAMES = {config_key(name): name for name in FIELDS}
UNKNOWN = Unknown()  # type: ignore[no-untyped-call]
Outputs = tuple[pulumi.Output[Any], ...]


def read_inputs(schema: Mapping[str, Any], token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Read the inputs of the component `token`, and give them their Python names.

    Raises `ArgumentError` for an input that the schema does not have, and for one that is plain but not known yet, or
    secret: a plain value is readable in the stack's state.
    """
    return _Reader(schema["types"]).record("", schema["resources"][token]["inputProperties"], inputs, ())


class _Reader:
    """Reads values by their place in the schema; `around` is the Outputs that a value was found in."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self._types = types

    def record(
        self, path: str, properties: Mapping[str, Any], value: Mapping[str, Any], around: Outputs
    ) -> dict[str, Any]:
        """Read a mapping whose keys are fixed."""
        refuse_unknown(path, value, properties)
        return {
            PYTHON_NAMES[key]: self.value(f"{path}.{key}" if path else key, properties[key], item, around)
            for key, item in value.items()
        }

    def value(self, path: str, declared: Mapping[str, Any], value: Any, around: Outputs) -> Any:
        """Read a value of any type."""
        if not _is_plain(declared):
            return _rewrap(_text(path, value, around) if declared.get("type") == "string" else value, around)
        if isinstance(value, pulumi.Output):
            around = (*around, value)
            held = settled(value)
            value = held.value if held and held.known else UNKNOWN
        if isinstance(value, Unknown):
            raise ArgumentError(path, "is not known before resources are created", "a value that is known by then")
        definition = self._types.get(declared.get("$ref", "").removeprefix("#/types/"), declared)
        if "properties" in definition and isinstance(value, Mapping):
            return self.record(path, definition["properties"], value, around)
        if "items" in definition and isinstance(value, list):
            return [self.value(f"{path}[{i}]", definition["items"], item, around) for i, item in enumerate(value)]
        if "additionalProperties" in definition and isinstance(value, Mapping):
            entries = definition["additionalProperties"]
            return {key: self.value(f"{path}.{key}", entries, item, around) for key, item in value.items()}
        if any(held.secret for held in map(settled, around) if held):
            problem = "is a secret, but this argument is stored as plain text"
            raise ArgumentError(path, problem, "a value that is not secret")
        if declared.get("type") == "string":
            return as_text(path, value)
        # The engine's protocol has no integers.
        return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_plain(declared: Mapping[str, Any]) -> bool:
    # Code archives are never marked as plain, but the components check and store them as they are.
    return bool(declared.get("plain")) or declared.get("$ref") == "pulumi.json#/Archive"


def _text(path: str, value: Any, around: Outputs) -> Any:
    """Replace a boolean or a number by its text, also in an Output, which stays secret or unknown if it is."""
    outputs = (*around, value) if isinstance(value, pulumi.Output) else around
    shown = not any(held is None or held.secret for held in map(settled, outputs))
    if not isinstance(value, pulumi.Output):
        return as_text(path, value, shown=shown)
    held = settled(value)
    if held and held.known and isinstance(held.value, bool | int | float):
        text = as_text(path, held.value, shown=shown)
        return value.apply(lambda _: text)
    return value


def _rewrap(value: Any, around: Outputs) -> Any:
    # The marker for an unknown value is of use inside an Output only.
    leaf = pulumi.Output.from_input(value) if isinstance(value, Unknown) else value
    for output in around:
        leaf = output.apply(partial(_instead, leaf))
    return leaf


def _instead(value: Any, _found_in: Any) -> Any:
    return value
