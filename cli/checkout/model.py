"""Writes `functions/dynamodb/model.json` and `build.py` beside it, from the botocore that the project pins."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import botocore  # type: ignore[import-untyped]
from botocore.loaders import Loader  # type: ignore[import-untyped]
from botocore.model import ServiceModel  # type: ignore[import-untyped]

SERVICE = "dynamodb"


def model() -> str:
    """Make functions/dynamodb/model.json: what botocore reads for the operations of the functions' client."""
    loader = Loader()
    endpoints = loader.load_data("endpoints")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name == SERVICE}
    data = {
        "endpoints": endpoints,
        "service-2": trimmed(loader.load_service_model(SERVICE, "service-2"), operations()),
        "endpoint-rule-set-1": loader.load_service_model(SERVICE, "endpoint-rule-set-1"),
    }
    return json.dumps(_without_documentation(data), separators=(",", ":")) + "\n"


def build() -> str:
    """Make functions/dynamodb/build.py: the facts of the build that the functions need."""
    from components.version import VERSION  # noqa: PLC0415 - `--help` does without

    return (
        '"""Facts of the build. Written by `./counter generate`."""\n\n'
        f'USER_AGENT = "stream-triggered-counter/{VERSION}"\n'
        '"""The product and its version, as in a User-Agent header (RFC 9110, section 10.1.5)."""\n\n'
        f'MODEL_BOTOCORE = "{botocore.__version__}"\n'
        '"""The version of botocore from whose data `model.json` was made."""\n\n'
        f"MODEL_CHECKSUM = {zlib.crc32(model().encode())}\n"
        '"""The CRC-32 of `model.json`."""\n'
    )


def operations() -> list[str]:
    """List the operations of `DynamoDB`, the interface of the functions' client, by their names in the API."""
    from functions.dynamodb.items import DynamoDB  # noqa: PLC0415 - `--help` does without

    methods = [name for name in vars(DynamoDB) if not name.startswith("_")]
    return ["".join(map(str.capitalize, name.split("_"))) for name in methods]


def trimmed(service: dict[str, Any], kept: list[str]) -> dict[str, Any]:
    """Return a service model with the operations `kept` and the shapes that they lead to."""
    # With these parameters, botocore looks for ARNs among the tables' names, to find the endpoint of their account: a
    # seventh of a batch's work. The functions pass names, which lead to the same endpoint either way.
    unneeded = {"operationContextParams"}
    found = {name: _without(unneeded, service["operations"][name]) for name in kept}
    shapes: set[str] = set()
    pending = list(_shapes(found))
    while pending:
        name = pending.pop()
        if name not in shapes:
            shapes.add(name)
            pending += _shapes(service["shapes"][name])
    small = {**service, "operations": found, "shapes": {name: service["shapes"][name] for name in sorted(shapes)}}
    # Every operation that is kept must be readable, with every shape that it leads to.
    readable = ServiceModel(small, SERVICE)
    assert all(readable.operation_model(name).input_shape is not None for name in kept)  # noqa: S101
    return small


def _without(names: set[str], mapping: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _shapes(value: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of a service model refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _shapes(each)


def _without_documentation(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_documentation(each)
            for name, each in value.items()
            if name != "documentation" or not isinstance(each, str)
        }
    return [_without_documentation(each) for each in value] if isinstance(value, list) else value
