"""The text of docs/reference.md, made out of the docstrings and the schema."""

import inspect
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import components.testing
from components import plugin
from components.config import config_default, config_fields, config_type
from components.settings import config_key

TYPES = "#/types/"
ENUM_HEAD = "| value | meaning |\n| --- | --- |\n"
REQUIRED = " \\*"
ASSETS = {"pulumi.json#/Archive": "archive", "pulumi.json#/Any": "any"}

HEAD = """# Reference

<!-- Written by ./counter generate; a test compares it with the code. -->

Names are those of YAML and TypeScript (`batchSize`); in Python the same names have underscores (`batch_size`). All
arguments are optional unless they are marked with \\*.
"""

CONFIG = """
## Configuration keys

`pulumi config set KEY VALUE` sets an argument of the counter that this repository's own program makes. Each key is
described with the argument of the same name above. Empty text (`''`) means that nothing is set. `throttlingRateLimit`
may have a fraction and is a string because `Pulumi.yaml` has no type for such numbers; the capacities are strings
because they must not be set with on-demand billing.

| key | type | default |
| --- | --- | --- |
"""

KIT = """
## `stream_triggered_counter.testing`

A kit for testing programs that use the components; [Embedding](embedding.md#testing-your-program) shows it at work.
"""


def reference() -> str:
    """Make the page."""
    document = plugin.CounterProvider().document
    names = [component.__name__ for component in plugin.COMPONENTS]
    parts = [HEAD, *(_component(document, name) for name in names), _types(document), _enums(document)]
    return "".join([*parts, _config(), _kit(components.testing)]).rstrip() + "\n"


def _component(document: Mapping[str, Any], name: str) -> str:
    described = document["resources"][f"{plugin.NAME}:index:{name}"]
    component = next(kind for kind in plugin.COMPONENTS if kind.__name__ == name)
    text = [f"\n## {name}\n\n{described['description']}\n\n### Arguments\n\n"]
    text.append(_properties(described["inputProperties"], described.get("requiredInputs", [])))
    text.append(f"\n### Outputs\n\n{_properties(described['properties'], ())}")
    methods = [method for method in _public(component) if method[0] in vars(component)]
    if methods:
        text.append(f"\n### Methods (Python)\n\n{_members(methods)}")
    return "".join(text)


def _types(document: Mapping[str, Any]) -> str:
    text = ["\n## Groups of arguments\n"]
    for token, described in sorted(document["types"].items()):
        if "enum" not in described:
            table = _properties(described["properties"], described.get("required", []))
            text.append(f"\n### {_short(token)}\n\n{described['description']}\n\n{table}")
    return "".join(text)


def _enums(document: Mapping[str, Any]) -> str:
    text = ["\n## Enums\n"]
    for token, described in sorted(document["types"].items()):
        if "enum" in described:
            rows = "".join(f"| `{value['value']}` | {_cell(value['description'])} |\n" for value in described["enum"])
            text.append(f"\n### {_short(token)}\n\n{described['description']}\n\n{ENUM_HEAD}{rows}")
    return "".join(text)


def _properties(properties: Mapping[str, Any], required: Any) -> str:
    rows = "".join(
        f"| `{name}`{REQUIRED if name in required else ''} | {_type(declared)} | {_cell(declared['description'])} |\n"
        for name, declared in properties.items()
    )
    return f"| name | type | meaning |\n| --- | --- | --- |\n{rows}"


def _type(declared: Mapping[str, Any]) -> str:
    if "$ref" in declared:
        name = declared["$ref"]
        return ASSETS.get(name) or f"[{_short(name)}](#{_short(name).lower()})"
    if declared["type"] == "array":
        return f"list of {_type(declared['items'])}"
    if declared["type"] == "object":
        return f"map of {_type(declared['additionalProperties'])}"
    return str(declared["type"])


def _config() -> str:
    rows = "".join(
        f"| `{config_key(field.name)}` | {config_type(field)} | `{config_default(field)!r}` |\n"
        for _, field in config_fields()
    )
    return CONFIG + rows


def _kit(kit: ModuleType) -> str:
    text = [KIT]
    for name in kit.__all__:
        value = getattr(kit, name)
        documented = inspect.isclass(value) or inspect.isfunction(value)
        described = _doc(value) if documented else f"The only `{type(value).__name__}`."
        signature = f"\n```text\n{name}{_signature(value)}\n```\n" if inspect.isfunction(value) else ""
        text.append(f"\n### {name}\n{signature}\n{described}\n")
        if inspect.isclass(value) and (members := list(_public(value))):
            text.append(f"\n{_members(members)}")
    return "".join(text)


def _public(kind: type) -> Iterator[tuple[str, Any]]:
    """Go through what a class offers and documents itself, in the order of its source."""
    for name, member in vars(kind).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        # What begins with a capital is the engine's protocol, for the SDK to call.
        if name[0].islower() and inspect.isfunction(function):
            yield name, member


def _members(members: list[tuple[str, Any]]) -> str:
    rows = "".join(f"| `{name}{_signature(member)}` | {_cell(_doc(member))} |\n" for name, member in members)
    return f"| name | meaning |\n| --- | --- |\n{rows}"


def _signature(member: Any) -> str:
    if isinstance(member, property):
        return ""
    function = getattr(member, "__func__", member)
    names = [
        f"{'*' if parameter.kind is parameter.VAR_POSITIONAL else ''}{name}"
        + ("" if parameter.default is parameter.empty else f"={parameter.default!r}")
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    return f"({', '.join(names)})"


def _doc(value: Any) -> str:
    return inspect.getdoc(value) or ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _short(token: str) -> str:
    return token.rpartition(":")[2]
