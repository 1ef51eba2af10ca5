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
        "sample:map": '{"k":"v"}',
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
    with pytest.raises(StackConfigError, match=rf"there is no Pulumi\.yaml in {tmp_path} or in any folder above"):
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


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("012345670123", "1402433619"),
        ("1.10", "1.1"),
        ('"1.10"', "1.10"),
        ("2024-01-01", "2024-01-01 00:00:00 +0000 UTC"),
    ],
)
def test_scalar_is_read_as_the_cli_reads_it(project: Path, written: str, text: str) -> None:
    write(project, f"  sample:text: {written}\n  sample:map: {{key: [{written}]}}\n")
    values = load_stack_config(project, "dev").values
    assert values["sample:text"] == text
    assert values["sample:map"] in (f'{{"key":["{text}"]}}', f'{{"key":[{text}]}}')


@pytest.mark.parametrize("written", ["yes", "on", "True!"])
def test_boolean_is_refused_in_other_words(project: Path, written: str) -> None:
    write(project, f"  sample:switch: {written}\n")
    with pytest.raises(StackConfigError, match=rf"sample:switch is '{written}', but must be of type boolean"):
        load_stack_config(project, "dev")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("  sample:map: {TOKEN: {secure: AAAB}}\n", "sample:map.TOKEN"),
        ("  sample:map: {a: [x, {b: {secure: AAAB}}]}\n", "sample:map.a[1].b"),
        ("  sample:list: [x, {secure: AAAB}]\n", "sample:list[1]"),
        ("  other:key: [[{secure: AAAB}]]\n", "other:key[0][0]"),
    ],
)
def test_nested_secret_is_named_with_its_path(project: Path, given: str, path: str) -> None:
    write(project, given)
    with pytest.raises(StackConfigError) as caught:
        load_stack_config(project, "dev")
    file = project / "Pulumi.dev.yaml"
    assert str(caught.value) == f"{file}: {path} is encrypted, and only the Pulumi CLI can decrypt it"


def test_entry_named_secure_is_an_entry_beside_others(project: Path) -> None:
    write(project, "  sample:map: {secure: x, other: y}\n  other:key: {secure: 5}\n")
    values = load_stack_config(project, "dev").values
    assert (values["sample:map"], values["other:key"]) == ('{"other":"y","secure":"x"}', '{"secure":5}')


def test_list_item_of_another_type_is_refused(project: Path) -> None:
    write(project, "  sample:list: [2024]\n")
    with pytest.raises(StackConfigError, match=r"sample:list is \[2024\], but must be of type array<string>"):
        load_stack_config(project, "dev")


@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_stack_file_has_the_suffix_of_the_project_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"Pulumi.{suffix}").write_text('{"name": "sample"}', encoding="utf-8")
    (tmp_path / f"Pulumi.dev.{suffix}").write_text('{"config": {"a": 5, "b": [1.0]}}', encoding="utf-8")
    config = load_stack_config(tmp_path, "dev")
    assert config.file == tmp_path / f"Pulumi.dev.{suffix}"
    assert config.values == {"sample:a": "5", "sample:b": "[1]"}
    (tmp_path / "Pulumi.prod.yaml").touch()
    with pytest.raises(StackConfigError, match=rf"no stack 'prod' in {tmp_path}; its stacks are dev$"):
        load_stack_config(tmp_path, "prod")


@pytest.mark.parametrize("key", ["stackConfigDir", "config"])
def test_stack_files_may_be_in_a_folder_of_their_own(tmp_path: Path, key: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: sample\n{key}: stacks\n", encoding="utf-8")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dev.yaml").write_text("config: {a: b}", encoding="utf-8")
    config = load_stack_config(tmp_path, "dev")
    assert (config.directory, config.main, config.values) == (tmp_path, tmp_path, {"sample:a": "b"})
    with pytest.raises(StackConfigError, match=rf"no stack 'prod' in {tmp_path}/stacks; its stacks are dev$"):
        load_stack_config(tmp_path, "prod")


