"""The component as a package: its schema and SDKs as the CLI makes them, and a program that uses one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.plugin import COMPONENTS, NAME
from components.version import VERSION
from tests.examples.typescript import PACKAGES
from tests.npm import installed
from tests.running import ROOT

from .build import MODULE, SDK
from .conftest import Engine
from .stack import Stack

PLUGIN = ROOT / "components"
PROGRAM = ROOT / "tests" / "pulumi" / "programs" / "consumer"


@pytest.fixture(scope="module")
def project(engine: Engine) -> Stack:
    """Make a project that uses the package as its users do."""
    return engine.stack({"name": "consumer", "runtime": "python", "packages": {NAME: str(PLUGIN)}}, PROGRAM)


@pytest.fixture(scope="module")
def python_sdk(project: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the SDK for Python, as if it were installed: it asks for its own version."""
    sdk = generate(project, "python", tmp_path_factory.mktemp("sdk"))
    metadata = sdk / f"{next(sdk.glob('pulumi_*')).name}-{VERSION}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: pulumi_{NAME}\nVersion: {VERSION}\n", encoding="utf-8")
    return sdk


def generate(project: Stack, language: str, folder: Path) -> Path:
    """Generate the SDK of a language, or skip the test if nothing here can."""
    if shutil.which(f"pulumi-language-{language}") is None and shutil.which("sdkgen") is None:
        pytest.skip(f"neither pulumi-language-{language} nor sdkgen (tests/pulumi/build.py) is on PATH")
    done = project.run("package", "gen-sdk", str(PLUGIN), "--language", language, "--out", str(folder))
    done.ok()
    return folder / language


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=400)


def comparable(schema: Any, of: str = "") -> Any:
    """Leave out what the CLI drops because it says nothing: empty lists, and descriptions of items, which repeat."""
    if not isinstance(schema, dict):
        return schema
    said = {key: comparable(value, key) for key, value in schema.items() if value != []}
    if of in ("items", "additionalProperties"):
        said.pop("description", None)
    return said


def test_the_cli_reads_the_committed_schema_from_the_plugin(project: Stack) -> None:
    read: dict[str, Any] = json.loads(project.run("package", "get-schema", str(PLUGIN)).ok().text)
    committed: dict[str, Any] = json.loads((PLUGIN / "schema.json").read_text(encoding="utf-8"))
    assert read.pop("config") == {}
    assert comparable(read) == comparable(committed)


def test_the_python_sdk_passes_the_type_checker(python_sdk: Path) -> None:
    package = next(path for path in python_sdk.glob("pulumi_*") if path.suffix == "")
    assert {component.__name__ for component in COMPONENTS} <= {
        "".join(part.title() for part in path.stem.split("_")) for path in package.glob("*.py")
    }
    shutil.copy(PROGRAM / "__main__.py", python_sdk / "program.py")
    checker = (sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), "-p", package.name)
    done = run(*checker, "-m", "program", cwd=python_sdk)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    # Pulumi's own helpers, the same in every SDK, do not pass.
    assert [line for line in errors if not line.startswith(f"{package.name}/_utilities.py")] == [], done.stderr
    assert "checked 8 source files" in done.stdout


def test_the_typescript_sdk_compiles(project: Stack, tmp_path: Path) -> None:
    home = installed("tsc", *PACKAGES)
    sdk = generate(project, "nodejs", tmp_path)
    (sdk / "node_modules").symlink_to(home / "node_modules")
    done = run(str(home / "node_modules" / ".bin" / "tsc"), "--noEmit", "--skipLibCheck", "--project", ".", cwd=sdk)
    assert done.returncode == 0, done.stdout


def test_the_go_sdk_passes_vet(project: Stack, tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    sdk = next(path for path in generate(project, "go", tmp_path).iterdir() if path.is_dir())
    # What the package is called is left to whoever publishes it; it imports a part of itself by that name.
    [name] = set(re.findall(r'"(\S+)/internal"', "".join(path.read_text() for path in sdk.glob("*.go"))))
    pinned = re.search(rf"{re.escape(SDK)} \S+", (MODULE / "go.mod").read_text())
    assert pinned
    (sdk / "go.mod").write_text(f"module {name}\n\ngo 1.25\n\nrequire {pinned[0]}\n")
    shutil.copy(MODULE / "go.sum", sdk)
    done = run("go", "vet", "-mod=mod", "./...", cwd=sdk)
    if SDK in done.stderr and "403" in done.stderr:
        pytest.skip(f"{SDK} cannot be downloaded")
    assert done.returncode == 0, done.stderr


def test_a_program_uses_the_plugin_through_its_sdk(
    project: Stack, python_sdk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(python_sdk))
    done = project.preview().ok()
    made = {(step.type.rpartition(":")[2], step.name) for step in done.changes}
    assert {step.operation for step in done.changes} == {"create"}
    assert {("StreamTriggeredCounter", "hits"), ("Table", "hits-table"), ("EventSourceMapping", "audit")} <= made
    assert {("RolePolicy", "audit-consume"), ("Function", "hits-record-visit")} <= made


def test_the_plugin_refuses_a_wrong_argument_in_one_line(
    project: Stack, python_sdk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(python_sdk))
    project.configure({"batchSize": 0})
    done = project.preview()
    project.configure({})
    assert done.status != 0
    assert "stream.batchSize: 0 is out of range; allowed: 1 to 10,000" in done.text
    # The SDK of the program may print a traceback of its own, if the engine ends while it registers something else.
    assert "ArgumentError" not in done.text
    assert str(ROOT / "components") not in done.text
