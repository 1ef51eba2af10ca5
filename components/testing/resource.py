"""What the recording monitor keeps of a registered resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Alias:
    """An earlier identity of a resource: its URN, or the parts of it that were different."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent_urn: str = ""
    no_parent: bool = False


@dataclass(frozen=True)
class Invoke:
    """A call of a provider's function."""

    token: str
    arguments: Mapping[str, Any]
    provider: str
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource as the program registered it, after all transforms, with what it got back.

    `inputs` has the property names of the provider (camelCase) and plain values; `secrets` lists the paths of those
    that were secret. `state` is what the program received: the inputs and what the cloud computed. `outputs` is what
    a component handed to `register_outputs`; None if it never did. `provider` has the form `<urn>::<id>`, and is empty
    for the default provider. Options that were not given are None, "" or empty.
    """

    type: str
    name: str
    urn: str
    id: str
    custom: bool
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]
    outputs: Mapping[str, Any] | None = None
    secrets: frozenset[str] = frozenset()
    secret_outputs: frozenset[str] = frozenset()
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()
    protect: bool | None = None
    delete_before_replace: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    hide_diffs: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    custom_timeouts: Mapping[str, str] = field(default_factory=dict)
    import_id: str = ""
    version: str = ""
    plugin_download_url: str = ""
    remote: bool = False
    read: bool = False

    def __str__(self) -> str:
        return f"{self.type} {self.name!r}"


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Name a resource as the engine does: the types of all its ancestors but the stack are part of the URN."""
    ancestry = parent.split("::")[2] if parent else ""
    qualified = f"{ancestry}${type_}" if ancestry and ancestry != STACK_TYPE else type_
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"
