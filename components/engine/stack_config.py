"""A stack's configuration as the CLI would hand it to the program, read from the project's files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .project_files import FileError, Moment, parse_json, parse_yaml, to_text

ORGANIZATION: Final = "organization"
"""The organization of a stack that names none, as with the CLI's backends outside Pulumi Cloud."""

_SUFFIXES: Final = (".json", ".yaml", ".yml")
_TYPES: Final = ("string", "integer", "boolean", "array", "object")


class StackConfigError(ValueError):
    """A project or stack file that cannot be used; the message names the file, the key and what is allowed."""


@dataclass(frozen=True)
class StackConfig:
    """One stack of a project.

    `directory` holds the project file, `file` is the stack's, `main` is the program's folder or file, `values` has full
    keys (`aws:region`) and strings, non-strings as JSON text.
    """

    project: str
    stack: str
    directory: Path
    file: Path
    main: Path
    values: Mapping[str, str]
    organization: str = ORGANIZATION

    @property
    def working_directory(self) -> Path:
        """The folder that the program runs in, to which its relative paths refer."""
        return self.main if self.main.is_dir() else self.main.parent


def load(directory: Path, stack: str) -> StackConfig:
    """Read `Pulumi.yaml` in `directory`, or in the nearest folder above, and the file of the stack.

    `stack` is a name (`dev`), or also has the organization and the project (`organization/project/dev`). The project
    file's suffix, `.yaml`, `.yml` or `.json`, is that of the stack's file, too. The program's folder is the project's
    `main`, or the project's own. Defaults and types come from the project file. Raises StackConfigError for a missing
    file, a missing value, a value of the wrong type, and for an encrypted value, which only the CLI could decrypt.
    """
    project_file = _find_project(directory)
    project = _read(project_file)
    name = project.get("name")
    if not isinstance(name, str) or not name:
        raise StackConfigError(f"{project_file}: the project has no name")
    organization, stack = _split_name(stack, name)
    declared = _declarations(project_file, project, name)
    stack_file = _stack_folder(project_file, project) / f"Pulumi.{stack}{project_file.suffix}"
    if not stack_file.is_file():
        raise StackConfigError(f"there is no stack {stack!r} in {stack_file.parent}; {_list_stacks(stack_file)}")
    content = _read(stack_file)
    if content.get("environment"):
        raise StackConfigError(f"{stack_file}: only the Pulumi CLI can import environments")
    given = _by_full_key(stack_file, name, content.get("config"))
    values = {key: _text(stack_file, key, value) for key, value in given.items()}
    for key, declaration in declared.items():
        if key in given:
            # The CLI reads every scalar of a stack's file as text, so a string may be written as a number.
            scalar = not isinstance(given[key], dict | list)
            _check_type(stack_file, key, values[key] if scalar else given[key], declaration)
        else:
            values[key] = _default(project_file, stack_file, key, declaration)
    main = _find_main(project_file, project)
    return StackConfig(name, stack, project_file.parent, stack_file, main, values, organization)


def _find_project(directory: Path) -> Path:
    directory = directory.resolve()
    if not directory.is_dir():
        problem = "is a file" if directory.exists() else "does not exist"
        raise StackConfigError(f"{directory} {problem}; allowed: the folder of a Pulumi project")
    for folder in (directory, *directory.parents):
        for suffix in _SUFFIXES:
            if (path := folder / f"Pulumi{suffix}").is_file():
                return path
    raise StackConfigError(f"there is no Pulumi.yaml in {directory} or in any folder above it")


def _split_name(stack: str, project: str) -> tuple[str, str]:
    """Return the organization and the name out of `dev`, `organization/dev` or `organization/project/dev`."""
    *qualifiers, name = parts = stack.split("/")
    if len(parts) > 3 or not all(re.fullmatch(r"(?!\.+$)[A-Za-z0-9_.-]{1,100}", part) for part in parts):
        allowed = "letters, digits, hyphens, underscores and periods, with ORGANIZATION/PROJECT/ before them or not"
        raise StackConfigError(f"{stack!r} is not a valid stack name; allowed: {allowed}")
    if len(qualifiers) == 2 and qualifiers[1] != project:
        raise StackConfigError(f"stack {stack!r} belongs to the project {qualifiers[1]!r}, but this one is {project!r}")
    return (qualifiers or [ORGANIZATION])[0], name


def _stack_folder(project_file: Path, project: Mapping[str, Any]) -> Path:
    """Return the folder of the stacks' files. `config` may be its name as well, as it was in old projects."""
    named, config = project.get("stackConfigDir"), project.get("config")
    if isinstance(config, str) and named is not None:
        raise StackConfigError(f"{project_file}: config and stackConfigDir both name a folder; keep stackConfigDir")
    folder = config if isinstance(config, str) else named
    if folder is not None and not isinstance(folder, str):
        raise StackConfigError(f"{project_file}: stackConfigDir is {folder!r}, but must be the name of a folder")
    return project_file.parent / (folder or "").lstrip("/")


