"""Messages that a component logs during its construction reach the engine, and failures come out as they are."""

import asyncio
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from components import ArgumentError
from components.plugin import CounterProvider, _ignore_consequences
from tests.running import run_async
from tests.samples import STREAM, TABLE

from .engine import Plugin, RefusedError
from .test_existing_table import adopt


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_a_preview_warns_that_the_stacks_own_table_is_deleted(plugin: Plugin, preview: bool) -> None:
    warnings = [one.text for one in adopt(plugin, preview=preview).messages if one.severity == "warning"]
    assert len(warnings) == preview
    assert all("(counter-table)" in warning for warning in warnings)


def test_failure_that_is_not_about_an_argument_comes_out_as_it_is(plugin: Plugin) -> None:
    # No answer is given to the lookup of the table.
    inputs = {"existingTable": {"tableArn": TABLE, "streamArn": STREAM}}
    with pytest.raises(RefusedError, match="no answer for the provider function 'aws:dynamodb/getTable:getTable'"):
        plugin.construct("StreamTriggeredCounter", inputs)


def test_failure_of_a_constructor_comes_out_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = ComponentInitError(KeyError("own"))

    def fail(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(ComponentProvider, "construct", fail)
    with pytest.raises(ComponentInitError) as caught:
        CounterProvider.construct(object.__new__(CounterProvider), "counter", "type", {})
    assert caught.value is failure


def made(error: Exception, *, cause: Exception | None = None, context: Exception | None = None) -> Exception:
    error.__cause__, error.__context__ = cause, context
    return error


REFUSED = ArgumentError("stream", "is wrong", "what is right")


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (REFUSED, False),
        (made(ValueError("wrapped"), cause=REFUSED), False),
        (made(ValueError("wrapped"), context=REFUSED), False),
        (made(ValueError("twice"), cause=made(KeyError("wrapped"), context=REFUSED)), False),
        (ValueError("own"), True),
        (made(ValueError("own"), cause=KeyError("other")), True),
    ],
)
def test_only_the_consequences_of_a_refused_argument_go_unlogged(
    error: Exception, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def report() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_ignore_consequences)
        loop.call_exception_handler({"message": "a task failed", "exception": error})

    run_async(report())
    assert [record.getMessage().partition("\n")[0] for record in caplog.records] == ["a task failed"] * logged
