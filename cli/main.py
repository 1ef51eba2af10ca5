"""The command line: its commands, its exit statuses and how it reports errors."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec

import click

from . import streams
from .commands import delete, doctor, failures, logs, reconcile, smoke_test, status, verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def counter() -> None:
    """Visits counted per tag, and an exact total kept by a stream: run it here, test it, repair it."""


for command in (
    status.command,
    smoke_test.command,
    verify.command,
    reconcile.command,
    delete.command,
    failures.command,
    logs.command,
    doctor.command,
):
    counter.add_command(command)
# An installed distribution does not have these.
if find_spec(".checkout", __package__):
    from .checkout import benchmark, generate, local, test

    for each in (local, test, generate, benchmark):
        counter.add_command(each.command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 success, 1 failure, 2 wrong usage.

    A command returns its own status, or raises ClickException with a sentence for the user.
    """
    # Not `counter.main`, which would turn Ctrl-C and a reader that is gone into failures of its own.
    try:
        with counter.make_context("counter", list(sys.argv[1:] if arguments is None else arguments)) as context:
            return int(counter.invoke(context) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        with suppress(OSError):
            if isinstance(error, click.UsageError):
                error.show()
            else:
                click.echo(f"counter: {error.format_message()}", err=True)
        return error.exit_code


def run() -> int:
    """Run the process: call `main`, make sure that its output arrives, and return the exit status.

    A reader that goes away, as `head` does, is not an error.
    """
    streams.prepare()
    status = 0
    failure: OSError | None = None
    try:
        status = main()
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            if error.errno not in streams.WRITE_ERRORS:
                raise
            failure = error
    streams.flush_or_discard()
    if failure:
        sys.stderr.write(f"counter: cannot write to standard output: {failure.strerror}\n")
        return 1
    return status
