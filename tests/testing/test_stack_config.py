"""A stack's configuration out of the project's files."""

from pathlib import Path

import pytest

from components.engine.stack_config import StackConfigError
from components.testing import load_stack_config

PROJECT = """
name: sample
runtime: python
config:
  text: {type: string, default: hello}
  number: {type: integer, default: 3}
  switch: {type: boolean, default: true}
  list: {type: array, items: {type: string}, default: [a]}
  map: {type: object, default: {k: v}}
  aws:region: {value: eu-west-1}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text("", encoding="utf-8")
    return tmp_path


def write(project: Path, config: str) -> None:
    (project / "Pulumi.dev.yaml").write_text(f"config:\n{config}", encoding="utf-8")


def test_defaults_come_from_the_project_file_as_text(project: Path) -> None:
    config = load_stack_config(project, "dev")
    assert (config.project, config.stack, config.directory) == ("sample", "dev", project)
    assert config.main == config.working_directory == project
    assert config.values == {
        "sample:text": "hello",
        "sample:number": "3",
        "sample:switch": "true",
        "sample:list": '["a"]',
        "sample:map": '{"k": "v"}',
        "aws:region": "eu-west-1",
    }


def test_the_stack_file_wins(project: Path) -> None:
    write(project, "  sample:text: other\n  number: 5\n  aws:region: us-east-1\n  other:key: free\n")
    values = load_stack_config(project, "dev").values
    assert (values["sample:text"], values["sample:number"], values["aws:region"]) == ("other", "5", "us-east-1")
    assert values["other:key"] == "free"


def test_numbers_and_switches_may_be_written_as_the_cli_writes_them(project: Path) -> None:
    write(project, '  sample:number: "7"\n  sample:switch: "false"\n')
    values = load_stack_config(project, "dev").values
    assert (values["sample:number"], values["sample:switch"]) == ("7", "false")


@pytest.mark.parametrize(
    ("written", "text"),
    [("5", "5"), ("12.5", "12.5"), ("12.50", "12.5"), ("5.0", "5"), ("true", "true"), ("null", ""), ('"7"', "7")],
)
def test_a_string_may_be_written_as_any_scalar(project: Path, written: str, text: str) -> None:
    write(project, f"  sample:text: {written}\n")
    assert load_stack_config(project, "dev").values["sample:text"] == text


def test_a_whole_number_may_be_written_with_a_fraction_of_zero(project: Path) -> None:
    write(project, "  sample:number: 5.0\n")
    assert load_stack_config(project, "dev").values["sample:number"] == "5"


def test_a_default_has_to_be_of_its_type(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: s\nconfig: {a: {type: string, default: 5}}", encoding="utf-8")
    with pytest.raises(StackConfigError, match=r"Pulumi\.yaml: s:a is 5, but must be of type string"):
        load_stack_config(project, "dev")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("  sample:number: many\n", r"sample:number is 'many', but must be of type integer"),
        ("  sample:number: true\n", r"sample:number is 'true', but must be of type integer"),
        ("  sample:number: 12.5\n", r"sample:number is '12\.5', but must be of type integer"),
        ("  sample:number: null\n", r"sample:number is '', but must be of type integer"),
        ("  sample:switch: 1\n", r"sample:switch is '1', but must be of type boolean"),
        ("  sample:text: [a]\n", r"sample:text is \['a'\], but must be of type string"),
        ("  sample:list: a\n", r"sample:list is 'a', but must be of type array"),
        ("  sample:text: {secure: AAAB}\n", r"sample:text is encrypted, and only the Pulumi CLI can decrypt it"),
        ("  other:key: {secure: AAAB}\n", r"other:key is encrypted"),
        (" - : [\n", r"Pulumi\.dev\.yaml is not valid YAML"),
    ],
)
def test_wrong_values_are_refused_by_name(project: Path, given: str, message: str) -> None:
    write(project, given)
    with pytest.raises(StackConfigError, match=message):
        load_stack_config(project, "dev")


@pytest.mark.parametrize("kind", ["string", "object"])
def test_an_encrypted_default_is_refused_as_one(project: Path, kind: str) -> None:
    text = f"name: s\nconfig: {{a: {{type: {kind}, default: {{secure: AAAB}}}}}}"
    (project / "Pulumi.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StackConfigError, match=r"Pulumi\.yaml: s:a is encrypted, and only the Pulumi CLI can decrypt"):
        load_stack_config(project, "dev")


def test_a_project_may_give_bare_values(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: s\nconfig: {aws:region: eu-west-1, a: 5, b: [x]}", encoding="utf-8")
    write(project, "  a: 7\n")
    assert load_stack_config(project, "dev").values == {"aws:region": "eu-west-1", "s:a": "7", "s:b": '["x"]'}


def test_the_directory_may_be_relative(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    config = load_stack_config(Path(project.name), "dev")
    assert config.directory == config.main == project.resolve()


def test_a_value_without_default_must_be_given(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: sample\nconfig: {needed: {type: string}}", encoding="utf-8")
    with pytest.raises(StackConfigError, match=r"sample:needed has no value, and .*Pulumi\.yaml gives it no default"):
        load_stack_config(project, "dev")


def test_an_unknown_stack_is_refused_with_the_known_ones(project: Path) -> None:
    with pytest.raises(StackConfigError, match=r"there is no stack 'prod' in .*; its stacks are dev"):
        load_stack_config(project, "prod")


def test_a_stacks_name_may_have_dots(project: Path) -> None:
    (project / "Pulumi.dev.eu.yaml").touch()
    assert load_stack_config(project, "dev.eu").stack == "dev.eu"
    with pytest.raises(StackConfigError, match=r"its stacks are dev, dev\.eu$"):
        load_stack_config(project, "prod")


def test_a_stack_of_a_project_without_any_is_refused(project: Path) -> None:
    (project / "Pulumi.dev.yaml").unlink()
    with pytest.raises(
        StackConfigError, match=r"no stack 'dev' in .*; it has no stack files \(Pulumi\.<stack>\.yaml\)"
    ):
        load_stack_config(project, "dev")


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackConfigError, match=r"Pulumi\.yaml does not exist"):
        load_stack_config(tmp_path, "dev")


@pytest.mark.parametrize(("content", "message"), [("[]", "must hold a mapping"), ("runtime: python", "has no name")])
def test_a_broken_project_file_is_refused(project: Path, content: str, message: str) -> None:
    (project / "Pulumi.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(StackConfigError, match=message):
        load_stack_config(project, "dev")


def test_an_unknown_type_is_refused(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: s\nconfig: {a: {type: text, default: b}}", encoding="utf-8")
    with pytest.raises(StackConfigError, match="s:a: unknown type 'text'; allowed are string, integer"):
        load_stack_config(project, "dev")


def test_the_program_may_lie_elsewhere(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: sample\nmain: infra", encoding="utf-8")
    (project / "infra").mkdir()
    config = load_stack_config(project, "dev")
    assert config.main == config.working_directory == project / "infra"


def test_a_programs_file_runs_in_its_folder(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: sample\nmain: run.py", encoding="utf-8")
    (project / "run.py").touch()
    assert load_stack_config(project, "dev").working_directory == project
