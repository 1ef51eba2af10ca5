"""The cost of a visit and of a read: requests and units of DynamoDB, counted, and the bill at each load.

The counting part runs the real code of every design on DynamoDB Local and charges its requests by AWS's rules. The
number of requests does not depend on the machine, so nothing here is repeated.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import bill
from .batches import Traffic, single, uniform, zipf
from .chapters import Options, Progress
from .designs import DESIGNS, RATES, Design, Stream, stream_side
from .reporting import Plot, Report, Series, number, table
from .units import Meter

TITLE = "Cost"
SECONDS = 60

TRAFFIC: Mapping[str, Traffic] = {"uniform": uniform(), "zipf": zipf(), "one tag": single()}
"""The model's traffic, by the names of the real one."""

CODE = {
    "this project": "functions.process_stream.handler",
    "tutorial": "benchmarks.peers.tutorial.process_stream",
    "client token": "benchmarks.peers.resource_counters.client_token",
    "idempotency item": "benchmarks.peers.resource_counters.idempotency_item",
    "Powertools": "benchmarks.peers.powertools_stream.handler",
}
"""The code of each design, as a module and a function."""

RECORDS = (1, 10, 100, 1_000)
A_REQUEST_PER_RECORD = {"idempotency item", "Powertools"}
"""Designs that do the same for every record, so that a thousand would show nothing new."""

REQUESTS = {
    "a visit": ("functions.record_visit.handler", "POST", "/tag/tag-1", {}),
    "a visit with an Idempotency-Key": (
        "functions.record_visit.handler", "POST", "/tag/tag-1", {"idempotency-key": "order-4711"},
    ),
    "a count and the total": ("functions.view_counts.handler", "GET", "/counts/tag-1", {}),
    "the total": ("functions.view_counts.handler", "GET", "/counts", {}),
}  # fmt: skip
"""The requests of the API, by what they are for."""


def measure(options: Options, progress: Progress) -> Any:
    """Count requests and units of each design's batches, and of the API's requests."""
    from tests.dynamodb_local.engine import Engine, install  # noqa: PLC0415 - it needs Java

    engine = Engine(install())
    try:
        sizes = RECORDS[:2] if options.quick else RECORDS
        batches: list[dict[str, Any]] = []
        cases = [(name, kind) for name in CODE for kind in TRAFFIC]
        for done, (name, kind) in enumerate(cases):
            progress(done / len(cases), f"{name}, {kind}")
            limit = 100 if name in A_REQUEST_PER_RECORD else max(sizes)
            with _deployed(engine, CODE[name]) as design:
                counted = design.batches(kind, [records for records in sizes if records <= limit])
                batches += [{"design": name, "traffic": kind, **each} for each in counted]
        with _deployed(engine, CODE["this project"]) as design:
            requests = {name: design.request(*request) for name, request in REQUESTS.items()}
        return {"batches": batches, "requests": requests}
    finally:
        engine.stop()


