"""The reference is what the docstrings and the schema say now."""

import difflib
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_reference_is_current() -> None:
    expected = runpy.run_path(str(DOCS / "build_reference.py"))["reference"]().splitlines()
    found = (DOCS / "reference.md").read_text(encoding="utf-8").splitlines()
    difference = "\n".join(difflib.unified_diff(found, expected, "docs/reference.md", "the code", lineterm=""))
    assert not difference, f"{difference}\n\nupdate it by: .venv/bin/python docs/build_reference.py"
