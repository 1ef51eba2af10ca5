"""How much of what takes long is tried: all of it in CI (`CI=true`), a share while people wait."""

import os
from typing import TypeVar

import pytest

Amount = TypeVar("Amount")

IN_CI = os.environ.get("CI") == "true"

HISTORIES = float(os.environ.get("HISTORIES", "1" if IN_CI else "0.5"))
"""A factor for the number of random histories and requests.

With HYPOTHESIS_PROFILE=explore, every run draws new ones.
"""


def share(locally: Amount, *, in_ci: Amount) -> Amount:
    """Return the one or the other."""
    return in_ci if IN_CI else locally


def times(number: int) -> int:
    """Return how many random histories or requests to try where CI tries `number`."""
    return round(number * HISTORIES)


def ci_only(reason: str) -> pytest.MarkDecorator:
    """Skip a test outside CI; the reason says what it would cost."""
    return pytest.mark.skipif(not IN_CI, reason=f"{reason}; CI=true runs it")
