"""The statistics of repeated measurements: medians with their spread, and ratios of what was measured side by side.

Pure. Machines are noisy in one direction, and their speed drifts; so designs take turns within one run, each repeat
yields one ratio, and the median of those ratios counts.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Spread(NamedTuple):
    """The spread of repeated values: median, lower and upper quartile, extremes, and the number of values."""

    median: float
    lower: float
    upper: float
    minimum: float
    maximum: float
    size: int


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of `values`. Raises ValueError if there are none."""
    if not values:
        raise ValueError("There are no values; a measurement must be repeated at least once.")
    if len(values) == 1:
        return Spread(*(float(values[0]),) * 5, size=1)
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, lower, upper, min(values), max(values), len(values))


def paired_ratio(values: Sequence[float], reference: Sequence[float]) -> Spread:
    """Return the spread of each value's ratio to the reference of the same repeat.

    Raises ValueError if the two differ in length or a reference is 0.
    """
    if len(values) != len(reference):
        raise ValueError(f"{len(values)} values cannot be paired with {len(reference)} references.")
    if not all(reference):
        raise ValueError("A reference is 0; nothing has a ratio to it.")
    return spread([value / base for value, base in zip(values, reference, strict=True)])


def ratios(measured: Mapping[str, Sequence[float]], reference: str) -> dict[str, Spread]:
    """Return each design's ratio to the design named `reference`, which is left out."""
    return {name: paired_ratio(values, measured[reference]) for name, values in measured.items() if name != reference}


def turns(names: Sequence[T], repeats: int) -> Iterator[tuple[int, T]]:
    """Go through `names` once for each repeat; every time another one begins, so that none is favoured."""
    for repeat in range(repeats):
        start = repeat % len(names)
        for name in (*names[start:], *names[:start]):
            yield repeat, name
