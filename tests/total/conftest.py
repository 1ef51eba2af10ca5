"""Thousands of histories, and nothing of what they would log."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep what the functions log to themselves."""
    functions = logging.getLogger("functions")
    functions.setLevel(logging.CRITICAL)
    yield
    functions.setLevel(logging.NOTSET)
