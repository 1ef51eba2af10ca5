"""The configuration of a stack, turned into the component's arguments.

Every field of every group of settings is a configuration key of its own, in camel case: `stream.batch_size` is
`stream-triggered-counter:batchSize`. So `pulumi config set batchSize 500` needs no nested path.
"""

from collections.abc import Callable, Iterator
from dataclasses import Field, fields
from enum import Enum
from typing import Any, cast

import pulumi

from .args import StreamTriggeredCounterArgs
from .settings import GROUPS, CounterSettings
from .validation import ArgumentError, Check, Entries, Flag, Items, Number, OneOf, default_of


def config_key(field_name: str) -> str:
    """Return the configuration key of a field: `batch_size` becomes `batchSize`."""
    first, *others = field_name.split("_")
    return first + "".join(word.capitalize() for word in others)


def config_fields() -> Iterator[tuple[str | None, Field[Any]]]:
    """Go through every field that has a key: its group, or None for one that stands alone, and its declaration."""
    for group, settings in GROUPS.items():
        for declared in fields(settings):
            yield group, declared
    yield from ((None, declared) for declared in fields(CounterSettings) if "check" in declared.metadata)


def config_type(check: Check) -> str:
    """Return the type that `Pulumi.yaml` declares for a field with this check."""
    types = {Number: "integer", OneOf: "integer", Flag: "boolean", Items: "array", Entries: "object"}
    return types.get(type(check), "string")


def config_default(declared: Field[Any]) -> Any:
    """Return the default that `Pulumi.yaml` declares for a field.

    A key without one would be required there, so a field that is empty by default has the empty text, list or object.
    """
    default, kind = default_of(declared), config_type(declared.metadata["check"])
    if isinstance(default, Enum):
        return default.value
    as_declared: dict[str, Callable[[Any], Any]] = {"string": lambda text: text or "", "array": list, "integer": int}
    return as_declared.get(kind, lambda value: value)(default)


def args_from_config(config: pulumi.Config) -> StreamTriggeredCounterArgs:
    """Read all keys of the component out of a stack's configuration; those not set keep their defaults.

    Raises `ArgumentError` where a value is not of the type that `Pulumi.yaml` declares; whether the value itself is
    allowed is checked by the component.
    """
    readers = {
        "integer": config.get_int,
        "boolean": config.get_bool,
        "array": config.get_object,
        "object": config.get_object,
        "string": config.get,
    }
    args: dict[str, Any] = {}
    for group, declared in config_fields():
        key, kind = config_key(declared.name), config_type(declared.metadata["check"])
        try:
            value = readers[kind](key)
        except (pulumi.ConfigTypeError, ValueError):
            problem = f"{config.get(key)!r} is not of type {kind}"
            raise ArgumentError(f"{config.name}:{key}", problem, str(declared.metadata["check"])) from None
        # The CLI fills in what `Pulumi.yaml` declares. A default is the component's own business, and may not even
        # apply (a capacity, with on-demand billing).
        if value not in (None, config_default(declared)):
            (args.setdefault(group, {}) if group else args)[declared.name] = value
    return cast("StreamTriggeredCounterArgs", args)
