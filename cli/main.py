"""The command line: which commands there are, and how one is called."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from .commands import generate, local, reconcile, test

_DESCRIPTION = "Visits counted per tag, and an exact total kept by a stream: run it here, test it, repair it."
# A command has SUMMARY, run(arguments) and add_arguments(parser), or VERBATIM if it takes its arguments as they are.
_COMMANDS = {"local": local, "test": test, "reconcile": reconcile, "generate": generate}
# How a write to a full disk or a broken device fails.
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _Parser(argparse.ArgumentParser):
    """argparse's own would ignore that its help cannot be written."""

    def print_help(self, file: Any = None) -> None:
        """Print the help; a reader that is gone has seen enough."""
        with suppress(BrokenPipeError):
            (file or sys.stdout).write(self.format_help())


def run() -> int:
    """Be the process's whole work: call `main` and see that what it prints arrives. Returns the exit status.

    A reader that goes away, as `head` does, is not an error. A standard stream that is closed leads nowhere.
    """
    # In this order: each takes the lowest number that is free, which is its own.
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: PTH123, SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    status = 1
    failure: OSError | None = None
    try:
        try:
            status = main()
        except SystemExit as end:
            # argparse's, with a number.
            status = int(end.code or 0)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, *_UNWRITABLE):
            raise
        failure = error
    _flush_or_discard()
    if failure and failure.errno != errno.EPIPE:
        sys.stderr.write(f"counter: cannot write to standard output: {failure.strerror}\n")
        return 1
    return status


def _flush_or_discard() -> None:
    """Write what is buffered; if that fails, let it and all that is still written go nowhere."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 called wrongly."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _Parser(prog="counter", description=_DESCRIPTION)
    parsers = parser.add_subparsers(title="commands", metavar="<command>", required=True)
    for name, command in _COMMANDS.items():
        subparser = parsers.add_parser(name, help=command.SUMMARY, description=f"{command.SUMMARY.capitalize()}.")
        if hasattr(command, "add_arguments"):
            command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    if given and hasattr(_COMMANDS.get(given[0]), "VERBATIM"):
        return test.run(argparse.Namespace(rest=given[1:]))
    parsed = parser.parse_args(given)
    return int(parsed.run(parsed))
