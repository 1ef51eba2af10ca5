"""`counter verify`: counts, ledger and total side by side. It writes nothing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ..deployment import Deployment
from ..options import Duration, deployment_options, json_option
from ..show import columns, number, printable

if TYPE_CHECKING:
    from ..aws import Findings, Verification
    from ..console import Console

_POLL_SECONDS = 0.5
_PASS_SECONDS = 24 * 3600.0
_SHOWN_TAGS = 10


@click.command("verify")
@deployment_options("tableName", "ledgerTableName")
@click.option(
    "--wait",
    type=Duration(),
    default="30s",
    show_default=True,
    metavar="TIME",
    help="How long visits that are on their way may take to arrive.",
)
@json_option
def command(*, deployment: Deployment, wait: float, as_json: bool) -> int:
    """Compare counts, ledger and total.

    Nothing is written, and visits may go on meanwhile. The exit status is 1 if the total has drifted: it is not the
    sum of the ledger, or visits do not arrive within the time that they are given.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415

    progress, output = Console(sys.stderr), Console(sys.stdout)
    try:
        verification = aws.Verification(deployment.client("dynamodb"), deployment.table, deployment.ledger)
        found: Findings | None = None
        for found in verification.run(aws.retry_budget(_PASS_SECONDS)):
            seen = f"{found.entries:,} ledger entries, {found.tags:,} tags"
            progress.progress("Comparing", detail=seen, done=found.tags, total=found.expected)
        assert found is not None  # noqa: S101 - there is a page of an empty table, too
        first, visits = len(_tags(found)), found.missing
        seconds = _await(verification, found, wait, progress)
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    finally:
        progress.end_progress()
    result = describe(found, in_flight=visits - found.missing)
    if as_json:
        output.json(result)
    else:
        _show(output, found, result)
        if first > len(_tags(found)):
            arrived = f"{number(visits - found.missing, 'visit')} of {number(first - len(_tags(found)), 'tag')}"
            output.line(f"{arrived} had been on their way, and arrived within {seconds:.1f} s.")
        for sentence in result["drift"] or ["The total is exact."]:
            output.line(sentence)
    return 1 if result["drift"] else 0


def describe(found: Findings, *, in_flight: int) -> dict[str, Any]:
    """Return the findings as data; `drift` has a sentence for each reason why the total is not exact. Pure."""
    claim = found.claim
    drift = []
    # Before the first visit there is neither.
    unused = claim.total is None and not found.entries
    # `reconcile` leaves alone what somebody may still use.
    refused = claim.ownership.name in ("OTHER_LEDGER", "OTHER_TABLE")
    if claim.ownership.name != "OWNED" and not unused:
        keeper = f" ({claim.ledger!r})" if claim.ownership.name == "OTHER_LEDGER" else ""
        remedy = "If that one is no longer used, run `counter take-over`." if refused else "Run `counter reconcile`."
        drift.append(f"The total is not this ledger's: {claim.ownership.value}{keeper}. {remedy}")
    elif not (found.is_sum or unused):
        total = f"{found.before:,}" if found.before == found.after else f"{found.before:,} to {found.after:,}"
        drift.append(f"The total ({total}) is not the sum of the ledger ({found.given:,}). Run `counter reconcile`.")
    if found.outdated and not refused:
        entries = number(found.outdated, "ledger entry", "ledger entries")
        belongs = "it belongs" if found.outdated == 1 else "they belong"
        drift.append(f"The visits of {entries} are missing: {belongs} to an earlier total. Run `counter reconcile`.")
    if found.behind:
        behind = _tags(found)
        tags = ", ".join(repr(printable(tag)) for tag in behind[:_SHOWN_TAGS])
        more = f" and {len(behind) - _SHOWN_TAGS:,} more" if len(behind) > _SHOWN_TAGS else ""
        drift.append(
            f"{number(len(behind), 'tag')} with {number(found.missing, 'visit')} that are not in the total: "
            f"{tags}{more}." + ("" if refused else " If they do not arrive, run `counter reconcile`.")
        )
    return {
        "counts": {"tags": found.tags, "visits": found.visits},
        "ledger": {"entries": found.entries, "visitsOfTags": found.counted, "visits": found.given},
        "total": {"visits": found.after, "rebuilding": claim.rebuilding},
        "inFlight": in_flight,
        "missing": found.missing,
        "drift": drift,
    }


def _tags(found: Findings) -> list[str]:
    """Return the tags that are behind, each once, however many of its items are."""
    from .. import aws  # noqa: PLC0415

    return sorted({aws.name_of(key) for key in found.behind})


def _await(verification: Verification, found: Findings, wait: float, progress: Console) -> float:
    """Wait for the tags that are behind, take those that arrive out of the findings, and return the seconds."""
    from .. import aws  # noqa: PLC0415

    started = time.monotonic()
    while found.behind:
        seconds = time.monotonic() - started
        if seconds > wait:
            break
        progress.progress("Waiting", detail=f"for {number(len(_tags(found)), 'tag')}, {seconds:.0f} of {wait:g} s")
        time.sleep(_POLL_SECONDS)
        for tag in verification.arrived(found.behind, aws.retry_budget(_PASS_SECONDS)):
            del found.behind[tag]
    return time.monotonic() - started


def _show(output: Console, found: Findings, result: dict[str, Any]) -> None:
    on_its_way = found.visits - found.counted
    given = found.after if found.is_sum else found.given
    rows = [
        ("counts", number(found.tags, "tag"), f"{found.visits:,}"),
        ("not in the ledger when they were read", "", f"{-on_its_way:,}"),
        ("ledger, current lives of these tags", "", f"{found.counted:,}"),
        ("ledger, earlier lives, and visits during the comparison", "", f"{given - found.counted:,}"),
        ("ledger, everything", number(found.entries, "entry", "entries"), f"{given:,}"),
        ("total", "being rebuilt" if result["total"]["rebuilding"] else "", f"{found.after:,}"),
    ]
    columns(output, ("", "", "visits"), rows, numbers=1)
