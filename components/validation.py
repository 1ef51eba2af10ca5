"""Checks for arguments: each takes a field's path and value, and returns the value in its proper type or raises.

The component host hands every argument over as plain data: integers arrive as floats, enums as their values. So each
check also converts a value to the type that the annotation promises.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum
from typing import Any, Protocol, Self

import pulumi

from .internals import settled

LONGEST_NAME = 64
"""The most characters in the name of an IAM role, or of a Lambda function."""

NAME_SUFFIX = 8
"""The characters that automatic naming appends: a hyphen and seven hexadecimal digits."""


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
        """Return `value` in its proper type; raise `ArgumentError` if it is not allowed."""

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
            raise ArgumentError(path, f"{value!r} is not supported", str(self))
        return int(value)

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Text:
    """Text that matches a pattern as a whole. An Output is checked as soon as its value is known.

    `shown` is False if the value may be a secret, which must not appear in an error message.
    """

    what: str
    pattern: str = r"(?s).*"
    shown: bool = True

    def __call__(self, path: str, value: Any) -> pulumi.Input[str]:
        if not isinstance(value, pulumi.Output):
            return self._checked(path, value, self.shown)
        if (held := settled(value)) and held.known:
            self._checked(path, held.value, self.shown and not held.secret)
        later: pulumi.Output[Any] = value.apply(lambda known: self._checked_later(path, known))
        return later

    def _checked_later(self, path: str, value: Any) -> Any:
        # None is what Pulumi's own mocks give for everything that the cloud computes, such as a table's name.
        return None if value is None else self._checked(path, value, self.shown)

    def _checked(self, path: str, value: Any, shown: bool) -> str:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            problem = f"{value!r} is invalid" if shown else f"a value of type {type(value).__name__} is invalid"
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
                raise ArgumentError(f"{path} (key)", f"{key!r} appears twice", "keys that differ in more than case")
        return {self.keys(f"{path} (key)", key): self.values(f"{path}.{key}", item) for key, item in value.items()}

    def __str__(self) -> str:
        return f"a mapping; key: {self.keys}; value: {self.values}"


@dataclass(frozen=True)
class Code:
    """An archive of code."""

    def __call__(self, path: str, value: Any) -> pulumi.Archive:
        if not isinstance(_plain(path, value, str(self)), pulumi.Archive):
            raise ArgumentError(path, f"a value of type {type(value).__name__} is invalid", str(self))
        archive: pulumi.Archive = value
        return archive

    def __str__(self) -> str:
        return "an archive of files"


@dataclass(frozen=True)
class Group:
    """A group of arguments that have a settings class of their own."""

    of: "type[Settings]"

    def __call__(self, path: str, value: Any) -> "Settings":
        return self.of.read(value, path)

    def __str__(self) -> str:
        return f"a mapping with the keys {', '.join(self.of.declared())}"


def required(check: Check, why: str = "") -> Any:
    """Declare a field of a settings class that has no default: what it may hold, and why it cannot be left out."""
    return field(metadata={"check": check, "missing": f"is missing, and {why}" if why else "is missing"})


def setting(default: Any, check: Check) -> Any:
    """Declare a field of a settings class: its default, and what it may hold."""
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={"check": check})
    return field(default=default, metadata={"check": check})


def group(of: "type[Settings]") -> Any:
    """Declare a field of a settings class that holds other settings, by default with all their defaults."""
    return field(default_factory=of, metadata={"check": Group(of)})


def is_required(declared: Field[Any]) -> bool:
    """Return whether a field has no default."""
    return declared.default is MISSING and declared.default_factory is MISSING


def default_of(declared: Field[Any]) -> Any:
    """Return the default of a field; None if it has none."""
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return None if declared.default is MISSING else declared.default


class FromConfig(dict[str, Any]):
    """Arguments that came from a stack's configuration, where every field has a key of its own (`batchSize`)."""


def config_key(field_name: str) -> str:
    """Return a field's name in camel case, as in configuration and other languages: `batch_size` is `batchSize`."""
    first, *others = field_name.split("_")
    return first + "".join(word.capitalize() for word in others)


PathOf = Callable[[str], str]
"""Returns what the user calls a field of a group: its path, or its configuration key."""


class Settings:
    """The base of frozen dataclasses that hold checked arguments, with the defaults filled in."""

    @classmethod
    def declared(cls) -> dict[str, Field[Any]]:
        """Return the fields that are arguments, by their names."""
        return {one.name: one for one in fields(cls) if "check" in one.metadata}  # type: ignore[arg-type]

    @classmethod
    def read(cls, args: Any, path: str = "") -> Self:
        """Check `args` (a mapping, or None for all defaults) field by field.

        `path` is what the user calls the group. Raises `ArgumentError` with the path of the first field that is
        unknown, missing or not allowed.
        """
        declared = cls.declared()
        args = {} if args is None else args
        allowed = f"a mapping with the keys {', '.join(declared)}"
        if not isinstance(_plain(path or "args", args, allowed), Mapping):
            raise ArgumentError(path or "args", f"{args!r} is not a mapping", allowed)
        refuse_unknown(path, args, declared)

        def path_of(name: str) -> str:
            if isinstance(args, FromConfig):
                return config_key(name)
            return f"{path}.{name}" if path else name

        # None is how Python passes an optional argument that was left out, so it means the default here, too.
        given = {name: value for name, value in args.items() if value is not None}
        for name, one in declared.items():
            if name not in given and is_required(one):
                raise ArgumentError(path_of(name), one.metadata["missing"], str(one.metadata["check"]))
        settings = cls(
            **{name: declared[name].metadata["check"](path_of(name), value) for name, value in given.items()}
        )
        settings.check_combination(given, path_of)
        return settings

    def check_combination(self, given: Mapping[str, Any], path_of: PathOf) -> None:
        """Raise `ArgumentError` if the arguments that were given are not allowed together."""


def refuse_unknown(path: str, given: Iterable[str], known: Iterable[str], what: str = "argument") -> None:
    """Raise `ArgumentError` for the first key that is not known, with the nearest known one."""
    by_letters = {key.casefold(): key for key in known}
    for key in given:
        if key not in by_letters.values():
            near = difflib.get_close_matches(key.casefold(), by_letters, n=1)
            hint = f" (did you mean {by_letters[near[0]]!r}?)" if near else ""
            problem = f"there is no such {what}{hint}"
            raise ArgumentError(f"{path}.{key}" if path else key, problem, ", ".join(by_letters.values()))


def check_name(name: str, longest_child: str = "") -> None:
    """Check a component's logical name, so that AWS accepts every automatic name made of it; raises `ArgumentError`.

    The component's children add at most `longest_child` to the name.
    """
    most = LONGEST_NAME - NAME_SUFFIX - len(longest_child)
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{most}}}", name):
        raise ArgumentError("name", f"{name!r} is invalid", f"1 to {most} letters, digits, hyphens and underscores")
