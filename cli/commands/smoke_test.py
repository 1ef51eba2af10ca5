"""`counter smoke-test`: one visit, from the API to the total. For the end of a deployment."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from ..api import Api, ApiError
from ..deployment import Deployment
from ..options import Duration, NameAndValue, deployment_options, json_option, token_option

if TYPE_CHECKING:
    from ..operate.table import CounterTable

_ROUTE = "/tag/{tag}"

_POLL_SECONDS = 0.2


@click.command("smoke-test")
@deployment_options("apiEndpoint", "tableName", uses=("eventSourceMappingId",))
@click.option("--tag", default="smoke-test", show_default=True, metavar="TAG", help="The tag to record a visit of.")
@click.option(
    "--timeout", type=Duration(), default="1m", show_default=True, metavar="TIME", help="How long it may take in all."
)
@token_option
@click.option(
    "--header",
    "headers",
    type=NameAndValue(),
    multiple=True,
    metavar="NAME=VALUE",
    help="A further header of the requests, such as Host=count.example.org.",
)
@json_option
def command(
    *,
    deployment: Deployment,
    tag: str,
    timeout: float,
    token: str | None,
    headers: tuple[tuple[str, str], ...],
    as_json: bool,
) -> int:
    """Record a visit and wait until the total has risen.

    If the API requires AWS_IAM, the request is signed with your AWS credentials; if it requires a JWT, give a token.
    The exit status is 0 once the total has risen, which other visits may have done as well, and 1 with a sentence
    otherwise.
    """
    # These take a while to import, and `--help` does without.
    from .. import aws  # noqa: PLC0415
    from ..console import Console  # noqa: PLC0415
    from ..operate.table import CounterTable  # noqa: PLC0415

    console = Console(sys.stdout)
    started = time.monotonic()
    try:
        table = CounterTable(deployment.client("dynamodb"), deployment.table)
        before, updated = _total(table)
        count = _visit(Api(deployment, token=token, headers=dict(headers)), tag, timeout)
        total, now = _total(table)
        while total <= before or now <= updated:
            if time.monotonic() - started > timeout:
                raise click.ClickException(
                    f"visit {count} of {tag!r} is counted, but the total has not risen from {before:,} after "
                    f"{timeout:g} s{_cause(deployment)}"
                )
            time.sleep(_POLL_SECONDS)
            total, now = _total(table)
        seconds = time.monotonic() - started
    except ApiError as error:
        raise click.ClickException(str(error)) from error
    except aws.ERRORS as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        console.json({"tag": tag, "count": count, "before": before, "total": total, "seconds": round(seconds, 3)})
    else:
        console.line(
            f"Visit {count:,} of {tag!r} is counted, and the total rose from {before:,} to {total:,} within "
            f"{seconds:.1f} s. Other visits may have raised it, too."
        )
    return 0


def _total(table: CounterTable) -> tuple[int, str]:
    """Read the total and when it was last raised: 0 and "" if there is none."""
    found = table.counter()
    return (0, "") if isinstance(found, str) else (found.total, found.updated)


def _visit(api: Api, tag: str, timeout: float) -> int:
    answer = api.request(_ROUTE, "POST", tag=tag, timeout=timeout)
    count = answer.json.get("count")
    if answer.status != 200 or not isinstance(count, int):
        reason = f"{answer.reason}{api.hint(_ROUTE, 'POST', answer)}"
        raise click.ClickException(f"POST {api.url(_ROUTE, tag)} did not record a visit: {reason}")
    return count


def _cause(deployment: Deployment) -> str:
    """Say what the mapping shows, if it may be read."""
    from .. import aws  # noqa: PLC0415

    hint = "; see `counter status`, `counter failures` and `counter logs`"
    if not deployment.has("eventSourceMappingId"):
        return hint
    try:
        mapping = deployment.client("lambda").get_event_source_mapping(UUID=deployment.text("eventSourceMappingId"))
    except aws.ERRORS as error:
        return f"; the event source mapping cannot be read: {error}"
    result = mapping.get("LastProcessingResult") or "none"
    return f"; the event source mapping is {mapping.get('State')}, its last result: {result}{hint}"
