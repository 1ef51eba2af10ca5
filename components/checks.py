"""The checks of arguments: each takes an argument's path and value, and returns the value in its proper type.

The component host hands every argument over as plain data: integers arrive as floats, enums as their values. So each
check also converts a value to the type that the annotation promises.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import pulumi

from .event_filter import MAX_PATTERN_LENGTH, EventFilterError, check_event_filter
from .internals import is_secret, settled

LONGEST_NAME = 64
"""The most characters in the name of an IAM role, or of a Lambda function."""

LONGEST_POLICY_NAME = 128
"""The most characters in the name of an inline policy of an IAM role."""

NAME_SUFFIX = 8
"""The characters that automatic naming appends: a hyphen and seven hexadecimal digits."""


class ArgumentError(pulumi.RunError):
    """An invalid argument. The message names the field, the value and what is allowed.

    Pulumi prints a `RunError` as it is, without a traceback. It is not also a `ValueError`, because the SDK wraps those
    into errors of its own, once for each input and resource that waits for the value.
    """

    def __init__(self, path: str, problem: str, allowed: str) -> None:
        super().__init__(f"{path}: {problem}; allowed: {allowed}")


class Check(Protocol):
    """The values that an argument may have."""

    def __call__(self, path: str, value: Any) -> Any:
        """Return `value` in its proper type; raise `ArgumentError` if it is not allowed."""

    def __str__(self) -> str:
        """Say what is allowed, as a phrase for an error message and for the documentation."""


def plain(path: str, value: Any, allowed: str) -> Any:
    """Refuse an Output in the place of a plain value."""
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
        value = plain(path, value, str(self))
        if isinstance(value, bool) or not isinstance(value, int | float) or (self.whole and value != value // 1):
            raise ArgumentError(path, f"{value!r} is not a {'whole ' if self.whole else ''}number", str(self))
        if value not in self.also and (not self.minimum <= value <= self.maximum or value == math.inf):
            raise ArgumentError(path, f"{value!r} is out of range", str(self))
        return int(value) if self.whole else float(value)

    def __str__(self) -> str:
        limits = f"{self.minimum:,} or more" if self.maximum == math.inf else f"{self.minimum:,} to {self.maximum:,}"
        return ", or ".join((*map(str, self.also), limits))


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def __call__(self, path: str, value: Any) -> bool:
        if not isinstance(plain(path, value, str(self)), bool):
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
            return self.of(plain(path, value, str(self)))
        except ValueError:
            raise ArgumentError(path, f"{value!r} is not a {self.of.__name__}", str(self)) from None

    def __str__(self) -> str:
        return " or ".join(", ".join(str(member.value) for member in self.of).rsplit(", ", 1))


@dataclass(frozen=True)
class OneOf:
    """One of a set of whole numbers that follows no rule."""

    values: tuple[int, ...]

    def __call__(self, path: str, value: Any) -> int:
        if isinstance(plain(path, value, str(self)), bool) or value not in self.values:
            raise ArgumentError(path, f"{value!r} is not supported", str(self))
        return int(value)

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


def as_text(path: str, value: Any, *, shown: bool = True) -> Any:
    """Return the text of a boolean or a number, for values of configuration and of other languages.

    There, text without quotes may have become one. A number that may have been written in another way is refused: 1.10
    arrives as 1.1, and a large one rounded. Any other value is returned as it is.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, int | float):
        return value
    number = repr(value) if shown else "the value"
    if not math.isfinite(value) or value != value // 1:
        problem = f"{number} is a number with a fraction, whose digits may have changed (1.10 arrives as 1.1)"
        raise ArgumentError(path, problem, "the same in quotes")
    if abs(value) >= (2**63 if isinstance(value, int) else 2**53):
        raise ArgumentError(path, f"{number} is a number that may have been rounded", "the same in quotes")
    return str(int(value))


