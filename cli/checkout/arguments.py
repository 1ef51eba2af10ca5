"""The texts of components/args.py and of the `config:` section of Pulumi.yaml, made of the components' settings."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import Field
from enum import Enum
from itertools import pairwise
from typing import Any

from components.checks import Items, Member, Number
from components.config import config_default, config_fields, config_type
from components.settings import Group, Settings, config_key, default_of, is_required
from components.stream_consumer import StreamConsumerSettings
from components.stream_triggered_counter import StreamTriggeredCounterSettings

HEAD = '''"""The components' arguments as the component host and type checkers need them: nested TypedDicts.

Written by ./counter generate from the classes `…Settings`; a test compares it with them.
"""

from typing import NotRequired, TypedDict

import pulumi

'''
TYPES = ((r" \| None$", ""), (r"\bMapping\[", "dict["), (r"\bSequence\[", "list["), (r"(\w+)Settings\b", r"\1Args"))
"""How the type of a setting differs from that of the argument."""


def arguments() -> str:
    """Make the text of args.py."""
    kinds = _kinds()
    enums = _enums(kinds)
    imports = (f"from .{module} import {', '.join(sorted(names))}\n" for module, names in sorted(enums.items()))
    exported = sorted([*map(_args_name, kinds), *(name for names in enums.values() for name in names)])
    listed = "".join(f'    "{name}",\n' for name in exported)
    return f"{HEAD}{''.join(imports)}\n__all__ = [\n{listed}]\n{''.join(map(_typed_dict, kinds))}"


def _kinds() -> list[type[Settings]]:
    """List the settings classes of the two components, each after the groups that it holds."""
    found: dict[type[Settings], None] = {}

    def visit(kind: type[Settings]) -> None:
        for declared in kind.declared().values():
            check = declared.metadata["check"]
            check = check.of if isinstance(check, Items) else check
            if isinstance(check, Group):
                visit(check.of)
        found[kind] = None

    visit(StreamTriggeredCounterSettings)
    visit(StreamConsumerSettings)
    return list(found)


def _enums(kinds: Iterable[type[Settings]]) -> dict[str, set[str]]:
    """Return the enums that arguments have as types, by the modules that define them."""
    found: dict[str, set[str]] = {}
    for declared in (one for kind in kinds for one in kind.declared().values()):
        if isinstance(check := declared.metadata["check"], Member):
            found.setdefault(check.of.__module__.rpartition(".")[2], set()).add(check.of.__name__)
    return found


def configuration() -> str:
    """Make the `config:` section of Pulumi.yaml: a key for each argument of the counter."""
    groups = StreamTriggeredCounterSettings.groups()
    text = ["config:\n"]
    for group, declared in config_fields():
        _, meaning = _declarations(groups[group] if group else StreamTriggeredCounterSettings)[declared.name]
        first_sentence = re.split(r"(?<=\.)\s", meaning)[0]
        text.append(f"  {config_key(declared.name)}:\n")
        text.append("" if config_type(declared) == "array" else f"    type: {config_type(declared)}\n")
        text.append(f"    description: {json.dumps(first_sentence + _as_text(declared), ensure_ascii=False)}\n")
        text.append(f"    default: {_yaml(config_default(declared))}\n")
    return "".join(text)


def _args_name(kind: type[Settings]) -> str:
    return kind.__name__.removesuffix("Settings") + "Args"


def _typed_dict(kind: type[Settings]) -> str:
    declared = kind.declared()
    some_required = any(map(is_required, declared.values()))
    text = [f"\n\nclass {_args_name(kind)}(TypedDict{'' if some_required else ', total=False'}):\n"]
    text.append(f"{textwrap.indent(_class_docstring(kind), ' ' * 4)}\n\n")
    for field_name, (annotation, meaning) in _declarations(kind).items():
        if field_name in declared:
            optional = some_required and not is_required(declared[field_name])
            text.append(f"    {field_name}: {f'NotRequired[{annotation}]' if optional else annotation}\n")
            text.append(_wrapped(f'"""{meaning}{_limits(declared[field_name])}"""'))
    return "".join(text)


def _declarations(kind: type[Settings]) -> dict[str, tuple[str, str]]:
    """Return the type and the description of each field, as they stand in the source: inherited ones first."""
    found = _declarations(kind.__base__) if kind.__base__ and issubclass(kind.__base__, Settings) else {}
    [source] = ast.parse(inspect.getsource(kind)).body
    body = source.body if isinstance(source, ast.ClassDef) else []
    for node, after in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            annotation = ast.unparse(node.annotation)
            for pattern, replacement in TYPES:
                annotation = re.sub(pattern, replacement, annotation)
            described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            meaning = str(after.value.value) if described else ""  # type: ignore[attr-defined]
            found[node.target.id] = (annotation, " ".join(meaning.split()))
    return found


def _class_docstring(kind: type[Settings]) -> str:
    first, *others = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    return f'"""{first}"""' if not others else "\n\n".join([f'"""{first}', *others]) + '\n"""'


def _limits(declared: Field[Any]) -> str:
    """Say a field's default and limits in words; a group has them in its own fields."""
    check = declared.metadata["check"]
    if isinstance(check, Group):
        return "" if default_of(declared) else " Default: none."
    default = "" if is_required(declared) else f" Default: {_spelled(default_of(declared))}."
    return f"{default} Allowed: {check}."


def _spelled(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, bool | dict):
        return json.dumps(default)
    if isinstance(default, tuple):
        return json.dumps(list(default))
    return (
        f"{default:g}" if isinstance(default, float) else f"{default.value if isinstance(default, Enum) else default}"
    )


def _as_text(declared: Field[Any]) -> str:
    """Say what a number may be that `Pulumi.yaml` declares as text."""
    if not isinstance(declared.metadata["check"], Number) or config_type(declared) != "string":
        return ""
    kind = "A whole number" if declared.metadata["check"].whole else "A number, which may have a fraction"
    unset = config_default(declared) == "" and default_of(declared) is not None
    return f" {kind}; empty means {default_of(declared)}." if unset else f" {kind}."


def _yaml(default: Any) -> str:
    # The text of a number would be read as one.
    plain = isinstance(default, str) and re.fullmatch(r"[A-Za-z_][\w.]*", default)
    return str(default) if plain else json.dumps(default)


def _wrapped(text: str) -> str:
    lines: Iterator[str] = iter(textwrap.wrap(text, 116, break_on_hyphens=False, break_long_words=False))
    return "".join(f"    {line}\n" for line in lines)
