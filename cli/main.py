"""The command line: which commands there are, and how one is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .commands import local, reconcile, test

_DESCRIPTION = "Visits counted per tag, and an exact total kept by a stream: run it here, test it, repair it."
# A command has SUMMARY, run(arguments) and add_arguments(parser), or VERBATIM if it takes its arguments as they are.
_COMMANDS = {"local": local, "test": test, "reconcile": reconcile}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 failed, 2 called wrongly."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="counter", description=_DESCRIPTION)
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
