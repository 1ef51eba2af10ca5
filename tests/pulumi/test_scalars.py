"""Scalars without quotes: the local cloud reads each as the Pulumi CLI does, wherever it stands in a stack's file."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.engine.stack_config import StackConfigError
from components.testing import load_stack_config
from tests.share import ci_only

from .conftest import Engine
from .stack import Stack

# What a top-level key has of each, as text, and what an object or a list has, as JSON.
SCALARS: dict[str, tuple[str, str]] = {
    "1.10": ("1.1", "1.1"),
    "1.0": ("1", "1"),
    "12.50": ("12.5", "12.5"),
    ".5": ("0.5", "0.5"),
    "5.": ("5", "5"),
    "-0.0": ("0", "0"),
    "1e3": ("1000", "1000"),
    "1e21": ("1e+21", "1e+21"),
    "1e20": ("100000000000000000000", "100000000000000000000"),
    "0.0000001": ("1e-7", "1e-7"),
    "1e-6": ("0.000001", "0.000001"),
    "1e400": ("1e400", '"1e400"'),
    "3.14159265358979323846": ("3.141592653589793", "3.141592653589793"),
    "012345670123": ("1402433619", "1402433619"),
    "0777": ("511", "511"),
    "-012": ("-10", "-10"),
    "089": ("89", "89"),
    "0o17": ("15", "15"),
    "0x1F": ("31", "31"),
    "0b101": ("5", "5"),
    "0x": ("0x", '"0x"'),
    "+5": ("5", "5"),
    "1_000": ("1000", "1000"),
    "_1": ("_1", '"_1"'),
    "._5": ("._5", '"._5"'),
    "123456789012": ("123456789012", "123456789012"),
    "9223372036854775807": ("9223372036854775807", "9223372036854775807"),
    "18446744073709551615": ("18446744073709551615", "18446744073709552000"),
    "18446744073709551616": ("18446744073709552000", "18446744073709552000"),
    "true": ("true", "true"),
    "TRUE": ("true", "true"),
    "tRUE": ("tRUE", '"tRUE"'),
    "no": ("no", '"no"'),
    "on": ("on", '"on"'),
    "Yes": ("Yes", '"Yes"'),
    "OFF": ("OFF", '"OFF"'),
    "y": ("y", '"y"'),
    "~": ("", "null"),
    "Null": ("", "null"),
    "12:30": ("12:30", '"12:30"'),
    "190:20:30": ("190:20:30", '"190:20:30"'),
    "2024-01-01": ("2024-01-01 00:00:00 +0000 UTC", '"2024-01-01 00:00:00 +0000 UTC"'),
    "2024-1-1 1:2:3.50": ("2024-01-01 01:02:03.5 +0000 UTC", '"2024-01-01 01:02:03.5 +0000 UTC"'),
    "2024-01-01T10:00:00-05:30": ("2024-01-01 10:00:00 -0530 -0530", '"2024-01-01 10:00:00 -0530 -0530"'),
    "2024-13-01": ("2024-13-01", '"2024-13-01"'),
    "1.2.3": ("1.2.3", '"1.2.3"'),
    "1,000": ("1,000", '"1,000"'),
    "=": ("=", '"="'),
    "<b>&": ("<b>&", '"\\u003cb\\u003e\\u0026"'),
    "NaN": ("NaN", '"NaN"'),
    '"1.10"': ("1.10", '"1.10"'),
    "'no'": ("no", '"no"'),
    "!!str 012": ("012", '"012"'),
    '!!int "12"': ("12", "12"),
    "!!float 5": ("5", "5"),
    "!!binary aGk=": ("hi", '"hi"'),
    "!own 5": ("5", '"5"'),
}
EXPECTED = {
    f"sample:{kind}{number}": text.replace("VALUE", inner) if kind != "top" else top
    for number, (top, inner) in enumerate(SCALARS.values())
    for kind, text in (("top", ""), ("object", '{"k":VALUE}'), ("list", '[VALUE,["x",VALUE]]'))
}
FILE = "config:\n" + "".join(
    f"  sample:top{number}: {scalar}\n"
    f"  sample:object{number}:\n    k: {scalar}\n"
    f"  sample:list{number}:\n  - {scalar}\n  -\n    - x\n    - {scalar}\n"
    for number, scalar in enumerate(SCALARS)
)
KEYS = {
    "012": "10",
    "1.10": "1.1",
    "1e6": "1e+06",
    "no": "no",
    "True": "true",
    "null": "<nil>",
    "2024-01-01": "2024-01-01 00:00:00 +0000 UTC",
}
FILES = {
    "keys": "config:\n  sample:k: {" + ", ".join(f"{key}: x" for key in KEYS) + "}\n",
    "keys of old projects": "config:\n  sample:config:a: 1\n  b: 2\n",
    "merge": "config:\n  sample:a: &a {x: 1, y: 2}\n  sample:b:\n    y: 3\n    <<: *a\n",
    "merge of two": "config:\n  sample:b:\n    <<: [{x: 1}, {x: 2, y: 2}]\n",
    "set": "config:\n  sample:b: !!set {x, y}\n",
    "text in lines": "config:\n  sample:b: |\n    x\n    y\n  sample:c: >-\n    x\n    y\n",
    "colons in an object": "config:\n  sample:b: {a:b, c: d:e, 12:30}\n",
    "second document": "config:\n  sample:b: x\n---\n[]\n",
    "nothing": "",
    "no values": "config:\n",
}
REFUSED = {
    "infinity": "config:\n  sample:a: .inf\n",
    "no number in an object": "config:\n  sample:a: {b: .nan}\n",
    "wrong type": "config:\n  sample:a: !!int x\n",
    "key given twice": "config:\n  sample:a: {x: 1, x: 2}\n",
    "key of the stack given twice": "config:\n  sample:a: 1\n  sample:a: 2\n",
    "key that is a list": "config:\n  sample:a: {? [x] : 1}\n",
    "key with two colons": "config:\n  sample:a:b: 1\n",
    "merge of text": "config:\n  sample:a: {<<: x}\n",
    "list inside itself": "config:\n  sample:a: &a [*a]\n",
    "unknown anchor": "config:\n  sample:a: *a\n",
    "list for config": "config:\n- a\n",
    "text for config": "config: a\n",
    "list for all": "- a\n",
    "environments": "environment: [dev]\nconfig:\n  sample:a: 1\n",
}


@pytest.fixture(scope="module")
def stack(cli: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Make a stack whose program never runs."""
    return Stack(tmp_path_factory.mktemp("pulumi"), {"name": "sample", "runtime": "python"}, {}, configured=False)


