"""`counter reconcile`: passes over the table until every visit is in the total."""

from __future__ import annotations

import signal
import sys
import time

import click

from ..deployment import Deployment
from ..options import WholeNumber, deployment_options
from ..streams import say

# The pause after a pass, in which the stream brings in the tags that it marked. It doubles with every pass, and the
# batching window is added each time.
_FIRST_PAUSE_SECONDS = 1.0
_PASS_SECONDS = 24 * 3600.0


@click.command("reconcile")
@deployment_options("tableName", "ledgerTableName")
@click.option(
    "--passes",
    type=WholeNumber("a number of passes", 1),
    default=5,
    show_default=True,
    metavar="N",
    help="Stop after this many passes even if visits are still missing.",
)
@click.option(
    "--batching-window",
    type=WholeNumber("a batching window", 0, 300),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="The mapping's maximumBatchingWindowInSeconds, to wait for between two passes.",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="First let this ledger keep the total, even if another one does; it is rebuilt from the counts.",
)
def command(
    *,
    deployment: Deployment,
    passes: int,
    batching_window: int,
    take_over: bool,
) -> int:
    """Bring missing visits into the total.

    Visits may go on meanwhile. The exit status is 0 once a pass finds nothing missing, and 1 if visits are missing
    after the last pass.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415

    console, table, ledger = Console(sys.stderr), deployment.table, deployment.ledger
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        reconciliation = aws.Reconciliation(deployment.client("dynamodb"), table, ledger)
        if take_over:
            reconciliation.take_over(aws.retry_budget(_PASS_SECONDS))
            console.line(f"The ledger {ledger} keeps the total of table {table} from now on.")
        progress = aws.Progress()
        for number in range(1, passes + 1):
            for progress in reconciliation.run(aws.retry_budget(_PASS_SECONDS)):
                seen = f"{progress.entries:,} ledger entries, {progress.tags:,} tags"
                missing = f"{progress.visits:,} visits of {progress.behind:,} tags missing"
                console.progress(f"pass {number}: {seen}, {missing}", done=progress.tags, total=progress.expected)
            console.end_progress(keep=True)
            if not progress.behind:
                say(f"Every visit of {_number(progress.tags, 'tag')} is in the total{_reservation(progress.drift)}.")
                return 0
            if number < passes:
                time.sleep(batching_window + _FIRST_PAUSE_SECONDS * 2 ** (number - 1))
    except KeyboardInterrupt:
        console.end_progress(keep=True)
        console.line("counter: stopped; a pass may be stopped and started again at any time")
        return 130
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    finally:
        console.end_progress(keep=True)
    verb, counts = ("is", "its count") if progress.behind == 1 else ("are", "their counts")
    say(
        f"{_number(progress.behind, 'tag')} {verb} not wholly in the total yet ({_number(progress.visits, 'visit')}). "
        f"The stream re-emits {counts}. If this stays so, see the dead-letter queue and the log of process_stream."
    )
    return 1


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _reservation(drift: int) -> str:
    if not drift:
        return ", and the total is the sum of the ledger"
    return f"; as it was rising, it was compared with the sum of the ledger only to within {drift:,} visits"
