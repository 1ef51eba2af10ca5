"""YAML and JSON as the Pulumi CLI reads them.

The CLI reads YAML with Go's yaml.v3, whose plain scalars follow neither YAML 1.1, as PyYAML's do, nor YAML 1.2: `no`
and `12:30` are text, `0123` is an octal number, and a date is a point in time. tests/pulumi/test_scalars.py compares
this module with the CLI.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_PLAIN: Final = "!plain"
_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final[Mapping[str, tuple[str, Any]]] = {
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", True)),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **{sign + word: ("float", math.inf) for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", -math.inf)),
}
_INTEGER: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_BASES: Final = {"x": 16, "b": 2, "o": 8, "d": 10}
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})"
    r"(?:(?:[Tt](?P<zoned>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})(?P<zoned_part>[.,][0-9]+)?(?P<zone>Z|[-+][0-9]{2}:[0-9]{2}))"
    r"| (?P<time>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})(?P<part>[.,][0-9]+)?)?"
)
_NOT_IN_JSON: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


class FileError(ValueError):
    """A file that the CLI would not read either; the message says why, and names no file."""


class Moment(str):
    """The text that the CLI makes of a date or a time without quotes."""


def parse_yaml(data: bytes) -> Any:
    """Return the first document in plain types, with dates as `Moment`; None if there is none."""
    try:
        loader = _Loader(data)
        node = loader.get_node() if loader.check_node() else None
        return None if node is None else _value(node, ())
    except yaml.YAMLError as error:
        raise FileError(f"is not valid YAML: {' '.join(str(error).split())}") from None


def parse_json(data: bytes) -> Any:
    """Return a JSON document in plain types. Its numbers are floats in the CLI, even whole ones."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_int=float)
    except ValueError as error:
        raise FileError(f"is not valid JSON: {error}") from None


def to_text(value: Any) -> str:
    """Return the text that a program receives of a value: JSON without spaces, unless it is text itself."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _json(value)


def _json(value: Any) -> str:
    match value:
        case bool() | None:
            return json.dumps(value)
        case dict():
            return f"{{{','.join(f'{_json(key)}:{_json(value[key])}' for key in sorted(value))}}}"
        case list():
            return f"[{','.join(map(_json, value))}]"
        case str():
            return json.dumps(str(value), ensure_ascii=False).translate(_NOT_IN_JSON)
        case int() if value < 2**63:
            return str(value)
    return _number(float(value))


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise FileError(f"is {value}, which is not a number in JSON; put it into quotes")
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        digits = f"{Decimal(repr(value)):f}"
        return digits.removesuffix(".0")
    return re.sub(r"e([-+])0", r"e\1", repr(value)).replace(".0e", "e")


class _Loader(yaml.BaseLoader):
    """Marks scalars without quotes and tag; what they are depends on their text alone."""

    yaml_implicit_resolvers: dict[Any, Any] = {None: [(_PLAIN, re.compile(""))]}  # noqa: RUF012


def _value(node: Node, around: tuple[Node, ...]) -> Any:
    if node in around:
        raise FileError(f"is not valid YAML: the anchor in line {_line(node)} contains itself")
    inside = (*around, node)
    if isinstance(node, MappingNode):
        return _mapping(node, inside)
    if isinstance(node, SequenceNode):
        return [_value(item, inside) for item in node.value]
    return _scalar(node)


def _mapping(node: MappingNode, around: tuple[Node, ...]) -> dict[str, Any]:
    """Keys are text. What is merged in (`<<`) gives way to the mapping's own keys, and to what was merged before."""
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise FileError(f"is not valid YAML: the key in line {_line(key)} is not a scalar")
        if key.value in lines:
            first = lines[key.value]
            raise FileError(f"has the key {key.value!r} twice in one mapping, in line {first} and in line {_line(key)}")
        lines[key.value] = _line(key)
        if key.value == "<<" and key.tag in (_PLAIN, f"{_TAG}merge"):
            for one in value.value if isinstance(value, SequenceNode) else [value]:
                if not isinstance(one, MappingNode):
                    raise FileError(f"is not valid YAML: line {_line(one)} merges something that is not a mapping")
                merged = _value(one, around) | merged
        else:
            found[_key(_scalar(key))] = _value(value, around)
    return merged | found


def _key(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, float) and math.isfinite(value) and value:
        mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
        if not -4 <= int(exponent) < 6:
            return f"{mantissa}e{int(exponent):+03d}"
    return to_text(value)


def _scalar(node: Node) -> Any:
    tag, text = node.tag, str(node.value)
    if tag == _PLAIN:
        return _resolve(text, dated=True)[1]
    wanted = tag.removeprefix(_TAG)
    if wanted == "binary":
        try:
            return base64.b64decode(text, validate=False).decode("utf-8", "replace")
        except binascii.Error:
            raise FileError(f"is not valid YAML: line {_line(node)} is not valid base64") from None
    if wanted not in ("bool", "int", "float", "null", "timestamp"):
        return text
    kind, value = _resolve(text, dated=wanted == "timestamp")
    if kind != wanted and (kind, wanted) != ("int", "float"):
        raise FileError(f"is not valid YAML: {text!r} in line {_line(node)} is not of the type {wanted}")
    return value


def _resolve(text: str, *, dated: bool) -> tuple[str, Any]:
    """Return the kind and the value of a scalar without quotes, in the order in which yaml.v3 tries them."""
    if text in _WORDS:
        return _WORDS[text]
    if dated and (moment := _moment(text)):
        return "timestamp", moment
    # A number may have underscores, but one that starts with a point may not.
    plain = text if text.startswith(".") else text.replace("_", "")
    if text[0] in "+-.0123456789":
        if found := _INTEGER.fullmatch(plain):
            [(kind, digits)] = [(kind, found[kind]) for kind in _BASES if found[kind]]
            number = int(found["sign"] + digits, _BASES[kind])
            if -(2**63) <= number < (2**63 if found["sign"] else 2**64):
                return "int", number
        if _FLOAT.fullmatch(plain) and math.isfinite(value := float(plain)):
            return "float", value
    return "str", text


def _moment(text: str) -> Moment | None:
    """Read the formats of yaml.v3, and write them as Go's `Time.String` does."""
    if (found := _TIME.fullmatch(text)) is None:
        return None
    clock, part = found["zoned"] or found["time"] or "0:0:0", found["zoned_part"] or found["part"] or ""
    with suppress(ValueError):
        time = datetime.strptime(f"{found['date']} {clock}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the zone is kept as text
        fraction = f".{part[1:10]}".rstrip("0").rstrip(".")
        zone = (found["zone"] or "Z").replace(":", "")
        return Moment(f"{time}{fraction} {'+0000 UTC' if zone in ('Z', '+0000') else f'{zone} {zone}'}")
    return None


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
