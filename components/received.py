"""Inputs as the engine sends them, turned into what a component's constructor takes.

The engine sends a value that a program computed as an Output, wherever it stands: a group of arguments may be one.
Arguments that are plain in the schema need their value, those that are not keep the Output, with its secrecy and its
dependencies.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import pulumi
from pulumi.output import Unknown

from .settled import settled
from .validation import ArgumentError, refuse_unknown

UNKNOWN = Unknown()  # type: ignore[no-untyped-call]
Outputs = tuple[pulumi.Output[Any], ...]


def read_inputs(schema: Mapping[str, Any], token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Read the inputs of the component `token`, whose names are those of the schema.

    Raises `ArgumentError` for an input that the schema does not have, that is of another type, or that is plain but not
    known yet, or secret: what is plain would stand in the stack's state for everybody to read.
    """
    component = schema["resources"][token]
    return _Reader(schema["types"]).record(
        "", component["inputProperties"], component.get("requiredInputs", ()), inputs, ()
    )


class _Reader:
    """Reads values by their place in the schema; `around` is the Outputs that a value was found in."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self._types = types

    def record(
        self, path: str, properties: Mapping[str, Any], required: Collection[str], value: Any, around: Outputs
    ) -> dict[str, Any]:
        """Read a mapping whose keys are fixed; what is null counts as left out."""
        _expect(path, value, Mapping, f"a mapping with the keys {', '.join(properties)}")
        refuse_unknown(path, value, properties)
        for key in required:
            if value.get(key) is None:
                what = properties[key]["description"].rpartition("Allowed: ")[2]
                raise ArgumentError(f"{path}.{key}" if path else key, "is missing", what.removesuffix("."))
        return {
            key: self.value(f"{path}.{key}" if path else key, properties[key], item, around)
            for key, item in value.items()
            if item is not None
        }

    def value(self, path: str, declared: Mapping[str, Any], value: Any, around: Outputs) -> Any:
        """Read a value of any type."""
        if not _is_plain(declared):
            return _rewrap(value, around)
        if isinstance(value, pulumi.Output):
            around = (*around, value)
            held = settled(value)
            value = held.value if held and held.known else UNKNOWN
        if isinstance(value, Unknown):
            raise ArgumentError(path, "is not known before resources are created", "a value that is known by then")
        definition = self._types.get(declared.get("$ref", "").removeprefix("#/types/"), declared)
        if "properties" in definition:
            return self.record(path, definition["properties"], definition.get("required", ()), value, around)
        if "items" in definition:
            _expect(path, value, list, "a list")
            return [self.value(f"{path}[{i}]", definition["items"], item, around) for i, item in enumerate(value)]
        if entries := definition.get("additionalProperties"):
            _expect(path, value, Mapping, "a mapping")
            return {key: self.value(f"{path}.{key}", entries, item, around) for key, item in value.items()}
        if any(held.secret for held in map(settled, around) if held):
            raise ArgumentError(path, "is a secret, which it could not stay here", "a value that is not secret")
        return _scalar(path, definition, value)


def _is_plain(declared: Mapping[str, Any]) -> bool:
    # Code archives are never marked as plain, but the components check and store them as they are.
    return bool(declared.get("plain")) or declared.get("$ref") == "pulumi.json#/Archive"


def _rewrap(value: Any, around: Outputs) -> Any:
    # The marker for an unknown value is of use inside an Output only.
    leaf = pulumi.Output.from_input(value) if isinstance(value, Unknown) else value
    for output in around:
        leaf = output.apply(partial(_instead, leaf))
    return leaf


def _instead(value: Any, _found_in: Any) -> Any:
    return value


def _scalar(path: str, definition: Mapping[str, Any], value: Any) -> Any:
    if "enum" in definition:
        allowed = [member["value"] for member in definition["enum"]]
        if value not in allowed:
            raise ArgumentError(path, f"{value!r} is not offered", ", ".join(map(str, allowed)))
    if definition.get("type") == "integer" and not isinstance(value, int | float):
        raise ArgumentError(path, f"{value!r} is not a whole number", "a whole number")
    # The wire knows no integers.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _expect(path: str, value: Any, kind: type[Mapping[str, Any] | Sequence[Any]], allowed: str) -> None:
    if not isinstance(value, kind):
        raise ArgumentError(path, f"a value of type {type(value).__name__} does not fit", allowed)