def _find_main(project_file: Path, project: Mapping[str, Any]) -> Path:
    named = project.get("main") or ""
    if not isinstance(named, str) or not (main := project_file.parent / named).exists():
        raise StackConfigError(f"{project_file}: main is {named!r}, but must be the program's folder or file")
    return main


def _list_stacks(stack_file: Path) -> str:
    pattern = f"Pulumi.*{stack_file.suffix}"
    found = [path.name.removeprefix("Pulumi.").removesuffix(path.suffix) for path in stack_file.parent.glob(pattern)]
    return (
        f"its stacks are {', '.join(sorted(found))}"
        if found
        else f"it has no stack files ({pattern.replace('*', '<stack>')})"
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StackConfigError(f"{path} cannot be read: {error.strerror}") from None
    try:
        content = parse_json(data) if path.suffix == ".json" else parse_yaml(data)
    except FileError as error:
        raise StackConfigError(f"{path} {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise StackConfigError(f"{path} must hold a mapping, not {type(content).__name__}")
    return content


def _by_full_key(path: Path, project: str, config: object) -> dict[str, Any]:
    """Return the values of a `config:` section by full key; a key without a namespace is the project's."""
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise StackConfigError(f"{path}: config must be a mapping of keys and values, not {type(config).__name__}")
    found: dict[str, Any] = {}
    for key, value in config.items():
        # Keys of old projects have `config` in their middle.
        namespace, name = [project, key] if ":" not in key else re.sub("^([^:]*):config:", r"\1:", key).split(":", 1)
        if ":" in name or not namespace or not name:
            raise StackConfigError(f"{path}: {key!r} is not a valid key; allowed: a name, or NAMESPACE:NAME")
        if (full := f"{namespace}:{name}") in found:
            raise StackConfigError(f"{path}: {full} is given twice")
        found[full] = value
    return found


def _declarations(path: Path, project: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    """Return the declared keys; a bare value is a default."""
    config = project.get("config")
    found = _by_full_key(path, name, None if isinstance(config, str) else config)
    declared: dict[str, Mapping[str, Any]] = {
        key: value if isinstance(value, dict) else {"default": value} for key, value in found.items()
    }
    for key, declaration in declared.items():
        expected = declaration.get("type", "string")
        if expected not in _TYPES:
            raise StackConfigError(f"{key}: unknown type {expected!r}; allowed are {', '.join(_TYPES)}")
    return declared


def _default(project_file: Path, stack_file: Path, key: str, declaration: Mapping[str, Any]) -> str:
    value = declaration.get("value", declaration.get("default"))
    if value is None:
        raise StackConfigError(f"{stack_file}: {key} has no value, and {project_file} gives it no default")
    for path, leaf in _leaves(key, value):
        if isinstance(leaf, Moment):
            raise StackConfigError(f"{project_file}: {path} is a date; put it into quotes")
    text = _text(project_file, key, value)
    _check_type(project_file, key, value, declaration)
    return text


def _check_type(path: Path, key: str, value: object, declaration: Mapping[str, Any]) -> None:
    if "type" in declaration and not _is_of(value, declaration):
        raise StackConfigError(f"{path}: {key} is {value!r}, but must be of type {_type_name(declaration)}")


def _is_of(value: object, declaration: Mapping[str, Any]) -> bool:
    """Whether the CLI takes a value for the declared type. Inside a list, it takes no number for a string."""
    match declaration["type"]:
        case "integer":
            if isinstance(value, str):
                return bool(re.fullmatch("[-+]?[0-9]+", value)) and -(2**63) <= int(value) < 2**63
            return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        case "boolean":
            return isinstance(value, bool) or value in ("true", "false")
        case "object":
            return isinstance(value, dict)
        case "array":
            items = declaration.get("items") or {}
            return isinstance(value, list) and ("type" not in items or all(_is_of(item, items) for item in value))
    return isinstance(value, str)


def _type_name(declaration: Mapping[str, Any]) -> str:
    items = declaration.get("items") or {}
    if declaration["type"] == "array" and "type" in items:
        return f"array<{_type_name(items)}>"
    return str(declaration["type"])


def _text(path: Path, key: str, value: object) -> str:
    for inner, leaf in _leaves(key, value):
        if isinstance(leaf, dict):
            raise StackConfigError(f"{path}: {inner} is encrypted, and only the Pulumi CLI can decrypt it")
    try:
        return to_text(value)
    except FileError as error:
        raise StackConfigError(f"{path}: {key} {error}") from None


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield everything in a value that is neither a list nor a mapping, and each encrypted value, with its path."""
    if isinstance(value, dict) and not (set(value) == {"secure"} and isinstance(value["secure"], str)):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    else:
        yield path, value
