"""Draws plots as SVG files that depend on nothing but their data."""

from pathlib import Path
from typing import Any

from .reporting import Plot, Series

COLOURS = ("#0b6e4f", "#d1495b", "#30638e", "#edae49", "#7d5ba6", "#6b705c")
"""Distinguishable for people who do not see red and green apart: they differ in lightness as well."""

MARKERS = ("o", "s", "^", "D", "v", "P")


def draw(plot: Plot, folder: Path) -> Path:
    """Draw a plot into `folder`; return its file."""
    import matplotlib as mpl  # noqa: PLC0415 - only the benchmark command installs it

    mpl.use("svg")
    from matplotlib import pyplot  # noqa: PLC0415

    # Without a salt, the names inside the file would differ at each run.
    settings = {"svg.hashsalt": plot.name, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(7.2, 3.8), layout="constrained")
        (_bars if plot.kind == "bars" else _lines)(axes, plot)
        if plot.goal is not None:
            axes.axhline(plot.goal, color="#555555", linestyle="--", linewidth=1, label=f"goal: {plot.goal:g}")
        axes.set_title(plot.title, loc="left")
        axes.set_xlabel(plot.x_label)
        axes.set_ylabel(plot.y_label)
        axes.set_xscale("log") if plot.log_x else None
        axes.set_yscale("log") if plot.log_y else None
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        if len(plot.series) > 1 or plot.goal is not None:
            # Below, where it hides nothing.
            figure.legend(loc="outside lower center", ncols=min(5, len(plot.series) + 1), frameon=False, fontsize=8)
        path = folder / f"{plot.name}.svg"
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return path


def _lines(axes: Any, plot: Plot) -> None:
    for index, series in enumerate(plot.series):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        axes.plot(series.x, series.y, color=colour, marker=marker, markersize=4, label=series.label)
        if series.low:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.15, linewidth=0)


def _bars(axes: Any, plot: Plot) -> None:
    groups = list(dict.fromkeys(x for series in plot.series for x in series.x))
    width = 0.8 / len(plot.series)
    for index, series in enumerate(plot.series):
        places = [groups.index(x) + (index - (len(plot.series) - 1) / 2) * width for x in series.x]
        axes.bar(
            places, series.y, width, yerr=_errors(series), label=series.label,
            color=COLOURS[index % len(COLOURS)], error_kw={"linewidth": 0.8, "capsize": 2},
        )  # fmt: skip
    axes.set_xticks(range(len(groups)), [str(group) for group in groups])


def _errors(series: Series) -> list[list[float]] | None:
    if not series.low:
        return None
    below = [y - low for y, low in zip(series.y, series.low, strict=True)]
    above = [high - y for y, high in zip(series.y, series.high, strict=True)]
    return [below, above]
