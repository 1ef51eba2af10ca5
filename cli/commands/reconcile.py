"""`counter reconcile`: rebuild the total until every visit is in it, while visits go on."""

from __future__ import annotations

import math
import signal
import sys
import time
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import click

from ..deployment import Deployment
from ..options import Duration, WholeNumber, confirm, deployment_options, json_option, yes_option
from ..show import named, number, span
from ..streams import say

if TYPE_CHECKING:
    from ..console import Console
    from ..core import RetryBudget
    from ..operate.checkpoint import Checkpoint
    from ..operate.rebuild import Outcome, Progress, Rebuild

# Half of what DynamoDB lets one partition write in a second; the other half is for visits.
_DEFAULT_RATE = 500

_POLL_SECONDS = 0.5
_PAUSE_SECONDS = 0.05
_BUDGET_SECONDS = 24 * 3600.0
_FINISHES = 40
# For five minutes, tags that are created give each pass something to mark.
_MAX_PASSES = 200
_LINE_SECONDS = 10.0


@click.command("reconcile")
@deployment_options("tableName")
@click.option(
    "--rate",
    type=WholeNumber("a rate", 1, 100_000),
    default=_DEFAULT_RATE,
    show_default=True,
    metavar="N",
    help="Mark at most this many items a second.",
)
@click.option(
    "--wait",
    type=Duration(),
    default="1m",
    show_default=True,
    metavar="TIME",
    help="Give up if nothing comes through the stream for so long.",
)
@click.option("--restart", is_flag=True, help="Start over instead of continuing a call that was stopped.")
@click.option("--lower", is_flag=True, help="Let the total become lower if the tags show fewer visits.")
@click.option("--keep", is_flag=True, help="Keep visits that no tag shows, as those of deleted tags.")
@yes_option
@json_option
def command(
    *, deployment: Deployment, rate: int, wait: float, restart: bool, lower: bool, keep: bool, yes: bool, as_json: bool
) -> int:
    """Bring missing visits into the total.

    Visits can continue. A call that was stopped is continued by the next one. The exit status is 0 once every visit is
    in the total, and 1 otherwise, with a sentence.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws, core  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415
    from ..operate.checkpoint import Checkpoint  # noqa: PLC0415
    from ..operate.rebuild import Pace, Rebuild  # noqa: PLC0415
    from ..operate.table import CounterTable  # noqa: PLC0415

    if lower and keep:
        raise click.UsageError("--lower and --keep exclude each other.")
    if keep:
        confirm("Keep visits that no tag shows, as those of deleted tags?", yes=yes, as_json=as_json)
    if lower:
        confirm("Let the total become lower if the tags show fewer visits?", yes=yes, as_json=as_json)
    console = Console(sys.stderr)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        table = CounterTable(deployment.client("dynamodb"), deployment.table)
        checkpoint = Checkpoint("\n".join((deployment.endpoint_url or deployment.region or "", table.description.arn)))
        if restart:
            checkpoint.clear()
        work = _Work(Rebuild(table, Pace(rate)), checkpoint, console, wait, lower=lower, keep=keep)
        budget = core.retry_budget(_BUDGET_SECONDS)
        result = describe(*work.run(budget, table.description.items))
    except KeyboardInterrupt:
        console.end_progress(keep=True)
        console.line("counter: stopped; the next `counter reconcile` continues")
        return 130
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    finally:
        console.end_progress()
    if as_json:
        Console(sys.stdout).json(result)
    else:
        say(result["text"])
    return 0 if result["exact"] else 1


def describe(progress: Progress, outcome: Outcome) -> dict[str, Any]:
    """Return the result as data, whose `text` is for people. Pure."""
    found = max(0, outcome.total - outcome.before) + progress.added
    total = f"The total is {number(outcome.total, 'visit')}."
    if outcome.total < outcome.before:
        lines = [f"The total is lower by {number(outcome.before - outcome.total, 'visit')}. {total}"]
    elif found:
        verb = "is" if found == 1 else "are"
        lines = [f"{number(found, 'visit')} had been missing and {verb} in the total now. {total}"]
    else:
        lines = [f"The total had been marked as too low. {total}" if outcome.flagged else "Nothing was missing."]
    if outcome.ended:
        lines.append(f"The total keeps {number(outcome.ended, 'visit')} that no tag shows, as those of deleted tags.")
    if progress.malformed:
        counts = "The count of {} is" if len(progress.malformed) == 1 else "The counts of {} are"
        lines.append(
            f"{counts.format(named(progress.malformed))} malformed, and not in the total. Mend this, and run `counter "
            "reconcile` again."
        )
    return {
        "exact": not progress.malformed,
        "total": outcome.total,
        "found": found,
        "ended": outcome.ended,
        "tags": progress.tags,
        "visits": progress.visits,
        "marked": progress.marked,
        "malformed": list(progress.malformed),
        "text": "\n".join(lines),
    }


class _Work:
    """One call of the command: it continues a rebuild or begins one, and brings it to its end."""

    def __init__(
        self, rebuild: Rebuild, checkpoint: Checkpoint, console: Console, wait: float, *, lower: bool, keep: bool
    ) -> None:
        self._rebuild = rebuild
        self._checkpoint = checkpoint
        self._console = console
        self._wait = wait
        self._lower = lower
        self._keep = keep

    def run(self, budget: RetryBudget, expected: int) -> tuple[Progress, Outcome]:
        """Return the end of the rebuild. Raises ClickException, with advice, if it cannot be brought to its end."""
        progress = self._checkpoint.load()
        if progress and self._rebuild.missing(progress) is None:
            progress = None
        renew = progress is not None
        if progress:
            self._console.line(f"Continuing the call that was stopped after {number(progress.tags, 'tag')}.")
        for _ in range(_MAX_PASSES):
            progress = self._mark(progress or self._rebuild.begin(budget), expected)
            missing = self._await_marks(progress)
            if missing == 0:
                is_undecided = progress.is_confirmed and not self._keep
                if outcome := self._finish(progress, await_deletions=is_undecided):
                    self._checkpoint.clear()
                    return progress, outcome
                if is_undecided:
                    # The next call begins anew: what it needs to know may come through the stream until then.
                    self._checkpoint.clear()
                    raise click.ClickException(self._choice(progress.surplus))
                progress = self._rebuild.again(progress)
            elif renew:
                # Records may have been lost since it began.
                self._console.line("The rebuild does not complete; starting over.")
                progress, renew = None, False
            else:
                raise click.ClickException(self._advice(missing))
        raise click.ClickException("the total keeps changing; nothing is lost; run `counter reconcile` again later")

    def _mark(self, progress: Progress, expected: int) -> Progress:
        meter = _Meter(self._console, progress.tags, expected)
        for page in self._rebuild.mark_items(progress):
            progress = page
            self._checkpoint.save(progress)
            meter.show(progress)
        self._console.end_progress()
        return progress

    def _await_marks(self, progress: Progress) -> int | None:
        """Wait until all marks have come through; return how many have not after a time without progress."""
        least, since = None, time.monotonic()
        while missing := self._rebuild.missing(progress):
            if least is None or missing < least:
                least, since = missing, time.monotonic()
            elif time.monotonic() - since >= self._wait:
                break
            self._console.progress("Waiting", detail=f"for {number(missing, 'mark')} to come through the stream")
            time.sleep(_POLL_SECONDS)
        self._console.end_progress()
        return missing

    def _finish(self, progress: Progress, *, await_deletions: bool) -> Outcome | None:
        """Finish the rebuild; None if that was not possible, with `await_deletions` for the whole time to wait."""
        pauses = repeat(_PAUSE_SECONDS, _FINISHES)
        polls = repeat(_POLL_SECONDS, math.ceil(self._wait / _POLL_SECONDS) if await_deletions else 0)
        for pause in chain(pauses, polls):
            if outcome := self._rebuild.finish(progress, lower=self._lower, keep=self._keep):
                return outcome
            if await_deletions:
                self._console.progress("Waiting", detail=f"for {number(progress.surplus, 'visit')} that no tag shows")
            time.sleep(pause)
        self._console.end_progress()
        return None

    def _choice(self, surplus: int) -> str:
        return (
            f"the total has {number(surplus, 'visit')} more than the tags show, so nothing was changed. If `counter "
            "status` shows that a shard is behind, run `counter reconcile` again once it is not. Otherwise, use "
            "`--keep` if records of deletions were lost, or `--lower` if COUNTER was edited"
        )

    def _advice(self, missing: int | None) -> str:
        if missing is None:
            return "the rebuild was replaced by another one, or COUNTER was changed; run `counter reconcile` again"
        return (
            f"the marks of {number(missing, 'item')} have not come through the stream, and none has for "
            f"{span(self._wait)}; see in `counter status` whether the event source mapping is disabled, failing or "
            "behind, mend it, and run `counter reconcile` again"
        )


def remaining(done: int, total: int, seconds: float) -> float | None:
    """Return the seconds for the rest of `total` if `done` took `seconds`; None if that cannot be said. Pure."""
    return seconds * (total - done) / done if 0 < done <= total else None


class _Meter:
    """Shows the progress of a pass: on a terminal at once, elsewhere a line now and then."""

    def __init__(self, console: Console, first: int, expected: int) -> None:
        self._console = console
        self._first = first
        self._expected = expected
        self._started = self._shown = time.monotonic()

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        left = remaining(progress.tags - self._first, self._expected - self._first, now - self._started)
        rest = f"about {span(left)} left" if left is not None and now - self._started > 1 else ""
        text = f"Marking: {number(progress.tags, 'tag')}, {number(progress.visits, 'visit')}"
        if self._console.is_terminal:
            self._console.progress(text, detail=rest, done=progress.tags, total=self._expected)
        elif now - self._shown >= _LINE_SECONDS:
            self._shown = now
            self._console.line(text + (f", {rest}" if rest else ""))
