"""Fixtures of the component tests: one default counter, recorded once, and a way to build others."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import StreamTriggeredCounter
from components.config import args_from_config
from components.testing import Resource, Result, run

Build = Callable[..., Result]
Configured = Callable[..., Any]
PROJECT = "stream-triggered-counter"


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
    """Build a counter with the given arguments (a function without parameters if they hold Outputs) and options."""

    def build(args: Any = None, opts: pulumi.ResourceOptions | None = None, **more: Any) -> Result:
        def program() -> None:
            given: Any = args() if callable(args) else args or {}
            StreamTriggeredCounter("counter", given, opts)

        return run(program, **more)

    return build


@pytest.fixture
def configured() -> Configured:
    """Read the component's arguments out of a stack's configuration, given as text by key."""

    def configured(**values: str) -> Any:
        found: list[Any] = []
        config = {f"{PROJECT}:{key}": value for key, value in values.items()}
        run(lambda: found.append(args_from_config(pulumi.Config())), config=config, project=PROJECT)
        return found[0]

    return configured
