"""What the component tests share: one default counter, recorded once, and a way to build others."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import StreamTriggeredCounter
from components.testing import Resource, Result, run

Build = Callable[..., Result]


@pytest.fixture(scope="session")
def counter() -> Result:
    """Record the counter with all defaults."""
    result = run(lambda: StreamTriggeredCounter("counter"))
    assert len(result.resources) > 50, "a test that goes through the resources of an empty counter passes"
    return result


def exactly(count: int, result: Result, type_or_name: str) -> list[Resource]:
    """Return what matches, for a loop over it: exactly this many, so that the loop cannot be over nothing."""
    found = result.all(type_or_name)
    assert len(found) == count, f"{len(found)} of {type_or_name}"
    return found


@pytest.fixture
def build() -> Build:
    """Build a counter with the given arguments (a function of none where they hold Outputs) and options."""

    def build(args: Any = None, opts: pulumi.ResourceOptions | None = None, **more: Any) -> Result:
        def program() -> None:
            given: Any = args() if callable(args) else args or {}
            StreamTriggeredCounter("counter", given, opts)

        return run(program, **more)

    return build
