"""Standard streams that are closed, that nobody reads any more, or whose disk is full."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TextIO

import click

WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""How a write to a full disk or a broken device fails."""


def open_closed() -> None:
    """Let standard streams that were closed lead nowhere."""
    # In this order: each takes the lowest free descriptor, which is its own.
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: PTH123, SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115


def discard(stream: TextIO) -> None:
    """Drop what is buffered and whatever is written from now on."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, stream.fileno())
    os.close(descriptor)


def flush_or_discard() -> None:
    """Write what is buffered; if a stream cannot be written to, discard it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            discard(stream)


def say(text: str) -> None:
    """Print a result on standard output. If its reader is gone, that is not an error."""
    with suppress(BrokenPipeError):
        click.echo(text)
