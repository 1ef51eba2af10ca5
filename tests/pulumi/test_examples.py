"""The example in Python under the real engine. Those in TypeScript and YAML need language hosts that CI has not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.running import ROOT, eventually

from .conftest import Engine
from .test_lifecycle import request

EXAMPLE = ROOT / "examples" / "python"


def install(folder: Path) -> None:
    """Put the package into a folder as a wheel does, with the functions inside."""
    package = folder / "stream_triggered_counter"
    for source, target in (("components", package), ("functions", package / "functions")):
        shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))


def test_the_python_example_is_deployed_counts_and_is_destroyed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    stack = engine.stack(yaml.safe_load((EXAMPLE / "Pulumi.yaml").read_text(encoding="utf-8")))
    # The engine looks for relative assets in the project's folder.
    shutil.copytree(EXAMPLE, stack.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("Pulumi.*", ".venv"))
    engine.serve(stack.directory)
    made = {step.name for step in stack.up().ok().changes}
    assert {"hits-table", "audit", "report"} <= made
    outputs = stack.outputs()
    assert outputs.keys() == {"apiEndpoint", "tableName"}
    assert request(f"{outputs['apiEndpoint']}/tag/tech", "POST")["count"] == 1
    eventually(lambda: request(f"{outputs['apiEndpoint']}/counts")["total"] == 1, 20, "the total")
    assert stack.up().ok().changes == []
    stack.run("destroy", "--yes", "--skip-preview").ok()
    assert outputs["tableName"] not in engine.client("dynamodb").list_tables()["TableNames"]
