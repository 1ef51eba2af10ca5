"""RESULTS.md is made from raw data alone; chapters are chosen by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import chapters, machine, run
from benchmarks.chapters import Options, Progress
from benchmarks.reporting import Plot, Report, Series, number, spelled, table
from benchmarks.spread import spread
from cli.main import main

FOLDER = Path(run.__file__).parent
DESCRIPTION = {
    "processor": "Some CPU",
    "cores": 2,
    "memoryGiB": 4.0,
    "loadAverage": 0.1,
    "system": "Linux x86_64",
    "python": "3.11.7",
    "packages": {"botocore": "1.0"},
    "commit": "abc1234",
    "measured": "2026-01-01T00:00Z",
}


class Fake:
    """A chapter that measures its own options."""

    TITLE = "Fake figures"
    SECONDS = 10

    def measure(self, options: Options, progress: Progress) -> Any:
        progress(0.5, "half")
        return {"quick": options.quick, "repeats": options.repeats(9)}

    def report(self, data: Any) -> Report:
        plot = Plot("fake", "Fake", "x", "y", [Series("a", [1, 2], [3, 4])])
        return Report(f"{data['repeats']} repeats\n{plot.markdown}", [plot])


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chapters, "NAMES", ("fake",))
    monkeypatch.setattr(chapters, "load", lambda name: Fake())
    monkeypatch.setattr(machine, "describe", lambda: DESCRIPTION)


def test_page_is_made_from_the_raw_data_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.measure(["fake"], Options(), tmp_path)
    kept = json.loads((tmp_path / "results" / "fake.json").read_text(encoding="utf-8"))
    assert kept["data"] == {"quick": False, "repeats": 9}
    assert kept["machine"] == DESCRIPTION
    monkeypatch.setattr(Fake, "measure", None)
    drawn: list[str] = []
    monkeypatch.setattr(run, "draw", lambda plot, folder: drawn.append(f"{folder.name}/{plot.name}.svg"))
    text = run.write(tmp_path).read_text(encoding="utf-8")
    assert "\n## Fake figures\n\n9 repeats\n![Fake](images/fake.svg)\n" in text
    assert "at commit `abc1234` on 2 cores of Some CPU (4 GiB" in text
    assert drawn == ["images/fake.svg"]


def test_quick_run_is_labelled() -> None:
    result = {"machine": DESCRIPTION, "quick": True, "seconds": 1.0, "data": {"repeats": 2}}
    assert "**A quick run" in run.page({"fake": result})[0]
    assert "**A quick run" not in run.page({"fake": result | {"quick": False}})[0]


def test_failed_measurement_leaves_no_raw_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("wrong total")

    monkeypatch.setattr(Fake, "measure", fail)
    with pytest.raises(RuntimeError, match="wrong total"):
        run.measure(["fake"], Options(), tmp_path)
    assert not list((tmp_path / "results").iterdir())


@pytest.mark.parametrize(
    ("elapsed", "done", "total", "text"),
    [
        (0.0, 0.0, 600.0, "about 10 min"),
        (120.0, 60.0, 600.0, "about 18 min"),
        (30.0, 60.0, 120.0, "about 30 s"),
        (1.0, 1.0, 60.0, "about 59 s"),
    ],
)
def test_remaining_time_follows_the_pace(elapsed: float, done: float, total: float, text: str) -> None:
    assert run.remaining(elapsed, done, total) == text


def test_unknown_chapter_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "nonsense"]) == 2
    assert "'nonsense' is not a chapter; allowed: fake" in capsys.readouterr().err


def test_chapters_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--list"]) == 0
    assert capsys.readouterr().out == "fake: Fake figures\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00123456, "0.00123"),
        (1.005, "1"),
        (12.34, "12.3"),
        (999.7, "1,000"),
        (12345, "12,300"),
        (9.996, "10.0"),
    ],
)
def test_number_has_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text or number(value) == f"{text}.00"


def test_spread_is_spelled_with_its_quartiles() -> None:
    assert spelled(spread([1, 2, 3, 4, 5])) == "3.00 (2.00 to 4.00)"
    assert spelled(spread([3])) == "3.00"


def test_table_aligns_figures_to_the_right() -> None:
    assert table(["design", "rate"], [["ours", "2"]]) == "| design | rate |\n| --- | ---: |\n| ours | 2 |\n"
