"""Silences the functions' logs: the tests run thousands of histories."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    functions = logging.getLogger("functions")
    functions.setLevel(logging.CRITICAL)
    yield
    functions.setLevel(logging.NOTSET)
