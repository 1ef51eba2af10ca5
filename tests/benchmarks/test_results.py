"""RESULTS.md is what the command writes from the raw data in the repository."""

from __future__ import annotations

from pathlib import Path

from benchmarks import run

FOLDER = Path(run.__file__).parent


def test_page_is_that_of_its_raw_data() -> None:
    text, plots = run.page(run.results(FOLDER))
    assert (FOLDER / "RESULTS.md").read_text(encoding="utf-8") == text
    assert {path.stem for path in (FOLDER / "images").glob("*.svg")} == {plot.name for plot in plots}


def test_raw_data_is_of_full_runs() -> None:
    assert not [name for name, result in run.results(FOLDER).items() if result["quick"]]
