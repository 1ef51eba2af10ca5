"""Outputs that have their value already, as all of those do that the engine hands to the plugin."""

import asyncio
from typing import Any, NamedTuple

import pulumi


class Settled(NamedTuple):
    """The value of an Output, whether it is known (it may not be in a preview), and whether it is secret."""

    value: Any
    known: bool
    secret: bool


def settled(output: pulumi.Output[Any]) -> Settled | None:
    """Return what an Output holds; None while that is still being computed, or with an SDK that does not show it.

    The SDK's public ways to it all wait, which a constructor cannot.
    """
    data = getattr(output, "_data", None)
    if not isinstance(data, asyncio.Future) or not data.done() or data.cancelled() or data.exception():
        return None
    held = data.result()
    return Settled(held.value, held.is_known, held.is_secret)
