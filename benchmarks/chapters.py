"""The chapters of RESULTS.md: the interface of a chapter's module, and their order."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from .reporting import Report

NAMES = ("startup", "requests", "cost", "throughput", "lag", "deployment")
"""The modules of this package that are chapters, in the order of RESULTS.md."""

Progress = Callable[[float, str], None]
"""Takes the part of the chapter's work that is done, from 0 to 1, and a few words on what is measured next."""


class Options(NamedTuple):
    """How to measure. `quick` asks for as little as shows that the measurement works."""

    quick: bool = False

    def repeats(self, full: int) -> int:
        """Return how often to repeat: `full` times, or twice in a quick run."""
        return 2 if self.quick else full


class Chapter(Protocol):
    """A module that measures and reports one subject."""

    TITLE: str
    """The heading in RESULTS.md."""

    SECONDS: int
    """About how long a full run takes on two cores."""

    def measure(self, options: Options, progress: Progress) -> Any:
        """Measure, and return the raw data: anything that JSON can hold. Raises an error if something went wrong."""
        ...

    def report(self, data: Any) -> Report:
        """Turn the raw data, as read from JSON, into the chapter. Pure."""
        ...


def load(name: str) -> Chapter:
    """Import a chapter."""
    return cast("Chapter", import_module(f"{__package__}.{name}"))
