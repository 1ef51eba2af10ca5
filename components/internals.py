"""The private names of Pulumi's SDK that this project uses, and no other module does.

An upgrade may take any of them away; tests/package/test_private_names.py then names what depends on it.
"""

import asyncio
from typing import Any, NamedTuple

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.config import CONFIG
from pulumi.runtime.settings import ROOT, SETTINGS

# How property values are marked on the wire: a struct whose key SIGNATURE says what it stands for.
SIGNATURE = rpc._special_sig_key
SECRET = rpc._special_secret_sig
ASSET = rpc._special_asset_sig
ARCHIVE = rpc._special_archive_sig
RESOURCE = rpc._special_resource_sig
OUTPUT = rpc._special_output_value_sig
UNKNOWN_TEXT = rpc.UNKNOWN


class Settled(NamedTuple):
    """The value of an Output, whether it is known (it may not be in a preview), and whether it is secret."""

    value: Any
    known: bool
    secret: bool


def settled(output: pulumi.Output[Any]) -> Settled | None:
    """Return the value of an Output that is already computed, as is every Output that the engine passes to the plugin.

    None if it is still being computed, or if the SDK does not show it. The SDK's public ways to read it all wait, which
    a constructor cannot.
    """
    data = getattr(output, "_data", None)
    if not isinstance(data, asyncio.Future) or not data.done() or data.cancelled() or data.exception():
        return None
    held = data.result()
    return Settled(held.value, held.is_known, held.is_secret)


def is_secret(output: pulumi.Output[Any]) -> bool:
    """Tell whether an Output is secret, as far as is known: one that is still being computed counts as secret."""
    held = settled(output)
    return held is None or held.secret


def is_unprotected(resource: pulumi.Resource) -> bool:
    """Tell whether a resource was given `protect=False`, itself or by its parent."""
    return resource._protect is False


def config_keys() -> list[str]:
    """List the keys that are set in the configuration of the stack, with their namespaces."""
    return sorted({**pulumi.runtime.get_config_env(), **CONFIG.get()})


async def all_outputs() -> None:
    """Return when every Output that the program made is computed, or has failed.

    The SDK waits for them as well, but watches all of them for each one that completes, so its time grows with the
    square of their number.
    """
    while pending := [output for output in SETTINGS.outputs if not output.done()]:
        await asyncio.wait(pending)


def forget_stack() -> None:
    """Let the next program in this process have a stack of its own."""
    ROOT.set(None)
