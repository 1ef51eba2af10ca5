"""`counter verify`: the counts and the total side by side. It writes nothing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ..deployment import Deployment
from ..options import Duration, deployment_options, json_option
from ..show import MAX_NAMED, columns, named, number, printable

if TYPE_CHECKING:
    from ..console import Console
    from ..operate.comparison import Findings
    from ..operate.table import CounterTable

_POLL_SECONDS = 0.5
_MAX_COMPARISONS = 4
# A comparison of a small table is made again if visits were counted meanwhile: the next one may be exact.
_QUICK_SECONDS = 2.0


@click.command("verify")
@deployment_options("tableName")
@click.option(
    "--wait",
    type=Duration(),
    default="30s",
    show_default=True,
    metavar="TIME",
    help="How long the total may take to catch up with the counts.",
)
@json_option
def command(*, deployment: Deployment, wait: float, as_json: bool) -> int:
    """Compare the counts with the total.

    Nothing is written, and visits can continue. The exit status is 0 if every visit is in the total, and 1 otherwise,
    with a sentence for each reason.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415
    from ..operate.table import CounterTable  # noqa: PLC0415

    progress, output = Console(sys.stderr), Console(sys.stdout)
    try:
        found = _compare(CounterTable(deployment.client("dynamodb"), deployment.table), wait, progress)
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    finally:
        progress.end_progress()
    result = describe(found)
    if as_json:
        output.json(result)
    else:
        _show(output, result)
    return 1 if result["drift"] else 0


def _compare(table: CounterTable, wait: float, progress: Console) -> Findings:
    """Compare until the total has caught up, and again if another generation of the total has begun meanwhile."""
    from ..operate.comparison import compare, refresh  # noqa: PLC0415

    for _ in range(_MAX_COMPARISONS):
        started = time.monotonic()
        for found in compare(table):
            progress.progress("Comparing", detail=number(found.tags, "tag"), done=found.tags, total=found.expected)
        seconds, started = time.monotonic() - started, time.monotonic()
        while not (found.is_settled or found.was_replaced) and time.monotonic() - started < wait:
            progress.progress("Waiting", detail=f"for the total, {time.monotonic() - started:.0f} of {wait:g} s")
            time.sleep(_POLL_SECONDS)
            refresh(table, found)
        if not found.was_replaced and not (found.within and seconds < _QUICK_SECONDS):
            break
    return found


def describe(found: Findings) -> dict[str, Any]:
    """Return the findings as data; `drift` has a sentence for each reason why the total is not exact. Pure."""
    from ..operate.table import UNUSED  # noqa: PLC0415

    total = None if isinstance(found.after, str) else found.after
    drift = []
    if total is None and (found.after != UNUSED or found.tags):
        drift.append(f"There is no total to compare: {found.after}. Run `counter reconcile`.")
    if total and total.rebuilding:
        drift.append("The total is marked as too low (`Rebuilding`). Run `counter reconcile`.")
    if total and found.missing:
        drift.append(
            f"{number(found.missing, 'visit')} {'is' if found.missing == 1 else 'are'} missing. Run `counter "
            "reconcile`; if the event source mapping is disabled or failing, mend that first."
        )
    if found.surplus:
        drift.append(
            f"The total has {number(found.surplus, 'visit')} more than the tags show: visits of deleted tags whose "
            "records were lost, or somebody edited COUNTER. Run `counter reconcile`, which says when to use `--keep` "
            "or `--lower`."
        )
    if found.unmarked:
        verb = "is" if len(found.unmarked) == 1 else "are"
        drift.append(
            f"{number(len(found.unmarked), 'item')} {verb} not included in the total: {named(found.unmarked)}. Run "
            "`counter reconcile`."
        )
    for key, value in list(found.malformed.items())[:MAX_NAMED]:
        drift.append(f"The count of {printable(key)!r} is {printable(value)}, which is not a whole number. Mend it.")
    if len(found.malformed) > MAX_NAMED:
        drift.append(f"So are the counts of {len(found.malformed) - MAX_NAMED:,} more.")
    return {
        "counts": {"tags": found.tags, "visits": found.visits},
        "ended": total.ended if total else None,
        "total": {"visits": total.total if total else None, "rebuilding": total.rebuilding if total else False},
        "missing": found.missing,
        "surplus": found.surplus,
        "within": found.within,
        "unmarked": found.unmarked,
        "malformed": found.malformed,
        "drift": drift,
    }


def _show(output: Console, result: dict[str, Any]) -> None:
    if result["total"]["visits"] is not None:
        rows = [
            ("counts", number(result["counts"]["tags"], "tag"), f"{result['counts']['visits']:,}"),
            ("ended", "deleted tags, lowered counts", f"{result['ended']:,}"),
            ("total", "", f"{result['total']['visits']:,}"),
        ]
        columns(output, ("", "", "visits"), rows, numbers=1)
    elif not result["drift"]:
        output.line("No visits have been counted yet.")
    for sentence in result["drift"]:
        output.line(sentence)
    if result["drift"] or result["total"]["visits"] is None:
        return
    within = result["within"]
    exactly = f" to within {number(within, 'visit')}, which were counted during the comparison" if within else ""
    output.line(f"The total is exact{exactly}.")
