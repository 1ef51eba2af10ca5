"""Translates the inputs of a Pulumi resource to the arguments of an AWS call; none is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from components.engine.resource import Resource

from .errors import UnknownInputError

# Each property's name in the AWS call, with a second shape if the value is a mapping or a list of mappings.
Shape = Mapping[str, "str | tuple[str, Shape]"]


class Inputs:
    """The inputs of one resource. A handler takes those that it supports; `finish` refuses the rest."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._left = dict(resource.inputs)

    def take(self, name: str, default: Any = None) -> Any:
        """Return one input, or the default if the program did not give it."""
        return self._left.pop(name, default)

    def shape(self, shape: Shape) -> dict[str, Any]:
        """Return the inputs that the shape names and the program gave, under the names of the AWS call."""
        given = {name: self._left.pop(name) for name in shape if name in self._left}
        return self.rename(given, shape)

    def rename(self, value: Mapping[str, Any], shape: Shape, path: str = "") -> dict[str, Any]:
        """Return a value under the names of the AWS call. Raises UnknownInputError for a name not in the shape."""
        result: dict[str, Any] = {}
        for name, item in value.items():
            here = f"{path}{name}"
            if name not in shape:
                raise UnknownInputError(self.resource, _explain(here))
            match shape[name]:
                case str(target):
                    result[target] = item
                case (target, inner):
                    result[target] = self._rename_nested(item, inner, f"{here}.")
        return result

    def finish(self) -> None:
        """Raise UnknownInputError if the handler did not take an input."""
        self.refuse(sorted(self._left))

    def refuse(self, names: Iterable[str]) -> None:
        """Raise UnknownInputError if there are any names: inputs, or parts of an input, that are not supported."""
        if listed := ", ".join(names):
            raise UnknownInputError(self.resource, _explain(listed))

    def _rename_nested(self, item: Any, shape: Shape, path: str) -> Any:
        if isinstance(item, list):
            return [self.rename(entry, shape, path) for entry in item]
        return self.rename(item, shape, path)


def same(*names: str) -> dict[str, str]:
    """Return the part of a shape whose names differ only in the first letter's case: `batchSize` is `BatchSize`."""
    return {name: name[0].upper() + name[1:] for name in names}


def _explain(names: str) -> str:
    return f"the local cloud does not support the input {names}; remove it, or add it in local/resources"
