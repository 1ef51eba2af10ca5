"""A stack's configuration as the CLI would hand it to the program, read from the project's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class StackConfigError(ValueError):
    """A project or stack file that cannot be used; the message names the file, the key and what is allowed."""


@dataclass(frozen=True)
class StackConfig:
    """One stack of a project.

    `directory` holds the project file, `main` is the program's folder or file, `values` has full keys (`aws:region`)
    and strings, non-strings as JSON text.
    """

    project: str
    stack: str
    directory: Path
    main: Path
    values: Mapping[str, str]

    @property
    def working_directory(self) -> Path:
        """The folder that the program runs in, to which its relative paths refer."""
        return self.main if self.main.is_dir() else self.main.parent


def load(directory: Path, stack: str) -> StackConfig:
    """Read `Pulumi.yaml` and `Pulumi.<stack>.yaml` in `directory`.

    The program's folder is the project's `main`, or `directory`. Defaults and types come from the project file.
    Raises StackConfigError for a missing file, a missing value, a value of the wrong type, and for an encrypted value,
    which only the CLI could decrypt.
    """
    directory = directory.resolve()
    project_file = directory / "Pulumi.yaml"
    project = _read(project_file)
    name = project.get("name")
    if not isinstance(name, str):
        raise StackConfigError(f"{project_file}: the project has no name")
    stack_file = directory / f"Pulumi.{stack}.yaml"
    if not stack_file.exists():
        raise StackConfigError(f"there is no stack {stack!r} in {directory}; {_list_stacks(directory)}")
    given = {_full_key(name, key): value for key, value in (_read(stack_file).get("config") or {}).items()}
    declared = {_full_key(name, key): value for key, value in (project.get("config") or {}).items()}
    values = {key: _text(stack_file, key, value) for key, value in given.items()}
    for key, declaration in declared.items():
        if key in given:
            # The CLI reads every scalar of a stack's file as text, so that a string may be written as a number.
            scalar = not isinstance(given[key], dict | list)
            _check_type(stack_file, key, values[key] if scalar else given[key], declaration)
        else:
            default = _default(project_file, stack_file, key, declaration)
            values[key] = _text(project_file, key, default)
            _check_type(project_file, key, default, declaration)
    main = directory / str(project.get("main") or "")
    return StackConfig(project=name, stack=stack, directory=directory, main=main, values=values)


def stacks(directory: Path) -> list[str]:
    """List the stacks that have a file in the directory."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in directory.glob("Pulumi.*.yaml"))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackConfigError(f"{path} does not exist") from None
    except yaml.YAMLError as error:
        raise StackConfigError(f"{path} is not valid YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise StackConfigError(f"{path} must hold a mapping, not {type(content).__name__}")
    return content


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _default(project_file: Path, stack_file: Path, key: str, declaration: object) -> object:
    if not isinstance(declaration, dict):
        return declaration
    for source in ("value", "default"):
        if source in declaration:
            return declaration[source]
    raise StackConfigError(f"{stack_file}: {key} has no value, and {project_file} gives it no default")


def _check_type(path: Path, key: str, value: object, declaration: object) -> None:
    expected = declaration.get("type") if isinstance(declaration, dict) else None
    if expected is None:
        return
    if expected not in _TYPES:
        raise StackConfigError(f"{key}: unknown type {expected!r}; allowed are {', '.join(_TYPES)}")
    # The CLI writes numbers and booleans given on its command line as strings.
    candidate = value
    if isinstance(value, str) and expected in ("integer", "boolean"):
        with suppress(ValueError):
            candidate = json.loads(value)
    if not isinstance(candidate, _TYPES[expected]) or (expected == "integer" and isinstance(candidate, bool)):
        raise StackConfigError(f"{path}: {key} is {value!r}, but must be of type {expected}")


def _text(path: Path, key: str, value: object) -> str:
    if isinstance(value, dict) and set(value) == {"secure"}:
        raise StackConfigError(f"{path}: {key} is encrypted, and only the Pulumi CLI can decrypt it")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)


def _list_stacks(directory: Path) -> str:
    found = stacks(directory)
    return f"its stacks are {', '.join(found)}" if found else "it has no stack files (Pulumi.<stack>.yaml)"
