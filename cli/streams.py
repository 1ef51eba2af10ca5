"""Standard streams that are closed, broken or full, or that cannot encode every character."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO

import click

WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""How a write to a full disk or a broken device fails."""


def prepare() -> None:
    """Make every path and every argument readable and every text printable, whatever the locale is.

    Python with an ASCII locale, as by LC_ALL=C and PYTHONUTF8=0, is replaced by one in UTF-8 mode. Characters that a
    stream's encoding does not have are escaped.
    """
    _open_closed()
    if codecs.lookup(sys.getfilesystemencoding()).name == "ascii":
        # The processes of the local cloud need it, too.
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def encoding_of(stream: TextIO) -> str:
    """Return the normalized name of a stream's encoding; a stream of text alone counts as UTF-8."""
    return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name


def encodable(text: str, stream: TextIO) -> str:
    """Return the text with escapes for characters that a stream cannot encode."""
    encoding = encoding_of(stream)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _open_closed() -> None:
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
