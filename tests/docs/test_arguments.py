"""The arguments' types and the project's configuration keys are what the settings declare now."""

import difflib
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("path", "function"), [("components/args.py", "arguments"), ("Pulumi.yaml", "configuration")])
def test_what_follows_from_the_settings_is_current(path: str, function: str) -> None:
    expected = runpy.run_path(str(ROOT / "docs" / "build_arguments.py"))[function]().splitlines()
    found = (ROOT / path).read_text(encoding="utf-8").splitlines()
    difference = "\n".join(difflib.unified_diff(found, expected, path, "the settings", lineterm=""))
    assert not difference, f"{difference}\n\nupdate it by: .venv/bin/python docs/build_arguments.py"
