"""What chapters report: Markdown and plots. Pure: a plot is data here, which `plots` draws."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal, NamedTuple

from .spread import Spread


@dataclass(frozen=True)
class Series:
    """One line or one colour of bars: a value for each `x`, with the ends of its error bar in `low` and `high`."""

    label: str
    x: Sequence[float | str]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Plot:
    """A plot, drawn into the file benchmarks/images/`name`.svg; `goal` draws a line at a value."""

    name: str
    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    kind: Literal["bars", "lines"] = "lines"
    log_x: bool = False
    log_y: bool = False
    goal: float | None = None

    @property
    def markdown(self) -> str:
        """The image, for a chapter's text."""
        return f"![{self.title}](images/{self.name}.svg)\n"


class Report(NamedTuple):
    """A chapter's text in Markdown, without its heading, and its plots."""

    markdown: str
    plots: Sequence[Plot] = ()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))


def number(value: float, digits: int = 3) -> str:
    """Write a number with `digits` significant digits, and a comma between thousands; 0.00123, 12.3, 12,300."""
    if value == 0:
        return "0"
    decimals = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, decimals)
    return f"{rounded:,.{max(0, digits - 1 - floor(log10(abs(rounded))))}f}"


def spelled(values: Spread, digits: int = 3) -> str:
    """Write a median with its quartiles: 12.3 (11.9 to 12.8)."""
    if values.size == 1:
        return number(values.median, digits)
    return f"{number(values.median, digits)} ({number(values.lower, digits)} to {number(values.upper, digits)})"


def verdict(goal: str, found: str, *, met: bool) -> str:
    """Say whether a goal is met."""
    return f"Goal: {goal}. {'Met' if met else '**Missed**'}: {found}."
