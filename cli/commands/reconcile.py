"""`counter reconcile` and `counter take-over`: passes over the table until every visit is in the total."""

from __future__ import annotations

import signal
import sys

import click

from ..deployment import Deployment
from ..options import Command, WholeNumber, confirm, deployment_options, json_option, yes_option
from ..streams import say

# Half of what DynamoDB lets one partition write in a second; the other half is for visits.
_DEFAULT_RATE = 500

DEFAULT_BATCHING_WINDOW = 1
"""The default of `maximumBatchingWindowInSeconds`. The component that declares it takes too long to import."""


def _pass_options(command: Command) -> Command:
    for option in (
        json_option,
        click.option("--restart", is_flag=True, help="Start over instead of continuing a pass that was stopped."),
        click.option(
            "--rate",
            type=WholeNumber("a rate", 1, 100_000),
            default=_DEFAULT_RATE,
            show_default=True,
            metavar="N",
            help="Write at most this many items a second.",
        ),
        click.option(
            "--batching-window",
            type=WholeNumber("a batching window", 0, 300),
            default=DEFAULT_BATCHING_WINDOW,
            show_default=True,
            metavar="SECONDS",
            help="The mapping's maximumBatchingWindowInSeconds, to wait for between two passes.",
        ),
        click.option(
            "--passes",
            type=WholeNumber("a number of passes", 1),
            default=5,
            show_default=True,
            metavar="N",
            help="Stop after this many passes even if visits are still missing.",
        ),
    ):
        command = option(command)
    return command


@click.command("reconcile")
@deployment_options("tableName", "ledgerTableName")
@_pass_options
@click.option(
    "--take-over",
    is_flag=True,
    help="First let this ledger keep the total, even if another one does; it is rebuilt from the counts.",
)
def command(*, take_over: bool, **more: object) -> int:
    """Bring missing visits into the total.

    Visits may go on meanwhile. A call that is stopped is continued by the next one. The exit status is 0 once a pass
    finds nothing missing, and 1 if visits are missing after the last pass.
    """
    return _reconcile(take_over=take_over, **more)  # type: ignore[arg-type]


@click.command("take-over")
@deployment_options("tableName", "ledgerTableName")
@_pass_options
@yes_option
def take_over_command(*, deployment: Deployment, yes: bool, as_json: bool, **more: object) -> int:
    """Let this ledger keep the total, and rebuild it.

    The ledger that kept the total before is refused from then on. The total starts at 0 and is too low until the
    passes that follow have brought all visits in. The exit status is that of reconcile.
    """
    question = f"Let ledger {deployment.ledger} keep the total of table {deployment.table}, and rebuild it from 0?"
    confirm(question, yes=yes, as_json=as_json)
    return _reconcile(deployment=deployment, take_over=True, as_json=as_json, **more)  # type: ignore[arg-type]


def _reconcile(
    *,
    deployment: Deployment,
    passes: int,
    batching_window: int,
    rate: int,
    restart: bool,
    take_over: bool,
    as_json: bool,
) -> int:
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from .. import passes as work  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415

    console, table, ledger = Console(sys.stderr), deployment.table, deployment.ledger
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        reconciliation = aws.Reconciliation(deployment.client("dynamodb"), table, ledger, work.Pace(rate))
        checkpoint = work.Checkpoint(deployment)
        if take_over:
            reconciliation.take_over(aws.retry_budget(work.PASS_SECONDS))
            console.line(f"The ledger {ledger} keeps the total of table {table} from now on.")
        if restart or take_over:
            checkpoint.clear()
        result = work.run(reconciliation, checkpoint, console, passes=passes, batching_window=batching_window)
    except KeyboardInterrupt:
        console.end_progress(keep=True)
        console.line("counter: stopped; a pass may be stopped and started again at any time")
        return 130
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    finally:
        console.end_progress(keep=True)
    if as_json:
        Console(sys.stdout).json(result.data)
    else:
        say(result.sentence)
    return 1 if result.progress.behind else 0
