"""Runs chapters, keeps their raw data, and writes RESULTS.md from it."""

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.console import Console

from . import chapters, machine
from .chapters import Options
from .plots import draw
from .reporting import Plot

QUICK_SHARE = 0.12
"""About how much of a full run's time a quick run takes."""

HEAD = """# Results

<!-- Written by ./counter benchmark from benchmarks/results; a test compares it with them. -->

`./counter benchmark` measures everything on this page again, and `./counter benchmark NAME` one chapter. Figures from
different machines cannot be compared, so read the ratios: the designs of a comparison took turns within one run, each
repeat yields one ratio, and this page shows the median of those ratios with the quartiles in parentheses. The raw data
is in [results](results), and the baselines are in [peers](peers).
"""


class ChapterProgress:
    """Shows how far a run is, and how long it will still take at the pace so far."""

    def __init__(self, console: Console, seconds: Mapping[str, float]) -> None:
        self._console = console
        self._seconds = seconds
        self._started = time.monotonic()

    def report(self, name: str, part: float, text: str) -> None:
        """Show that `part` of the chapter is done, and what is next."""
        before = 0.0
        for other, seconds in self._seconds.items():
            if other == name:
                break
            before += seconds
        total = sum(self._seconds.values())
        done = before + part * self._seconds[name]
        left = remaining(time.monotonic() - self._started, done, total)
        self._console.progress(name, detail=f"{text} · {left} left", done=round(done * 10), total=round(total * 10))


def remaining(elapsed: float, done: float, total: float) -> str:
    """Say how long work will still take: at its pace so far once that means something, before that as expected."""
    known = done > 0.05 * total
    left = (total - done) * (elapsed / done if known else 1)
    return f"about {math.ceil(left / 60)} min" if left > 90 else f"about {math.ceil(left)} s"


def measure(names: Sequence[str], options: Options, folder: Path) -> None:
    """Measure chapters, and keep each one's raw data in `folder`/results as soon as it is there."""
    console = Console(sys.stderr)
    loaded = {name: chapters.load(name) for name in names}
    share = QUICK_SHARE if options.quick else 1.0
    shown = ChapterProgress(console, {name: chapter.SECONDS * share for name, chapter in loaded.items()})
    (folder / "results").mkdir(parents=True, exist_ok=True)
    for name, chapter in loaded.items():
        described = machine.describe()
        started = time.monotonic()
        console.line(f"Measuring {name}: {chapter.TITLE}")
        shown.report(name, 0.0, "starting")
        try:
            data = chapter.measure(options, lambda part, text, name=name: shown.report(name, part, text))  # type: ignore[misc]
        finally:
            console.end_progress()
        seconds = round(time.monotonic() - started, 1)
        result = {"machine": described, "quick": options.quick, "seconds": seconds, "data": data}
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        (folder / "results" / f"{name}.json").write_text(text, encoding="utf-8")
        console.line(f"Measured {name} in {seconds:.0f} s")


def results(folder: Path) -> dict[str, Any]:
    """Read the raw data of every chapter that was measured, in the order of the page."""
    files = {name: folder / "results" / f"{name}.json" for name in chapters.NAMES}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in files.items() if path.exists()}


def page(measured: Mapping[str, Any]) -> tuple[str, list[Plot]]:
    """Make the text of RESULTS.md, and its plots, from raw data alone."""
    parts = [HEAD]
    plots: list[Plot] = []
    for name, result in measured.items():
        chapter = chapters.load(name)
        report = chapter.report(result["data"])
        quick = "**A quick run, which only shows that the command works.** " if result["quick"] else ""
        described = f"{quick}{machine.sentence(result['machine'])} It took {result['seconds']:.0f} s."
        parts.append(f"\n## {chapter.TITLE}\n\n{report.markdown.strip()}\n\n<sub>{described}</sub>\n")
        plots += report.plots
    return "".join(parts), plots


def write(folder: Path) -> Path:
    """Write RESULTS.md and its plots from the raw data in `folder`; return the page's path."""
    text, plots = page(results(folder))
    for plot in plots:
        draw(plot, folder / "images")
    path = folder / "RESULTS.md"
    path.write_text(text, encoding="utf-8")
    return path
