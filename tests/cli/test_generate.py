"""`./counter generate`, and that every generated file is what it would write."""

from __future__ import annotations

import difflib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from cli.checkout import generate
from cli.main import main
from tests.share import ci_only


@pytest.mark.parametrize("name", generate.GENERATED)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    found, expected = generate.read(name).splitlines(), generate.expected(name).splitlines()
    difference = "\n".join(difflib.unified_diff(found, expected, name, "the code", lineterm=""))
    if difference:
        pytest.fail(f"{name} is out of date; run ./counter generate\n{difference}", pytrace=False)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command work on a copy of what it writes."""
    for name in (*generate.GENERATED, *generate.RELEASE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(generate.ROOT / name, tmp_path / name)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    return tmp_path


def test_check_names_the_files_that_are_out_of_date_and_writes_nothing(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "--check"]) == 0
    assert capsys.readouterr().out == f"{len(generate.GENERATED)} generated files are up to date\n"
    (copy / "Pulumi.yaml").write_text(generate.read("Pulumi.yaml").replace("default: 1000\n", "default: 99\n"))
    (copy / "components" / "schema.json").unlink()
    before = {path: path.read_bytes() for path in copy.rglob("*.*") if path.is_file()}
    assert main(["generate", "--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "components/schema.json is out of date; run ./counter generate",
        "Pulumi.yaml is out of date; run ./counter generate",
    ]
    assert {path: path.read_bytes() for path in copy.rglob("*.*") if path.is_file()} == before


def test_what_is_out_of_date_is_written(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [name for name in generate.GENERATED if name != generate.ARGUMENTS]
    for name in wanted:
        (copy / name).write_text("name: mine\nconfig:\n  old: {}\n" if name == "Pulumi.yaml" else "old\n")
    assert main(["generate"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name} written" for name in wanted]
    assert [name for name in generate.GENERATED if generate.read(name) != generate.expected(name)] == []
    assert yaml.safe_load(generate.read("Pulumi.yaml"))["name"] == "mine"


def test_arguments_that_are_out_of_date_are_written_first_and_the_rest_follows_in_a_new_process(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    restarts: list[bool] = []

    def restart(*, release: bool) -> int:
        restarts.append(release)
        return 0

    monkeypatch.setattr(generate, "restart", restart)
    (copy / generate.ARGUMENTS).write_text("old\n")
    assert main(["generate", "--check"]) == 1
    assert not restarts
    capsys.readouterr()
    assert main(["generate"]) == 0
    assert capsys.readouterr().out == f"{generate.ARGUMENTS} written\n"
    assert generate.read(generate.ARGUMENTS) == generate.expected(generate.ARGUMENTS)
    assert restarts == [False]


@ci_only("generates everything twice")
def test_what_is_released_is_written_at_a_release_only(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = "urn:pulumi:test::project::of:an/earlier:Release::one"
    old = {generate.RELEASED: "{}\n", generate.LAYOUT: f'["{kept}"]\n'}
    for name, text in old.items():
        (copy / name).write_text(text)
    assert main(["generate"]) == 0
    assert {name: generate.read(name) for name in old} == old
    assert main(["generate", "--release", "--check"]) == 1
    said = capsys.readouterr().out
    assert all(f"{name} is out of date; run ./counter generate --release" in said for name in old)
    assert main(["generate", "--release"]) == 0
    assert generate.read(generate.RELEASED) == generate.released()
    urns = json.loads(generate.read(generate.LAYOUT))
    assert kept in urns
    assert len(urns) > 50
