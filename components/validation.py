"""Checks for arguments: each takes a field's path and value, and returns the value in its proper type or raises.

The component host hands every argument over as plain data: integers arrive as floats, enums as their values. So each
check also brings a value into the type that the annotation promises.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum
from typing import Any, Protocol, TypeVar

import pulumi

from .settled import settled

T = TypeVar("T")


class ArgumentError(pulumi.RunError):
    """An argument that cannot work. The message names the field, the value and what is allowed.

    Pulumi prints a `RunError` as it is, without a traceback. It is not also a `ValueError`, because the SDK wraps those
    into errors of its own, once for each input and resource that waits for the value.
    """

    def __init__(self, path: str, problem: str, allowed: str) -> None:
        super().__init__(f"{path}: {problem}; allowed: {allowed}")
        self.path = path


class Check(Protocol):
    """What a field may hold."""

    def __call__(self, path: str, value: Any) -> Any:
        """Return `value` in its proper type; raise `ArgumentError` where it is not allowed."""

    def __str__(self) -> str:
        """Say what is allowed, as a phrase for an error message and for the documentation."""


def _plain(path: str, value: Any, allowed: str) -> Any:
    if isinstance(value, pulumi.Output):
        raise ArgumentError(
            path, "is an Output, whose value is only known while resources are created", f"a plain value, {allowed}"
        )
    return value


@dataclass(frozen=True)
class Number:
    """A number within limits, both included; `also` lists single values outside them (such as -1 for no limit).

    Only what an API itself refuses is a limit here: a quota, which AWS raises on request, is not.
    """

    minimum: float
    maximum: float = math.inf
    whole: bool = True
    also: tuple[int, ...] = ()

    def __call__(self, path: str, value: Any) -> int | float:
        value = _plain(path, value, str(self))
        if isinstance(value, bool) or not isinstance(value, int | float) or (self.whole and value != value // 1):
            raise ArgumentError(path, f"{value!r} is not a {'whole ' if self.whole else ''}number", str(self))
        if value not in self.also and (not self.minimum <= value <= self.maximum or value == math.inf):
            raise ArgumentError(path, f"{value!r} is out of range", str(self))
        return int(value) if self.whole else float(value)

    def __str__(self) -> str:
        limits = f"{self.minimum:,} or more" if self.maximum == math.inf else f"{self.minimum:,} to {self.maximum:,}"
        return "".join(f"{value}, or " for value in self.also) + limits


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def __call__(self, path: str, value: Any) -> bool:
        if not isinstance(_plain(path, value, str(self)), bool):
            raise ArgumentError(path, f"{value!r} is not a boolean", str(self))
        return bool(value)

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Member:
    """A member of an enum, or the value of one."""

    of: type[Enum]

    def __call__(self, path: str, value: Any) -> Enum:
        try:
            return self.of(_plain(path, value, str(self)))
        except ValueError:
            raise ArgumentError(path, f"{value!r} is not a {self.of.__name__}", str(self)) from None

    def __str__(self) -> str:
        return " or ".join(", ".join(str(member.value) for member in self.of).rsplit(", ", 1))


@dataclass(frozen=True)
class OneOf:
    """One of a set of whole numbers that follows no rule."""

    values: tuple[int, ...]

    def __call__(self, path: str, value: Any) -> int:
        if isinstance(_plain(path, value, str(self)), bool) or value not in self.values:
            raise ArgumentError(path, f"{value!r} is not offered", str(self))
        return int(value)

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Text:
    """Text that matches a pattern as a whole. An Output is checked as soon as its value is known.

    `shown` is False where the value may be a secret and must not stand in an error message.
    """

    what: str
    pattern: str = r"(?s).*"
    shown: bool = True

    def __call__(self, path: str, value: Any) -> pulumi.Input[str]:
        if not isinstance(value, pulumi.Output):
            return self._checked(path, value, self.shown)
        if (held := settled(value)) and held.known:
            self._checked(path, held.value, self.shown and not held.secret)
        checked: pulumi.Output[str] = value.apply(lambda known: self._checked(path, known, self.shown))
        return checked

    def _checked(self, path: str, value: Any, shown: bool) -> str:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            problem = f"{value!r} does not fit" if shown else f"a value of type {type(value).__name__} does not fit"
            raise ArgumentError(path, problem, self.what)
        return value

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True)
class Items:
    """A list, each of whose items passes a check; at most `most` items."""

    of: Check
    most: int | None = None

    def __call__(self, path: str, value: Any) -> tuple[Any, ...]:
        if isinstance(_plain(path, value, str(self)), str) or not isinstance(value, Sequence):
            raise ArgumentError(path, f"{value!r} is not a list", str(self))
        if self.most is not None and len(value) > self.most:
            raise ArgumentError(path, f"{len(value)} items are too many", str(self))
        return tuple(self.of(f"{path}[{index}]", item) for index, item in enumerate(value))

    def __str__(self) -> str:
        return f"a list{'' if self.most is None else f' of at most {self.most}'}, each item {self.of}"


@dataclass(frozen=True)
class Entries:
    """A mapping, whose keys and values pass a check each; at most `most` entries.

    With `ignore_case`, two keys that differ in case alone are refused.
    """

    keys: Check
    values: Check
    most: int | None = None
    ignore_case: bool = False

    def __call__(self, path: str, value: Any) -> dict[str, Any]:
        if not isinstance(_plain(path, value, str(self)), Mapping):
            raise ArgumentError(path, f"a value of type {type(value).__name__} is not a mapping", str(self))
        if self.most is not None and len(value) > self.most:
            raise ArgumentError(path, f"{len(value)} entries are too many", f"at most {self.most}")
        folded = [str(key).casefold() for key in value]
        for key in value if self.ignore_case else ():
            if folded.count(str(key).casefold()) > 1:
                raise ArgumentError(f"{path} (key)", f"{key!r} is there twice", "keys that differ in more than case")
        return {self.keys(f"{path} (key)", key): self.values(f"{path}.{key}", item) for key, item in value.items()}

    def __str__(self) -> str:
        return f"a mapping; key: {self.keys}; value: {self.values}"


@dataclass(frozen=True)
class Record:
    """A mapping with a fixed set of keys, each of which has a check of its own."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)

    def __call__(self, path: str, value: Any) -> dict[str, Any]:
        if not isinstance(_plain(path, value, str(self)), Mapping):
            raise ArgumentError(path, f"a value of type {type(value).__name__} is not a mapping", str(self))
        known = {**self.required, **self.optional}
        refuse_unknown(path, value, known)
        for key, check in self.required.items():
            if value.get(key) is None:
                raise ArgumentError(f"{path}.{key}", "is missing", str(check))
        return {key: known[key](f"{path}.{key}", item) for key, item in value.items() if item is not None}

    def __str__(self) -> str:
        return f"a mapping with the keys {', '.join([*self.required, *self.optional])}"


