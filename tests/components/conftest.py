"""What the component tests share: one default counter, recorded once, and a way to build others."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import StreamTriggeredCounter
from components.testing import Result, run

Build = Callable[..., Result]


@pytest.fixture(scope="session")
def counter() -> Result:
    """Record the counter with all defaults."""
    return run(lambda: StreamTriggeredCounter("counter"))


@pytest.fixture
def build() -> Build:
    """Build a counter with the given arguments (a function of none where they hold Outputs) and options."""

    def build(args: Any = None, opts: pulumi.ResourceOptions | None = None, **more: Any) -> Result:
        def program() -> None:
            given: Any = args() if callable(args) else args or {}
            StreamTriggeredCounter("counter", given, opts)

        return run(program, **more)

    return build