class _Deployed:
    """A design's function on empty tables, with all its requests to DynamoDB metered."""

    def __init__(self, engine: Any, path: str, table: str) -> None:
        self._path = path
        self._stream = engine.client.describe_table(TableName=table)["Table"]["LatestStreamArn"]

        def peek(name: str, key: str) -> Any:
            return engine.client.get_item(TableName=name, Key={"ID": {"S": key}}, ConsistentRead=True).get("Item")

        self._meter = Meter(peek)
        for client in _clients(path):
            self._meter.watch(client)

    def batches(self, kind: str, sizes: Iterable[int]) -> Iterator[dict[str, Any]]:
        """Process batches of these sizes in a warm function; return what each used."""
        from .traffic import Traffic as Visits  # noqa: PLC0415 - it imports the component

        visits = Visits(self._stream, kind)
        self._call(visits.batch(1))
        for records in sizes:
            yield self._metered(visits.batch(records))

    def _metered(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        records = len(batch["Records"])
        items = len({record["dynamodb"]["Keys"]["ID"]["S"] for record in batch["Records"]})
        self._meter.reset()
        self._call(batch)
        return {"records": records, "items": items, **self._meter.total._asdict()}

    def request(self, path: str, method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """Serve a request in a warm function; return what it used."""
        from tests.functions.gateway import event  # noqa: PLC0415

        self._path = path
        self._call(event(method, "/tag/tag-1" if method == "POST" else target))
        self._meter.reset()
        self._call(event(method, target, headers))
        return self._meter.total._asdict()

    def _call(self, event: Mapping[str, Any]) -> None:
        from tests.doubles import Context  # noqa: PLC0415

        module, _, function = self._path.rpartition(".")
        getattr(importlib.import_module(module), function)(event, Context(60.0))


@contextlib.contextmanager
def _deployed(engine: Any, path: str) -> Iterator[_Deployed]:
    before = dict(os.environ)
    main, other, keys = (f"{name}-{engine.tables_created}" for name in ("visits", "other", "keys"))
    engine.create_table(main)
    engine.create_table(other, None)
    engine.create_table(keys, None)
    ledger = {"LEDGER_TABLE_NAME": other, "IDEMPOTENCY_TABLE_NAME": keys}
    try:
        os.environ.update(engine.environment | {"TABLE_NAME": main} | ledger)
        _forget()
        yield _Deployed(engine, path, main)
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget()


def _forget() -> None:
    """Make every design start cold: the baselines make their clients when they are imported."""
    from functions import process_stream  # noqa: PLC0415
    from functions.dynamodb import client, tables  # noqa: PLC0415

    for cached in (client.client, client.single_attempt_client, tables.setting, process_stream._total):
        cached.cache_clear()
    for name in [name for name in sys.modules if name.startswith("benchmarks.peers.")]:
        del sys.modules[name]


def _clients(path: str) -> Sequence[Any]:
    if path.startswith("functions."):
        from functions.dynamodb import client  # noqa: PLC0415

        return (client.client(), client.single_attempt_client())
    return (importlib.import_module(path.rpartition(".")[0]).client,)


def report(data: Any) -> Report:
    """Report the counts, how well the model agrees, and the prices that follow."""
    plots = [_bill_plot(), *(_design_plot(traffic) for traffic in TRAFFIC.values())]
    return Report(
        "Requests to DynamoDB were counted by running each design's code, and charged by AWS's rules: a write takes a "
        "unit for each KB, and two in a transaction; a consistent read takes one for each 4 KB of each item "
        "([rules](units.py)). DynamoDB Local itself charges transactions like single writes.\n\n"
        "### Units of a request\n\n"
        + table(
            ("request", "requests", "write units", "read units"),
            [
                (name, *(number(used[each]) for each in ("requests", "write_units", "read_units")))
                for name, used in data["requests"].items()
            ],
        )
        + "\n### Units of the total\n\n"
        "Requests and units for each visit, by the number of records in a batch, as counted. The visit itself is one "
        "more write unit. The model behind the rest of this chapter and [Scaling](../docs/scaling.md) "
        f"{_difference(data['batches'])}.\n\n"
        + "\n".join(_counted(data["batches"], field) for field in ("requests", "write_units", "read_units"))
        + "\n### Price of a million visits\n\n"
        f"In US dollars at the [prices](prices.json) of {bill.prices()['region']} on {bill.prices()['date']}, with the "
        "API, the functions, the tables and the logs. Above 1,000 visits a second to one item, a tag has to be spread "
        "over several.\n\n" + _prices(DESIGNS) + "\n" + "\n".join(plot.markdown for plot in plots),
        plots,
    )


def _difference(batches: Iterable[Mapping[str, Any]]) -> str:
    designs = {design.name: design for design in DESIGNS}
    largest = 0.0
    for counted in batches:
        modelled = designs[counted["design"]].usage(counted["records"], counted["items"])
        pairs = [(modelled.requests, counted["requests"]), (modelled.write_units, counted["write_units"])]
        largest = max(largest, *(abs(model - real) / real for model, real in pairs))
    return "agrees exactly" if largest < 1e-9 else f"differs by up to {100 * largest:.2g} %"


def _counted(batches: Sequence[Mapping[str, Any]], field: str) -> str:
    sizes = sorted({each["records"] for each in batches})
    found = {(each["design"], each["traffic"], each["records"]): each[field] / each["records"] for each in batches}
    rows = []
    for design, traffic in dict.fromkeys((design, traffic) for design, traffic, _ in found):
        values = [found.get((design, traffic, size)) for size in sizes]
        rows.append((f"{design}, {traffic}", *("" if each is None else number(each) for each in values)))
    return table((f"{field.replace('_', ' ')} a visit", *(f"{size:,}" for size in sizes)), rows)


def _prices(designs: Iterable[Design]) -> str:
    head = ("design, traffic", *(f"{rate:,} visits/s" for rate in RATES))
    rows = [
        (f"{design.name}, {traffic.name}", *(_price(design, traffic, rate) for rate in RATES))
        for design in designs
        for traffic in TRAFFIC.values()
    ]
    return table(head, rows)


def _price(design: Design, traffic: Traffic, rate: float) -> str:
    return f"{bill.million_visits(traffic, Stream(rate), design):.2f}" if rate * traffic.busiest <= 1_000 else ""


def _bill_plot() -> Plot:
    windows = (0, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
    series = [
        Series(f"{rate:,} visits/s", windows, [bill.million_visits(zipf(), Stream(rate, window)) for window in windows])
        for rate in (1, 10, 100, 1_000)
    ]
    return Plot(
        "cost-window", "A million visits, by batching window (Zipf)", "batching window, s", "US dollars", series
    )


def _design_plot(traffic: Traffic) -> Plot:
    name = traffic.name.replace(" ", "-").replace("(1.0)", "").lower()
    rates = [rate for rate in (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000) if rate * traffic.busiest <= 1_000]
    series = [
        Series(design.name, rates, [stream_side(design, traffic, Stream(rate)).write_units for rate in rates])
        for design in DESIGNS
    ]
    title = f"Write units a visit for the total ({traffic.name})"
    return Plot(f"cost-units-{name}", title, "visits/s", "write units", series, log_x=True, log_y=True)
