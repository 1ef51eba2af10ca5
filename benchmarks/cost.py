"""The cost of a visit and of a read: requests and units of DynamoDB, counted, and the bill at each load.

The counting part runs the real code of every design on DynamoDB Local. The number of requests does not depend on the
machine, so nothing here is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import bill
from .batches import single, zipf
from .chapters import Options, Progress
from .designs import DESIGNS, OURS, RATES, Design, Stream
from .reporting import Plot, Report, Series, number, table, verdict

TITLE = "Cost"
SECONDS = 20

TRAFFIC = (zipf(), single())

RECORDS = (1, 10, 100, 1_000)
POSITIONS = (1, 28, 100)
"""Numbers of shards whose positions `COUNTER` has: of one shard, of a new table after a day, and of a larger one."""

TAGS = 10

GOAL = 2.7
"""The dollars of a million visits at 10 visits a second, at most."""

VIEW = "functions.view_counts.handler"
RECORD = "functions.record_visit.handler"
REQUESTS = {
    "a visit": (RECORD, "POST", "/tag/tag-1", {}),
    "a visit with an Idempotency-Key": (RECORD, "POST", "/tag/tag-1", {"idempotency-key": "order-4711"}),
    "a count and the total": (VIEW, "GET", "/counts/tag-1", {}),
    "the total": (VIEW, "GET", "/counts", {}),
}
"""The requests of the API: a handler, the method, the path and the headers."""


def measure(options: Options, progress: Progress) -> Any:
    """Count requests and units of each design's batches, of marks, and of the API's requests."""
    from tests.dynamodb_local.engine import Engine, install  # noqa: PLC0415 - it needs Java

    engine = Engine(install())
    try:
        batches: list[dict[str, Any]] = []
        cases = [(OURS, positions) for positions in POSITIONS] + [(design, 1) for design in DESIGNS[1:]]
        for done, (design, positions) in enumerate(cases):
            progress(done / (len(cases) + 2), f"{design.name}, {positions} positions")
            # Designs that do the same for every record are not worth a thousand.
            sizes = [size for size in RECORDS if size <= (100 if options.quick or design.record.requests else 1_000)]
            batches += _batches(engine, design, positions, sizes)
        progress(len(cases) / (len(cases) + 2), "marks and requests")
        return {"batches": batches, "marks": _marks(engine), "requests": _requests(engine)}
    finally:
        engine.stop()


def _batches(engine: Any, design: Design, positions: int, sizes: Iterable[int]) -> Iterable[dict[str, Any]]:
    """Process batches of these sizes in a warm function."""
    from .workers import HANDLERS, Deployment  # noqa: PLC0415 - a report needs no engine

    deployment = Deployment(engine, HANDLERS[design.name], f"{design.name[:4]}-{positions}", "zipf", units=True)
    try:
        traffic = deployment.traffic
        deployment.process([traffic.batch(1, line) for line in range(positions)])
        for records in sizes:
            work = deployment.process([traffic.batch(records)])
            yield {"design": design.name, "positions": positions, "records": records, **_counted(work)}
    finally:
        deployment.end()


def _marks(engine: Any) -> dict[str, Any]:
    """Process visits of tags that something else created, so that they are not included in the total yet."""
    from .workers import HANDLERS, Deployment  # noqa: PLC0415

    deployment = Deployment(engine, HANDLERS[OURS.name], "adopted", "uniform", units=True)
    try:
        deployment.process([deployment.traffic.batch(1)])
        tags = [f"old-{index}" for index in range(TAGS)]
        for tag in tags:
            engine.client.put_item(TableName=deployment.table, Item={"ID": {"S": tag}, "Count": {"N": "7"}})
        event = deployment.traffic.event(tags)
        for record in event["Records"]:
            record["dynamodb"]["NewImage"].pop("Since")
        return {"tags": TAGS, **_counted(deployment.process([event]))}
    finally:
        deployment.end()


def _requests(engine: Any) -> dict[str, Any]:
    """Serve each request in a warm function."""
    from tests.functions.gateway import event  # noqa: PLC0415

    from .workers import Deployment  # noqa: PLC0415

    found = {}
    for index, (name, (handler, method, path, headers)) in enumerate(REQUESTS.items()):
        deployment = Deployment(engine, handler, f"api-{index}", "uniform", units=True)
        try:
            items = {"tag-1": {"Count": {"N": "1"}}, "COUNTER": {"TotalViews": {"N": "1"}}}
            for key, item in items.items():
                engine.client.put_item(TableName=deployment.table, Item={"ID": {"S": key}, **item})
            deployment.process([event(method, path)])
            found[name] = _counted(deployment.process([event(method, path, headers)]))
        finally:
            deployment.end()
    return found


def _counted(work: Any) -> dict[str, float]:
    return {name: getattr(work, name) for name in ("requests", "write_units", "read_units")}


def report(data: Any) -> Report:
    """Report the counts, how well the model agrees, and the prices that follow."""
    plot = _plot()
    marks = data["marks"]
    dollars = bill.million_visits(zipf(), Stream(10))
    return Report(
        "Requests to DynamoDB were counted by running each design's code on DynamoDB Local, which also says how many "
        "units they take: a write takes one for each KB, and two in a transaction; a consistent read takes one for "
        "each 4 KB of each item.\n\n"
        "### Units of a request\n\n"
        + table(
            ("request", "requests", "write units", "read units"),
            [
                (name, *(number(used[each]) for each in ("requests", "write_units", "read_units")))
                for name, used in data["requests"].items()
            ],
        )
        + "\n### Units of the total\n\n"
        "Requests and write units for each visit, by the number of records in a batch, as counted. The visit itself is "
        "one more write unit. No design reads anything. `COUNTER` has the positions of one shard at first, of 28 to 32 "
        "in a new table once it is a day old, and of more in a table that takes more than 4,000 visits a second. The "
        f"model behind the rest of this chapter and [Scaling](../docs/scaling.md) {_difference(data['batches'])}.\n\n"
        + "\n".join(_units(data["batches"], field) for field in ("requests", "write_units"))
        + "\nA tag that something else has counted is included in the total when it is first visited. "
        f"A batch with {marks['tags']} such tags took {marks['requests']} requests and {number(marks['write_units'])} "
        "write units: once for each item, one more.\n"
        "\n### Price of a million visits\n\n"
        f"In US dollars at the [prices](prices.json) of {bill.prices()['region']} on {bill.prices()['date']}, with the "
        "API, the functions, the tables and the logs, with the default settings.\n\n" + _prices() + "\n"
        + verdict(f"at most {GOAL:.2f} dollars at 10 visits a second (Zipf)", f"{dollars:.2f}", met=dollars <= GOAL)
        + f"\n\n{plot.markdown}",
        [plot],
    )  # fmt: skip


def _difference(batches: Iterable[Mapping[str, Any]]) -> str:
    designs = {design.name: design for design in DESIGNS}
    largest = 0.0
    for counted in batches:
        modelled = designs[counted["design"]].usage(counted["records"], counted["positions"])
        pairs = [(modelled.requests, counted["requests"]), (modelled.write_units, counted["write_units"])]
        largest = max(largest, *(abs(model - real) / real for model, real in pairs))
    return "agrees exactly" if largest < 1e-9 else f"differs by up to {100 * largest:.2g} %"


def _units(batches: Sequence[Mapping[str, Any]], field: str) -> str:
    sizes = sorted({each["records"] for each in batches})
    found = {(each["design"], each["positions"], each["records"]): each[field] / each["records"] for each in batches}
    rows = []
    for design, positions in dict.fromkeys((design, positions) for design, positions, _ in found):
        values = [found.get((design, positions, size)) for size in sizes]
        name = f"{design}, {positions} position{'s' if positions > 1 else ''}" if design == OURS.name else design
        rows.append((name, *("" if each is None else number(each) for each in values)))
    return table((f"{field.replace('_', ' ')} a visit", *(f"{size:,}" for size in sizes)), rows)


def _prices() -> str:
    head = ("design, traffic", *(f"{rate:,} visits/s" for rate in RATES))
    rows = [
        (
            f"{design.name}, {traffic.name}",
            *(f"{bill.million_visits(traffic, Stream(rate), design):.2f}" for rate in RATES),
        )
        for design in DESIGNS
        for traffic in TRAFFIC
    ]
    return table(head, rows)


def _plot() -> Plot:
    rates = (1, 3, 10, 30, 100, 300, 1_000, 3_000)
    series = [
        Series(design.name, rates, [bill.million_visits(zipf(), Stream(rate), design) for rate in rates])
        for design in DESIGNS
    ]
    return Plot("cost", "A million visits, by rate (Zipf)", "visits/s", "US dollars", series, log_x=True)