def test_project_is_found_from_a_folder_below(project: Path) -> None:
    (project / "infra" / "network").mkdir(parents=True)
    assert load_stack_config(project / "infra" / "network", "dev").directory == project


def test_stack_name_may_have_organization_and_project(project: Path) -> None:
    config = load_stack_config(project, "acme/sample/dev")
    assert (config.organization, config.project, config.stack) == ("acme", "sample", "dev")
    assert load_stack_config(project, "acme/dev").organization == "acme"
    assert load_stack_config(project, "dev").organization == "organization"


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("acme/other/dev", r"stack 'acme/other/dev' belongs to the project 'other', but this one is 'sample'"),
        ("a/b/sample/dev", r"'a/b/sample/dev' is not a valid stack name; allowed: letters"),
        ("../dev", r"'\.\./dev' is not a valid stack name"),
        ("acme//dev", r"'acme//dev' is not a valid stack name"),
        ("", r"'' is not a valid stack name"),
    ],
)
def test_invalid_stack_name_error_message(project: Path, stack: str, message: str) -> None:
    with pytest.raises(StackConfigError, match=message):
        load_stack_config(project, stack)


def test_project_that_is_a_file_or_missing_error_message(project: Path) -> None:
    with pytest.raises(StackConfigError, match=r"Pulumi\.yaml is a file; allowed: the folder of a Pulumi project"):
        load_stack_config(project / "Pulumi.yaml", "dev")
    with pytest.raises(StackConfigError, match=r"nothing does not exist; allowed: the folder of a Pulumi project"):
        load_stack_config(project / "nothing", "dev")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"config: [a]\n", r"config must be a mapping of keys and values, not list"),
        (b"config: a\n", r"config must be a mapping of keys and values, not str"),
        (b"config:\n  a:b:c: d\n", r"'a:b:c' is not a valid key; allowed: a name, or NAMESPACE:NAME"),
        (b"config:\n  text: a\n  sample:text: b\n", r"sample:text is given twice"),
        (b"config:\n  text: a\n  text: b\n", r"has the key 'text' twice in one mapping, in line 2 and in line 3"),
        (b"config:\n  text: .inf\n", r"sample:text is inf, which is not a number in JSON; put it into quotes"),
        (b"config:\n  text: \xff\n", r"is not valid YAML"),
        (b"environment: [dev]\n", r"only the Pulumi CLI can import environments"),
    ],
)
def test_broken_stack_file_error_message(project: Path, content: bytes, message: str) -> None:
    (project / "Pulumi.dev.yaml").write_bytes(content)
    with pytest.raises(StackConfigError, match=rf"Pulumi\.dev\.yaml:? {message}"):
        load_stack_config(project, "dev")


@pytest.mark.parametrize("main", ["gone", "5"])
def test_missing_program_error_message(project: Path, main: str) -> None:
    (project / "Pulumi.yaml").write_text(f"name: sample\nmain: {main}", encoding="utf-8")
    with pytest.raises(StackConfigError, match=rf"main is '?{main}'?, but must be the program's folder or file"):
        load_stack_config(project, "dev")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_skipped(project: Path, encoding: str) -> None:
    (project / "Pulumi.dev.yaml").write_text("config:\n  text: \u00e9\n", encoding=encoding)
    assert load_stack_config(project, "dev").values["sample:text"] == "\u00e9"


@pytest.mark.parametrize("default", ["{type: string, default: null}", "{description: x}"])
def test_default_of_null_is_none(project: Path, default: str) -> None:
    (project / "Pulumi.yaml").write_text(f"name: sample\nconfig: {{a: {default}}}", encoding="utf-8")
    with pytest.raises(StackConfigError, match=r"sample:a has no value, and .*Pulumi\.yaml gives it no default"):
        load_stack_config(project, "dev")


def test_date_as_a_default_is_refused(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: sample\nconfig: {a: [2024-01-01]}", encoding="utf-8")
    with pytest.raises(StackConfigError, match=r"Pulumi\.yaml: sample:a\[0\] is a date; put it into quotes"):
        load_stack_config(project, "dev")
