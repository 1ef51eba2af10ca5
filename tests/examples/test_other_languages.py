"""The examples in other languages: what they say is in the schema, and the plugin constructs it from their inputs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.plugin import NAME
from components.testing import load_stack_config
from tests.plugin.engine import COMPONENTS, Plugin, output, text_archive
from tests.share import ci_only

from . import typescript

EXAMPLES = Path(__file__).parents[2] / "examples"
LANGUAGES = ["yaml", "typescript"]


@dataclass(frozen=True)
class Reference:
    """A property of another component, such as `hits.streamArn`."""

    of: str
    name: str


@dataclass(frozen=True)
class Declared:
    """A component of an example: its class, and its inputs; an input taken from another component is a Reference."""

    component: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """An example's components by their names, and the outputs that it uses, each of one of them."""

    folder: Path
    components: Mapping[str, Declared]
    outputs: list[Reference]

    @property
    def files(self) -> list[str]:
        """The code that the example's own function is made of."""
        return [name for part in self.components.values() for name in part.inputs.get("code", ())]


def load(language: str, folder: Path) -> Example:
    return load_yaml(EXAMPLES / "yaml") if language == "yaml" else load_typescript(folder)


def load_yaml(folder: Path) -> Example:
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())

    def read(value: Any) -> Any:
        if isinstance(value, str) and (reference := re.fullmatch(r"\$\{(\w+)\.(\w+)(\[.+])?}", value)):
            return Reference(reference[1], reference[2])
        if isinstance(value, dict) and "fn::assetArchive" in value:
            return {name: asset["fn::fileAsset"] for name, asset in value["fn::assetArchive"].items()}
        return value

    components = {
        name: Declared(
            resource["type"].removeprefix(f"{NAME}:index:"),
            {key: read(value) for key, value in resource["properties"].items()},
        )
        for name, resource in project["resources"].items()
    }
    return Example(folder, components, [read(value) for value in project["outputs"].values()])


def load_typescript(folder: Path) -> Example:
    assert typescript.check((typescript.EXAMPLE / "index.ts").read_text(), folder) == []
    ran = typescript.run(folder)

    def read(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"of", "name"}:
            return Reference(value["of"], value["name"])
        if isinstance(value, dict) and value.keys() == {"assets"}:
            return {name: asset["path"] for name, asset in value["assets"].items()}
        return value

    components = {
        name: Declared(made["type"], {key: read(value) for key, value in made["inputs"].items()})
        for name, made in ran["made"].items()
    }
    return Example(typescript.EXAMPLE, components, [read(value) for value in ran["outputs"]])


@pytest.fixture(scope="module", params=LANGUAGES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    return load(request.param, tmp_path_factory.mktemp(request.param))


@ci_only("runs the TypeScript compiler")
def test_both_examples_say_the_same(tmp_path: Path) -> None:
    in_yaml, in_typescript = load("yaml", tmp_path), load("typescript", tmp_path)
    assert in_yaml.components == in_typescript.components
    assert in_yaml.outputs == in_typescript.outputs


@ci_only("runs the TypeScript compiler")
def test_the_compiler_refuses_what_the_schema_does_not_have(tmp_path: Path) -> None:
    source = (typescript.EXAMPLE / "index.ts").read_text()
    mistakes = {
        "batchSize: 500": "batchSise: 500",
        "logRetentionInDays: 7": 'logRetentionInDays: "7"',
        '"WARN"': '"LOUD"',
        "    streamArn: hits.streamArn,\n": "",
        "audit.deadLetterQueueUrl": "audit.deadLetterQueueURL",
    }
    for right, wrong in mistakes.items():
        assert right in source
        source = source.replace(right, wrong)
    errors = typescript.check(source, tmp_path)
    assert len(errors) == len(mistakes), errors


def test_inputs_and_outputs_are_in_the_schema(example: Example) -> None:
    resources = json.loads((COMPONENTS / "schema.json").read_text())["resources"]
    assert example.components.keys() == {"hits", "audit"}
    references = [
        *example.outputs,
        *(
            value
            for part in example.components.values()
            for value in part.inputs.values()
            if isinstance(value, Reference)
        ),
    ]
    assert len(references) >= 4
    for reference in references:
        component = example.components[reference.of].component
        assert reference.name in resources[f"{NAME}:index:{component}"]["properties"]
    for part in example.components.values():
        schema = resources[f"{NAME}:index:{part.component}"]
        assert part.inputs.keys() <= schema["inputProperties"].keys()
        assert set(schema["requiredInputs"]) <= part.inputs.keys()


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_plugin_constructs_exactly_these_inputs(example: Example, plugin: Plugin, preview: bool) -> None:
    made: dict[str, Any] = {}
    for name, part in example.components.items():
        inputs = {key: sent(example.folder, value, made) for key, value in part.inputs.items()}
        made[name] = plugin.construct(part.component, inputs, name=name, preview=preview)
    hits, audit = made["hits"], made["audit"]
    assert hits.one("stream-triggered-counter:index:StreamTable").name == "hits-table"
    assert hits.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs["batchSize"] == 500
    mapping = audit.one("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mapping.inputs["eventSourceArn"] == hits.state["streamArn"]
    assert mapping.inputs["filterCriteria"] == {"filters": [{"pattern": '{"eventName": ["REMOVE"]}'}]}
    for reference in example.outputs:
        assert reference.name in made[reference.of].state


def sent(folder: Path, value: Any, made: Mapping[str, Any]) -> Any:
    """Write an input as the engine sends it."""
    if isinstance(value, Reference):
        source = made[value.of]
        return output(source.state[value.name], dependencies=tuple(sorted(source.dependencies[value.name])))
    if isinstance(value, dict) and "audit.py" in value:
        return text_archive({name: (folder / path).read_text() for name, path in value.items()})
    return value


def test_code_of_the_examples_own_function_runs(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = example.files
    scope: dict[str, Any] = {}
    exec(compile((example.folder / name).read_text(), name, "exec"), scope)
    module, function = example.components["audit"].inputs["handler"].split(".")
    assert f"{module}.py" == name
    scope[function]({"Records": [{"dynamodb": {"Keys": {"ID": {"S": "tech"}}}}]}, None)
    assert capsys.readouterr().out == "removed: tech\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_project_records_the_package_that_is_in_this_repository(language: str) -> None:
    folder = EXAMPLES / language
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert project["packages"].keys() == {NAME}
    assert (folder / project["packages"][NAME]).resolve() == COMPONENTS
    assert load_stack_config(folder, "dev").values["aws:region"]


def test_typescript_imports_the_sdk_that_the_cli_generates() -> None:
    folder = EXAMPLES / "typescript"
    dependencies = json.loads((folder / "package.json").read_text())["dependencies"]
    # Without a namespace in the schema, an SDK that is made from a path has Pulumi's own.
    assert "namespace" not in json.loads((COMPONENTS / "schema.json").read_text())
    assert dependencies[f"@pulumi/{NAME}"] == f"file:sdks/{NAME}"
    imported = re.findall(r'from "(.+)"', (folder / "index.ts").read_text())
    assert set(imported) == dependencies.keys()