def setting(default: Any, check: Check) -> Any:
    """Declare a field of a settings class: its default, and what it may hold."""
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={"check": check})
    return field(default=default, metadata={"check": check})


def default_of(declared: Field[Any]) -> Any:
    """Return the default of a field that `setting` declared."""
    return declared.default if declared.default_factory is MISSING else declared.default_factory()


class FromConfig(dict[str, Any]):
    """Arguments that came from a stack's configuration, where every field has a key of its own (`batchSize`)."""


def config_key(field_name: str) -> str:
    """Return the configuration key of a field: `batch_size` becomes `batchSize`."""
    first, *others = field_name.split("_")
    return first + "".join(word.capitalize() for word in others)


def path_of(args: Any, path: str, name: str) -> str:
    """Return what the user calls a field: its configuration key if its group came from there, else its path."""
    return config_key(name) if isinstance(args, FromConfig) else f"{path}.{name}"


def refuse_unknown(path: str, given: Iterable[str], known: Iterable[str], what: str = "argument") -> None:
    """Raise `ArgumentError` for the first key that is not known, with the nearest known one."""
    by_letters = {key.casefold(): key for key in known}
    for key in given:
        if key not in by_letters.values():
            near = difflib.get_close_matches(key.casefold(), by_letters, n=1)
            hint = f" (did you mean {by_letters[near[0]]!r}?)" if near else ""
            problem = f"there is no such {what}{hint}"
            raise ArgumentError(f"{path}.{key}" if path else key, problem, ", ".join(by_letters.values()))


def read(settings: type[T], args: Any, path: str) -> T:
    """Read `args` (a mapping, or None for all defaults) into a settings class, check by check.

    Raises `ArgumentError` with the path of the first field that is unknown or not allowed.
    """
    declared = {declared.name: declared for declared in fields(settings)}  # type: ignore[arg-type]
    if args is None:
        args = {}
    if not isinstance(_plain(path, args, "a mapping"), Mapping):
        raise ArgumentError(path, f"{args!r} is not a mapping", f"a mapping with the keys {', '.join(declared)}")
    refuse_unknown(path, args, declared)
    # None is what an optional argument left out looks like in Python, so it means the default here, too.
    given = {name: value for name, value in args.items() if value is not None}
    return settings(
        **{name: declared[name].metadata["check"](path_of(args, path, name), value) for name, value in given.items()}
    )
