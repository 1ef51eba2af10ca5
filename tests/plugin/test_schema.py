"""Other languages' SDKs are generated from the schema: it changes on purpose, and says what everything means."""

import json
import runpy
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import plugin as plugin_module
from components.plugin import COMPONENTS, NAME, CounterProvider, _tidy
from components.version import VERSION

from .engine import COMPONENTS as FOLDER
from .engine import Plugin

GOLDEN = FOLDER / "schema.json"


def current() -> str:
    return json.dumps(CounterProvider().document)


def test_plugin_serves_the_golden_schema_and_the_version(plugin: Plugin) -> None:
    assert plugin.schema() == json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert plugin.version() == VERSION


def test_schema_has_the_components_under_the_name_that_they_register() -> None:
    schema = json.loads(current())
    assert schema["name"] == NAME
    assert schema["version"] == VERSION
    assert set(schema["resources"]) == {f"{NAME}:index:{component.__name__}" for component in COMPONENTS}
    assert all(resource["isComponent"] for resource in schema["resources"].values())


def described(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every component, type, enum, enum value and property of a schema."""
    if isinstance(value, Mapping):
        if value.keys() & {"$ref", "type", "value"} and isinstance(value.get("type", ""), str):
            yield path, value
        for key, item in value.items():
            yield from described(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from described(item, f"{path}[{index}]")


def test_everything_is_described() -> None:
    found = dict(described(json.loads(current())))
    assert len(found) > 100
    assert [path for path, item in found.items() if not item.get("description", "").strip()] == []


def test_descriptions_read_as_prose_in_every_language() -> None:
    found = dict(described(json.loads(current())))
    assert len(found) > 100
    for path, item in found.items():
        assert "  " not in item["description"], path
        assert "\n" not in item["description"].replace("\n\n", ""), path
        # Fields have their names in camel case there.
        for name in ("function_role_name", "batch_size", "existing_table"):
            assert name not in item["description"], path


def test_descriptions_become_prose_wherever_they_are() -> None:
    enum = [{"value": "A", "description": "Goes with `batch_size`,\n    or alone.\n\n    Rare."}]
    tidied = _tidy({"types": {"Mode": {"enum": enum, "required": ["batch_size"]}}})
    described = [{"value": "A", "description": "Goes with `batchSize`, or alone.\n\nRare."}]
    assert tidied == {"types": {"Mode": {"enum": described, "required": ["batch_size"]}}}


def test_an_argument_states_its_limits_and_an_optional_one_its_default() -> None:
    types = json.loads(current())["types"]
    settings = [
        (f"{group}.{name}", declared["description"])
        for group in ("TableArgs", "ExistingTableArgs", "StreamArgs", "FunctionArgs", "ApiArgs")
        for name, declared in types[f"{NAME}:index:{group}"]["properties"].items()
    ]
    assert len(settings) > 20
    for name, description in settings:
        assert ("Default: " in description) != name.startswith("ExistingTableArgs."), name
        assert "Allowed: " in description, name


def test_plugin_file_names_its_runtime() -> None:
    assert yaml.safe_load((FOLDER / "PulumiPlugin.yaml").read_text()) == {"runtime": "python"}


@pytest.mark.parametrize(("run_name", "serves"), [("__main__", True), ("imported", False)])
def test_plugin_imports_from_the_folder_above_its_own(
    monkeypatch: pytest.MonkeyPatch, run_name: str, serves: bool
) -> None:
    served: list[list[str]] = []
    # Python itself puts the folder of the program first.
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    monkeypatch.setattr(plugin_module, "serve", lambda: served.append([*sys.path]))
    others = sys.path[1:]
    runpy.run_path(str(FOLDER / "__main__.py"), run_name=run_name)
    assert served == [[str(FOLDER.parent), *others]] * serves


def requirements(path: Path) -> list[str]:
    """Read a requirements file as pip does: what it includes is relative to the file itself."""
    found = []
    for line in path.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found += requirements(path.parent / text.removeprefix("-r "))
        elif text:
            found.append(text)
    return found


def test_plugin_installs_the_same_versions_as_the_program() -> None:
    # The CLI installs requirements.txt from the folder that PulumiPlugin.yaml is in.
    pins = requirements(FOLDER / "requirements.txt")
    assert sorted(pin.partition("==")[0] for pin in pins) == ["pulumi", "pulumi-aws"]
    assert pins == requirements(FOLDER.parent / "requirements.txt")
