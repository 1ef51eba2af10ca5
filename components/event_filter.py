"""Event filter patterns of a DynamoDB stream, checked as Lambda and its rule engine define them; pure.

See "Control which events Lambda sends to your function" and "Using event filtering with a DynamoDB event source" in the
Lambda Developer Guide. AWS refuses some of what is invalid only when the mapping is created, and silently never
matches, or always matches, some of the rest; so do emulators.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

MAX_PATTERN_LENGTH = 4_096
"""The maximum number of characters of a pattern (`Filter` in Lambda's API reference)."""
OR = "$or"

LEAF: Mapping[str, Any] = {}
ANY_NAME = "*"
_VALUE: dict[str, Any] = dict.fromkeys(("B", "BOOL", "BS", "N", "NS", "NULL", "S", "SS"), LEAF)
_ATTRIBUTES: Mapping[str, Any] = {ANY_NAME: _VALUE}
_VALUE |= {"L": _VALUE, "M": _ATTRIBUTES}
RECORD: Mapping[str, Any] = {
    **dict.fromkeys(("awsRegion", "eventID", "eventName", "eventSource", "eventSourceARN", "eventVersion"), LEAF),
    "userIdentity": {"principalId": LEAF, "type": LEAF},
    "dynamodb": {
        **dict.fromkeys(("ApproximateCreationDateTime", "SequenceNumber", "SizeBytes", "StreamViewType"), LEAF),
        **dict.fromkeys(("Keys", "NewImage", "OldImage"), _ATTRIBUTES),
    },
}
"""The fields of a stream record. A leaf has no fields, and `ANY_NAME` stands for the name of any attribute."""

EVENT_NAMES = ("INSERT", "MODIFY", "REMOVE")
OPERATORS = ("anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix")
COMPARISONS = ("=", ">", ">=", "<", "<=")
UPPER_LIMITS = ("<", "<=")


class EventFilterError(Exception):
    """An invalid pattern. `path` leads to the part that is wrong, and is empty for the pattern as a whole."""

    def __init__(self, path: str, problem: str, allowed: str) -> None:
        super().__init__(f"{path}: {problem}; allowed: {allowed}")
        self.path, self.problem, self.allowed = path, problem, allowed


class _Object(list[tuple[str, Any]]):
    """A JSON object as its keys and values in order: the same key may appear twice."""


def check_event_filter(pattern: str) -> None:
    """Raise `EventFilterError` unless the text is a pattern that Lambda accepts and that a stream record can match."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise EventFilterError("", f"{len(pattern):,} characters are too many", f"{MAX_PATTERN_LENGTH:,} or fewer")
    try:
        _check_rule(json.loads(pattern, object_pairs_hook=_Object, parse_constant=_no_constant), RECORD, "")
    except RecursionError:
        raise EventFilterError("", "is nested too deeply", "a filter rule as JSON text") from None
    except ValueError as error:
        raise EventFilterError("", f"is not valid JSON ({error})", "a filter rule as JSON text") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_rule(rule: Any, fields: Mapping[str, Any], path: str) -> None:
    """Check the part of a pattern that stands for a part of the record with these fields."""
    if not isinstance(rule, _Object) or not rule:
        names = "the names of attributes" if ANY_NAME in fields else ", ".join(sorted(fields))
        problem = "is an empty object" if isinstance(rule, _Object) else f"{_shown(rule)} is not an object"
        raise EventFilterError(path, problem, f"an object with {names}")
    seen: set[str] = set()
    for name, value in rule:
        place = f"{path}.{name}" if path else name
        if name in seen:
            raise EventFilterError(place, "appears twice, and only one of the two would apply", "each name once")
        seen.add(name)
        if name == OR:
            _check_alternatives(value, fields, place)
            continue
        below = fields.get(name, fields.get(ANY_NAME))
        if below is None:
            raise EventFilterError(place, "is not a field of a stream record", f"{', '.join(sorted(fields))} or {OR}")
        if below is LEAF:
            _check_leaf(value, place)
        else:
            _check_rule(value, below, place)


def _check_alternatives(alternatives: Any, fields: Mapping[str, Any], path: str) -> None:
    if not _is_list(alternatives) or len(alternatives) < 2:
        raise EventFilterError(path, f"{_shown(alternatives)} is not a choice", "a list of two or more objects")
    for index, alternative in enumerate(alternatives):
        place = f"{path}[{index}]"
        reserved = [name for name, _ in alternative if name in OPERATORS] if isinstance(alternative, _Object) else []
        if reserved:
            raise EventFilterError(f"{place}.{reserved[0]}", f"is an operator, not a field inside {OR}", "a field")
        _check_rule(alternative, fields, place)


def _check_leaf(values: Any, path: str) -> None:
    allowed = "a list of one or more values and comparisons"
    if not _is_list(values):
        example = "" if isinstance(values, _Object) else f", such as [{_shown(values)}]"
        raise EventFilterError(path, f"{_shown(values)} is not a list", f"{allowed}{example}")
    if not values:
        raise EventFilterError(path, "is an empty list, which nothing matches", f"{allowed}; [null] for null")
    for index, value in enumerate(values):
        place = f"{path}[{index}]"
        if isinstance(value, _Object):
            _check_comparison(value, place)
        elif isinstance(value, list):
            allowed = "text, a number, true, false, null or a comparison"
            raise EventFilterError(place, f"{_shown(value)} is a list in a list", allowed)
        elif path.rpartition(".")[2] == "eventName" and value not in EVENT_NAMES:
            raise EventFilterError(place, f"{_shown(value)} is not the name of an event", ", ".join(EVENT_NAMES))


def _check_comparison(comparison: _Object, path: str) -> None:
    operators = ", ".join(OPERATORS)
    if len(comparison) != 1:
        raise EventFilterError(path, f"has {len(comparison)} operators", f"one of {operators}")
    [(operator, operand)] = comparison
    place = f"{path}.{operator}"
    if operator == "exists":
        if not isinstance(operand, bool):
            raise EventFilterError(place, f"{_shown(operand)} is not a boolean", "true or false")
    elif operator in ("equals-ignore-case", "prefix", "suffix"):
        if not isinstance(operand, str):
            raise EventFilterError(place, f"{_shown(operand)} is not text", "text")
    elif operator == "anything-but":
        _check_excluded(operand, place)
    elif operator == "numeric":
        _check_range(operand, place)
    else:
        raise EventFilterError(place, "is not an operator of Lambda's event filters", operators)


def _check_excluded(operand: Any, path: str) -> None:
    values = operand if _is_list(operand) else [operand]
    if not values or not (all(isinstance(value, str) for value in values) or all(map(_is_number, values))):
        allowed = "text, a number, a list of text, or a list of numbers"
        raise EventFilterError(path, f"{_shown(operand)} is not supported", allowed)


def _check_range(operand: Any, path: str) -> None:
    """Check `numeric`: a comparison, or a lower and then an upper limit."""
    allowed = f"[comparison, number] with {', '.join(COMPARISONS)}, or [lower, number, upper, number]"
    terms = operand if _is_list(operand) else []
    symbols, numbers = terms[::2], terms[1::2]
    is_range = len(terms) == 4 and symbols[0] in (">", ">=") and symbols[1] in UPPER_LIMITS
    is_comparison = len(terms) == 2 and symbols[0] in COMPARISONS
    if not (is_comparison or is_range) or not all(map(_is_number, numbers)):
        raise EventFilterError(path, f"{_shown(operand)} is not a comparison", allowed)
    if is_range and numbers[0] >= numbers[1]:
        raise EventFilterError(path, f"{_shown(operand)} is empty", "a lower limit below the upper one")


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value, _Object)


def _is_number(value: Any) -> bool:
    """Tell whether a value is a number that Lambda can compare: it does so as 64-bit floating-point numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _shown(value: Any) -> str:
    """Return a value as JSON, short enough for an error message."""
    text = json.dumps(_plain(value), ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _plain(value: Any) -> Any:
    if isinstance(value, _Object):
        return {name: _plain(item) for name, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value