@dataclass(frozen=True)
class Text:
    """Text of at most `most` characters that matches a pattern as a whole; an Output is checked once it is known.

    `shown` is False if the value may be a secret, which must not appear in an error message.
    """

    what: str
    pattern: str = r"(?s).*"
    shown: bool = True
    most: int | None = None

    def __call__(self, path: str, value: Any) -> pulumi.Input[str]:
        if not isinstance(value, pulumi.Output):
            return self._checked(path, value, self.shown)
        if (held := settled(value)) and held.known:
            self._checked(path, held.value, self.shown and not held.secret)
        later: pulumi.Output[Any] = value.apply(lambda known: self._checked_later(path, value, known))
        return later

    def _checked_later(self, path: str, output: pulumi.Output[Any], value: Any) -> Any:
        # Pulumi's own mocks return None for everything that the cloud computes, such as a table's name.
        if value is not None:
            self._checked(path, value, self.shown and not is_secret(output))
        return value

    def _checked(self, path: str, value: Any, shown: bool) -> str:
        """Return a known value; raise `ArgumentError`, which shows the value unless it may be a secret."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            problem = f"{value!r} is {'invalid' if isinstance(value, str) else 'not text'}"
            if not shown:
                problem = f"a value of type {type(value).__name__} is invalid"
            raise ArgumentError(path, problem, str(self))
        if self.most is not None and len(value) > self.most:
            raise ArgumentError(path, f"{len(value):,} characters are too many", str(self))
        return value

    def __str__(self) -> str:
        return self.what if self.most is None else f"{self.what}; at most {self.most:,} characters"


@dataclass(frozen=True)
class EventFilter(Text):
    """The pattern of an event filter."""

    what: str = f"a filter rule as JSON text of at most {MAX_PATTERN_LENGTH:,} characters"

    def _checked(self, path: str, value: Any, shown: bool) -> str:
        if isinstance(value, Mapping):
            raise ArgumentError(path, "a value of type dict is not text", "JSON text; use json.dumps")
        text = super()._checked(path, value, shown)
        try:
            check_event_filter(text)
        except EventFilterError as error:
            problem = error.problem if shown else "a secret value is invalid"
            raise ArgumentError(f"{path}.{error.path}" if error.path else path, problem, error.allowed) from None
        return text

    def __str__(self) -> str:
        return self.what


def arn(what: str, service: str, kind: str) -> Text:
    """Match an ARN of `service` whose resource part matches the pattern `kind`."""
    return Text(f"the ARN of {what}", rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:{kind}")


ANY_TEXT = Text("text", shown=False)
DOMAIN_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""A part of a domain name between dots."""
_TABLE = r"table/[A-Za-z0-9_.-]{3,255}"
TABLE_ARN = arn("a DynamoDB table", "dynamodb", _TABLE)
STREAM_ARN = arn("a DynamoDB stream", "dynamodb", rf"{_TABLE}/stream/[A-Za-z0-9:._-]{{1,64}}")
KEY_ARN = arn("a KMS key (not of an alias)", "kms", r"key/[A-Za-z0-9-]{1,64}")
ROLE_NAME = Text("the name (not the ARN) of an IAM role", r"[A-Za-z0-9_+=,.@-]{1,64}")


@dataclass(frozen=True)
class Items:
    """A list, each of whose items passes a check; at least `least` and at most `most` items."""

    of: Check
    most: int | None = None
    least: int = 0

    def __call__(self, path: str, value: Any) -> tuple[Any, ...]:
        if isinstance(plain(path, value, str(self)), str) or not isinstance(value, Sequence):
            raise ArgumentError(path, f"{value!r} is not a list", str(self))
        if self.most is not None and len(value) > self.most:
            raise ArgumentError(path, f"{len(value)} items are too many", str(self))
        if len(value) < self.least:
            raise ArgumentError(path, f"{len(value)} items are too few", str(self))
        return tuple(self.of(f"{path}[{index}]", item) for index, item in enumerate(value))

    def __str__(self) -> str:
        least = f" of at least {self.least}" if self.least else ""
        return f"a list{least}{'' if self.most is None else f' of at most {self.most}'}, each item {self.of}"


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
        if not isinstance(plain(path, value, str(self)), Mapping):
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
        if not isinstance(plain(path, value, str(self)), pulumi.Archive):
            raise ArgumentError(path, f"a value of type {type(value).__name__} is invalid", str(self))
        archive: pulumi.Archive = value
        return archive

    def __str__(self) -> str:
        return "an archive of files"


# What IAM accepts (`Tag` in its API reference), which is the strictest of the services: one set of tags goes to all
# resources. Its pattern is [\p{L}\p{Z}\p{N}_.:/=+\-@]; Python's \w is \p{L}, \p{N} and _, and the spaces are \p{Z}.
TAG_CHARACTER = r"[\w \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]"
TAGS = Entries(
    Text(
        "1 to 128 letters, digits, spaces and _.:/=+-@, not starting with aws:",
        rf"(?!(?i:aws:)){TAG_CHARACTER}{{1,128}}",
    ),
    Text(
        "at most 256 letters, digits, spaces and _.:/=+-@, not starting with aws:",
        rf"(?!(?i:aws:)){TAG_CHARACTER}{{0,256}}",
    ),
    most=50,
    ignore_case=True,
)


def refuse_unknown(path: str, given: Iterable[str], known: Iterable[str], what: str = "argument") -> None:
    """Raise `ArgumentError` for the first key that is not known, with the nearest known one."""
    by_letters = {key.casefold(): key for key in known}
    for key in given:
        if key not in by_letters.values():
            near = difflib.get_close_matches(key.casefold(), by_letters)
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
