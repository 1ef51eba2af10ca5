"""The configuration of a stack, turned into the component's arguments.

Every field of every group of settings is a configuration key of its own, in camel case: `stream.batch_size` is
`stream-triggered-counter:batchSize`. So `pulumi config set batchSize 500` needs no nested path.
"""

import json
from collections.abc import Iterator
from dataclasses import Field
from enum import Enum
from typing import Any, cast

import pulumi

from .args import StreamTriggeredCounterArgs
from .checks import ArgumentError, Check, Entries, Flag, Items, Number, OneOf, Text, as_text, refuse_unknown
from .internals import config_keys
from .settings import FromConfig, config_key, default_of
from .stream_triggered_counter import StreamTriggeredCounterSettings


def config_fields() -> Iterator[tuple[str, Field[Any]]]:
    """Yield every field that has a key: its group, or "" for a field outside any group, and its declaration."""
    groups = StreamTriggeredCounterSettings.groups()
    for group, settings in groups.items():
        yield from ((group, declared) for declared in settings.declared().values())
    alone = StreamTriggeredCounterSettings.declared().items()
    yield from (("", declared) for name, declared in alone if name not in groups)


def config_type(declared: Field[Any]) -> str:
    """Return the type of a field's key, which `Pulumi.yaml` declares unless it is an array.

    It knows no numbers but integers, and takes any number for a string. So a number that may have a fraction is
    declared as a string, and so is one that must be empty by default. An array is left undeclared, because the CLI
    would refuse its items if they look like numbers.
    """
    check = declared.metadata["check"]
    if isinstance(check, Number):
        empty = declared.metadata.get("only_with") or default_of(declared) is None
        return "integer" if check.whole and not empty else "string"
    return {OneOf: "integer", Flag: "boolean", Items: "array", Entries: "object"}.get(type(check), "string")


def config_default(declared: Field[Any]) -> Any:
    """Return the default that `Pulumi.yaml` declares for a field.

    A key without one would be required there, so a field that is not set by default has the empty text. So has one that
    goes only with a value of another: the CLI fills defaults in, and it would be refused without that value.
    """
    default, kind = default_of(declared), config_type(declared)
    if isinstance(default, Enum):
        return default.value
    if kind == "string":
        unset = default is None or declared.metadata.get("only_with")
        return "" if unset else f"{default:g}"
    return list(default) if kind == "array" else default


def args_from_config(config: pulumi.Config) -> StreamTriggeredCounterArgs:
    """Read all keys of the component out of a stack's configuration; those not set keep their defaults.

    A value that the stack's file encrypts stays a secret in the state. Raises `ArgumentError` for a key that the
    component does not have, for a value that is not of the declared type, and for a secret that could not stay one;
    whether the value itself is allowed is checked by the component, which names the key as well.
    """
    known = {config_key(declared.name): (group, declared) for group, declared in config_fields()}
    refuse_unknown("", _given_keys(config.name), known, "configuration key")
    args = FromConfig()
    for key, (group, declared) in known.items():
        value = _read(config, key, declared)
        if value is not None:
            (args.setdefault(group, FromConfig()) if group else args)[declared.name] = value
    return cast("StreamTriggeredCounterArgs", args)


def _read(config: pulumi.Config, key: str, declared: Field[Any]) -> Any:
    """Return one value in its type; None if it is not set, or empty as its default is."""
    kind, check = config_type(declared), declared.metadata["check"]
    secret = pulumi.runtime.is_config_secret(config.full_key(key))
    if secret and not isinstance(check, Entries | Text):
        raise ArgumentError(key, "is a secret, but is stored as plain text", "a value that is not secret")
    readers = {"integer": config.get_int, "boolean": config.get_bool, "array": config.get_object}
    try:
        if kind != "string":
            value = _texts(key, check, readers.get(kind, config.get_object)(key), shown=not secret)
            return _each_secret(value) if secret and isinstance(value, dict) else value
        text = config.get(key)
        if text == "" and config_default(declared) == "":
            return None
        if secret:
            return pulumi.Output.secret(text)
        return json.loads(text) if text is not None and isinstance(check, Number) else text
    except (pulumi.ConfigTypeError, ValueError):
        expected = "number" if kind == "string" else kind
        problem = "is not" if secret else f"{config.get(key)!r} is not"
        raise ArgumentError(key, f"{problem} of type {expected}", str(check)) from None


def _texts(path: str, check: Check, value: Any, *, shown: bool) -> Any:
    """Replace booleans and numbers in lists and mappings by their text where the check expects text.

    `pulumi config set --path` writes what looks like one without quotes.
    """
    match check, value:
        case Text(), _:
            return as_text(path, value, shown=shown and check.shown)
        case Items(), list():
            return [_texts(f"{path}[{index}]", check.of, item, shown=shown) for index, item in enumerate(value)]
        case Entries(), dict():
            return {name: _texts(f"{path}.{name}", check.values, item, shown=shown) for name, item in value.items()}
    return value


def _each_secret(entries: dict[str, Any]) -> dict[str, Any]:
    """Mark the values of a mapping: the SDK tells that something in it is secret, but not what."""
    return {name: pulumi.Output.secret(value) for name, value in entries.items()}


def _given_keys(namespace: str) -> list[str]:
    """List the keys that are set in a namespace."""
    return [key.removeprefix(f"{namespace}:") for key in config_keys() if key.startswith(f"{namespace}:")]
