"""Property values as the engine's wire format carries them, and as Python sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from google.protobuf import struct_pb2

from ..internals import ARCHIVE, ASSET, OUTPUT, RESOURCE, SECRET, SIGNATURE, UNKNOWN_TEXT


class Unknown:
    """A value that is known only in a deployment; previews have it instead. The only instance is `UNKNOWN`."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class ResourceReference:
    """A resource that was handed over whole, as an input or an output."""

    urn: str
    id: str | Unknown | None


@dataclass(frozen=True)
class Decoded:
    """Plain values, and the paths (`environment.variables.TOKEN`, `items[0]`) of those that were secret."""

    values: dict[str, Any]
    secrets: frozenset[str]


def decode(struct: struct_pb2.Struct) -> Decoded:
    """Read properties: secrets are unwrapped, assets and archives become Pulumi's objects, whole numbers integers.

    The wire knows no integers, so 3.0 arrives as 3. Properties that are null are left out, as Pulumi does.
    """
    secrets: set[str] = set()
    values = {key: _decode(value, key, secrets) for key, value in struct.fields.items()}
    return Decoded({key: value for key, value in values.items() if value is not None}, frozenset(secrets))


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write plain values as properties; `UNKNOWN` and resource references keep their meaning."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        struct.fields[key].CopyFrom(_encode(value))
    return struct


def strings(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string inside a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from strings(item, f"{path}[{index}]")
    elif isinstance(value, pulumi.AssetArchive):
        yield from strings(value.assets, path)
    elif isinstance(value, pulumi.StringAsset):
        yield path, value.text


def _decode(value: struct_pb2.Value, path: str, secrets: set[str]) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            items = value.list_value.values
            return [_decode(item, f"{path}[{index}]", secrets) for index, item in enumerate(items)]
        case "struct_value":
            return _decode_struct(value.struct_value, path, secrets)
        case _:
            return None


def _decode_struct(struct: struct_pb2.Struct, path: str, secrets: set[str]) -> Any:
    fields = struct.fields
    signature = fields[SIGNATURE].string_value if SIGNATURE in fields else None
    if signature is None:
        return {key: _decode(item, f"{path}.{key}", secrets) for key, item in fields.items()}
    plain = {key: _decode(item, path, secrets) for key, item in fields.items()}
    if signature == SECRET:
        secrets.add(path)
        return plain.get("value")
    if signature == OUTPUT:
        if plain.get("secret"):
            secrets.add(path)
        return plain.get("value", UNKNOWN)
    if signature == RESOURCE:
        return ResourceReference(plain["urn"], plain.get("id"))
    if signature == ASSET:
        return _decode_asset(plain)
    if signature == ARCHIVE:
        return _decode_archive(plain)
    raise ValueError(f"{path}: unknown signature {signature!r} of a property value")


def _decode_asset(plain: Mapping[str, Any]) -> pulumi.Asset:
    if "path" in plain:
        return pulumi.FileAsset(plain["path"])
    if "uri" in plain:
        return pulumi.RemoteAsset(plain["uri"])
    return pulumi.StringAsset(plain.get("text", ""))


def _decode_archive(plain: Mapping[str, Any]) -> pulumi.Archive:
    if "path" in plain:
        return pulumi.FileArchive(plain["path"])
    if "uri" in plain:
        return pulumi.RemoteArchive(plain["uri"])
    return pulumi.AssetArchive(dict(plain.get("assets", {})))


def _encode(value: object) -> struct_pb2.Value:
    if isinstance(value, Unknown):
        value = UNKNOWN_TEXT
    elif isinstance(value, ResourceReference):
        value = {SIGNATURE: RESOURCE, "urn": value.urn, "id": value.id}
    # A boolean is an integer to Python, so it comes first.
    for kinds, write in _ENCODERS:
        if isinstance(value, kinds):
            return write(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be a property value")


_ENCODERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], struct_pb2.Value]], ...] = (
    (type(None), lambda _: struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)),
    (bool, lambda value: struct_pb2.Value(bool_value=value)),
    ((int, float), lambda value: struct_pb2.Value(number_value=value)),
    (str, lambda value: struct_pb2.Value(string_value=value)),
    (Mapping, lambda value: struct_pb2.Value(struct_value=encode(value))),
    (Sequence, lambda value: struct_pb2.Value(list_value=struct_pb2.ListValue(values=map(_encode, value)))),
)
