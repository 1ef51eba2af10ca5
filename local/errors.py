"""Errors in creating a resource on the emulator; every message names the resource."""

from __future__ import annotations

from components.engine.resource import Resource


class ResourceError(Exception):
    """A resource cannot be created; the message names its type and its logical name."""

    def __init__(self, resource: Resource, reason: str) -> None:
        super().__init__(f"{resource}: {reason}")


class UnknownTypeError(ResourceError):
    """The local cloud does not support the resource's type."""


class UnknownInputError(ResourceError):
    """The local cloud does not support one of the resource's inputs."""
