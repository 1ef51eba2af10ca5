"""`counter status`: one screen about a deployment, and whether anything needs attention."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping

import click

from ..deployment import OPTIONS, Deployment
from ..health import LAG_WINDOW, Part, has_failed, problems, read
from ..options import deployment_options, json_option, token_option
from ..show import BAD, DIM, GOOD, Cell, facts, number, span

_MAX_SHARDS = 8
_SETTLED = ("Enabled", "Active", "ACTIVE", "Successful")


@click.command("status")
@deployment_options(uses=tuple(OPTIONS))
@token_option
@json_option
def command(*, deployment: Deployment, token: str | None, as_json: bool) -> int:
    """Show the state of a deployment.

    If reading counts requires AWS_IAM, that request is signed with your AWS credentials; if a JWT, give a token.
    The exit status is 1 if anything needs attention, or cannot be read.
    """
    from ..console import Console  # noqa: PLC0415 - takes a while to import, and `--help` does without

    output = Console(sys.stdout)
    parts = read(deployment, token)
    found = problems(parts)
    if as_json:
        output.json({**parts, "problems": found})
    else:
        facts(output, [row for name, part in parts.items() for row in _rows(name, part)])
        output.line()
        for problem in found or ["Nothing needs attention."]:
            output.line(problem)
    return 1 if found else 0


def _rows(name: str, part: Part) -> Iterable[tuple[str, Cell]]:
    if "error" in part:
        return [(name, ("cannot be read", BAD))]
    return _named(name, _SHOWN[name](part))


def _named(name: str, cells: Iterable[Cell]) -> list[tuple[str, Cell]]:
    return [(name if index == 0 else "", cell) for index, cell in enumerate(cells)]


def _style(state: str | None) -> str:
    return GOOD if state in _SETTLED else BAD


def _show_api(part: Part) -> Cell:
    shown = f"{part['endpoint']}  {part['status']} in {part['milliseconds']} ms"
    return shown, GOOD if part["status"] == 200 else BAD


def _show_mapping(part: Part) -> Iterable[Cell]:
    window = f", window {part['batchingWindowSeconds']} s" if part["batchingWindowSeconds"] else ""
    yield f"{part['uuid']}, {part['state']}", _style(part["state"])
    yield f"from {part['startingPosition']}, up to {number(part['batchSize'], 'record')} a batch{window}"
    result = part["lastResult"] or "none"
    yield f"last result: {result}", BAD if has_failed(result) else ""


def _show_lag(part: Part) -> Iterable[Cell]:
    if part["milliseconds"] is None:
        yield f"no record in the last {span(LAG_WINDOW.total_seconds())} has a metric", DIM
    else:
        yield f"{part['milliseconds'] / 1000:,.1f} s at {part['at']}"


def _show_total(part: Part) -> Iterable[Cell]:
    if part["visits"] is None:
        yield (part["damage"], BAD) if part["damage"] else "no visits yet"
        return
    visits, generation, rebuild = number(part["visits"], "visit"), part["generation"], part["rebuild"]
    low = ", marked as too low" if part["rebuilding"] else ""
    yield f"{visits}, last raised {part['updatedAt'] or 'never'}{low}", BAD if low else ""
    yield f"generation {generation['mark']}, since {generation['begins']}"
    if rebuild:
        yield f"a rebuild has {rebuild['visits']:,} of {visits}"
    for one in part["shards"][:_MAX_SHARDS]:
        yield f"shard {one['shard']} at {one['position']}, created {span(one['secondsAgo'])} ago"
    if len(part["shards"]) > _MAX_SHARDS:
        yield f"and {number(len(part['shards']) - _MAX_SHARDS, 'shard')} more", DIM


def _show_alarms(part: Part) -> Iterable[Cell]:
    if not part["alarms"]:
        yield "none", DIM
    for alarm in part["alarms"]:
        yield f"{alarm['state']}  {alarm['name']}", BAD if alarm["state"] == "ALARM" else ""


_SHOWN: Mapping[str, Callable[[Part], Iterable[Cell]]] = {
    "api": lambda part: [_show_api(part)],
    "counts": lambda part: [_show_api(part)],
    "total": _show_total,
    "tables": lambda part: [
        f"{name}  {one['status']}, about {number(one['items'], 'item')}"
        + (f", stream of {one['stream']}" if one["stream"] else "")
        for name, one in part.items()
    ],
    "mapping": _show_mapping,
    "lag": _show_lag,
    "queue": lambda part: [
        (f"{number(part['messages'], 'message')}, {part['inFlight']} being read", BAD if part["messages"] else "")
    ],
    "functions": lambda part: [
        (f"{one['name']}  {one['state']}, {one['runtime']}, deployed {one['modified']}", _style(one["state"]))
        for one in part.values()
    ],
    "alarms": _show_alarms,
}
