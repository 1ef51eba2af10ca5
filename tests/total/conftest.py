"""How hypothesis runs here: the same cases every time, unless HYPOTHESIS_PROFILE=explore asks for new ones."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep what thousands of histories would log to themselves."""
    functions = logging.getLogger("functions")
    functions.setLevel(logging.CRITICAL)
    yield
    functions.setLevel(logging.NOTSET)