def values(stack: Stack, *options: str) -> dict[str, str]:
    """Return the configuration as the CLI reads it."""
    text = stack.run("config", "--json", *options).ok().text
    # Warnings about keys without a value may stand around it.
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{"))[0]
    return {key: one["value"] for key, one in found.items()}


def test_scalars_are_read_as_the_cli_reads_them(stack: Stack) -> None:
    stack.file.write_text(FILE, encoding="utf-8")
    assert values(stack) == EXPECTED
    assert load_stack_config(stack.directory, stack.name).values == EXPECTED


@pytest.mark.parametrize("case", FILES)
def test_stack_file_is_read_as_the_cli_reads_it(stack: Stack, case: str) -> None:
    stack.file.write_text(FILES[case], encoding="utf-8")
    assert load_stack_config(stack.directory, stack.name).values == values(stack)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encoding_is_detected_as_the_cli_detects_it(stack: Stack, encoding: str) -> None:
    stack.file.write_text("config:\n  sample:a: é\n", encoding=encoding)
    assert load_stack_config(stack.directory, stack.name).values == values(stack) == {"sample:a": "é"}


@pytest.mark.parametrize("case", REFUSED)
def test_stack_file_is_refused_if_the_cli_refuses_it(stack: Stack, case: str) -> None:
    stack.file.write_text(REFUSED[case], encoding="utf-8")
    assert stack.run("config", "--json").status != 0
    with pytest.raises(StackConfigError, match=rf"^{stack.file}\b"):
        load_stack_config(stack.directory, stack.name)


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json"])
@pytest.mark.parametrize("project", [{}, {"stackConfigDir": "stacks"}, {"config": "stacks"}], ids=str)
def test_files_are_found_where_the_cli_finds_them(stack: Stack, suffix: str, project: dict[str, str]) -> None:
    folder = stack.directory / f"{suffix}{len(str(project))}"
    below = folder / "infra" / "network"
    below.mkdir(parents=True)
    (folder / "stacks").mkdir()
    content = {"name": "sample", "runtime": "python", **project}
    (folder / f"Pulumi.{suffix}").write_text(json.dumps(content), encoding="utf-8")
    for place in (folder, folder / "stacks"):
        for other in ("yaml", "yml", "json"):
            path = place / f"Pulumi.{stack.name}.{other}"
            path.write_text(json.dumps({"config": {"a": f"{place.name} {other}"}}), encoding="utf-8")
    for directory in (folder, below):
        read = values(stack, f"--cwd={directory}", "--stack", stack.name)
        assert load_stack_config(directory, stack.name).values == read
    assert read == {"sample:a": f"{'stacks' if project else folder.name} {suffix}"}


def test_numbers_in_json_are_read_as_the_cli_reads_them(stack: Stack) -> None:
    folder = stack.directory / "json"
    folder.mkdir()
    (folder / "Pulumi.json").write_text('{"name": "sample", "runtime": "python"}', encoding="utf-8")
    text = '{"config": {"a": 9007199254740993, "b": [1.0, 2.50, 1e3, true, null, "no"], "c": 1e21, "d": "1.10"}}'
    (folder / f"Pulumi.{stack.name}.json").write_text(text, encoding="utf-8")
    read = values(stack, f"--cwd={folder}", "--stack", stack.name)
    assert load_stack_config(folder, stack.name).values == read


@pytest.mark.parametrize("qualified", ["organization/sample/test", "organization/test", "test"])
def test_stack_name_may_be_qualified(stack: Stack, qualified: str) -> None:
    stack.file.write_text("config: {sample:a: b}\n", encoding="utf-8")
    assert load_stack_config(stack.directory, qualified).values == values(stack, "--stack", qualified)


@pytest.mark.parametrize("name", ["organization/other/test", "a/b/c/test", "../test", "te st"])
def test_stack_name_is_refused_if_the_cli_refuses_it(stack: Stack, name: str) -> None:
    assert stack.run("config", "--json", "--stack", name).status != 0
    with pytest.raises(StackConfigError, match="stack"):
        load_stack_config(stack.directory, name)


DEFAULTS = {
    "numbers": {
        "a": {"default": 1.10},
        "b": 31,
        "c": {"default": [1.0, 2.5]},
        "d": {"type": "integer", "default": 5.0},
    },
    "text": {"a": {"type": "integer", "default": "5"}, "b": "no", "c": {"type": "boolean", "default": "true"}},
    "objects": {"a": {"type": "object", "default": {"x": [1, True, None, "<"]}}, "other:b": {"value": {"x": 1}}},
    "lists": {"a": ["x", "y"], "b": {"type": "array", "items": {"type": "integer"}, "default": [1, "2"]}},
}
TYPES: dict[str, tuple[dict[str, Any], Any]] = {
    "number for a string": ({"type": "string"}, 5),
    "list for a string": ({"type": "string"}, [5]),
    "number for a string in a list": ({"type": "array", "items": {"type": "string"}}, [5]),
    "text for an integer in a list": ({"type": "array", "items": {"type": "integer"}}, ["5", 6, 7.0]),
    "fraction for an integer in a list": ({"type": "array", "items": {"type": "integer"}}, [5.5]),
    "boolean for an integer in a list": ({"type": "array", "items": {"type": "integer"}}, [True]),
    "text for a boolean in a list": ({"type": "array", "items": {"type": "boolean"}}, ["true", False]),
    "list of lists": ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, [["a"], ["b"]]),
    "list for an object": ({"type": "object"}, ["a"]),
    "text for an object": ({"type": "object"}, '{"a": 1}'),
    "text for a list": ({"type": "array", "items": {"type": "string"}}, '["a"]'),
    "whole fraction for an integer": ({"type": "integer"}, 5.0),
    "text for an integer": ({"type": "integer"}, "+5"),
    "underscores for an integer": ({"type": "integer"}, "1_000"),
    "spaces for an integer": ({"type": "integer"}, " 5"),
    "large text for an integer": ({"type": "integer"}, "9223372036854775808"),
    "yes for a boolean": ({"type": "boolean"}, "yes"),
    "capitals for a boolean": ({"type": "boolean"}, "True"),
    "nothing for a string": ({"type": "string"}, None),
    "nothing for an integer": ({"type": "integer"}, None),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_defaults_are_read_as_the_cli_reads_them(stack: Stack, case: str) -> None:
    folder = stack.directory / case
    folder.mkdir()
    project = {"name": "sample", "runtime": "python", "config": DEFAULTS[case]}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (folder / f"Pulumi.{stack.name}.yaml").touch()
    read = values(stack, f"--cwd={folder}", "--stack", stack.name)
    assert load_stack_config(folder, stack.name).values == read


@pytest.fixture(scope="module")
def shown(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Make a stack whose program exports the configuration that it received."""
    program = tmp_path_factory.mktemp("program") / "main.py"
    program.write_text(
        "import pulumi\nfor key, value in pulumi.runtime.get_config_env().items():\n    pulumi.export(key, value)\n",
        encoding="utf-8",
    )
    return engine.stack({"name": "sample", "runtime": "python"}, program, configured=False)


def test_program_receives_the_values_that_the_cli_shows(shown: Stack) -> None:
    shown.file.write_text(FILE, encoding="utf-8")
    shown.up().ok()
    assert {key: value for key, value in shown.outputs().items() if key.startswith("sample:")} == EXPECTED


@ci_only("half a minute of updates")
@pytest.mark.parametrize("case", TYPES)
def test_declared_type_is_checked_as_the_cli_checks_it(shown: Stack, case: str) -> None:
    declaration, value = TYPES[case]
    project = {"name": "sample", "runtime": "python", "config": {"a": declaration}}
    (shown.directory / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    shown.file.write_text(yaml.safe_dump({"config": {"a": value}}), encoding="utf-8")
    done = shown.up()
    if done.status == 0:
        assert load_stack_config(shown.directory, shown.name).values == {"sample:a": shown.outputs()["sample:a"]}
    else:
        assert "must be of type" in done.text
        with pytest.raises(StackConfigError, match="must be of type"):
            load_stack_config(shown.directory, shown.name)
