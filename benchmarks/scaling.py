"""The tables of docs/scaling.md, which follow from the models and the prices alone, and their places in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from . import bill
from .batches import Traffic, single, uniform, zipf
from .designs import OURS, SIZES, WINDOWS, Stream, stream_side
from .limits import Limits, Settings, advise, binding, sustained
from .reporting import number, table

TRAFFIC: Mapping[str, Traffic] = {"evenly over 10,000 tags": uniform(), "Zipf": zipf(), "one tag": single()}
RATES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
QUOTA_NAMES = {
    "api_requests": "API requests {:,.0f}/s",
    "concurrency": "Lambda concurrency {:,.0f}",
    "table_writes": "table writes {:,.0f}/s",
}
UNQUOTED = Limits(api_requests=1e12, concurrency=1e12, table_writes=1e12)


@cache
def advice() -> str:
    """Say what to set at each rate, and what it costs."""
    rows = []
    for rate in RATES:
        for name, traffic in TRAFFIC.items():
            found = advise(traffic, rate)
            if found is None:
                rows.append((f"{rate:,}", name, "needs more than 50 items per tag, which is not supported", "", ""))
                continue
            raised = [QUOTA_NAMES[quota].format(_up(value)) for quota, value in found.quotas.items()]
            price = bill.million_visits(traffic, Stream(rate), items_per_tag=found.settings.items_per_tag)
            dollars = rate * bill.SECONDS * price / 1e6
            rows.append((f"{rate:,}", name, _changes(found.settings), ", ".join(raised) or "none", _dollars(dollars)))
    return table(("visits/s", "traffic", "set", "quotas to raise", "dollars a month"), rows)


def _changes(settings: Settings) -> str:
    names = {"items_per_tag": "itemsPerTag", "items_per_total": "itemsPerTotal", "memory": "memorySize"}
    defaults = Settings()._asdict()
    changed = {name: value for name, value in settings._asdict().items() if value != defaults[name]}
    return ", ".join(f"`{names[name]}` {value:,}" for name, value in changed.items()) or "the defaults"


@cache
def bound() -> str:
    """Say which limit binds with the defaults, and up to which rate each of the others holds."""
    each = {name: sustained(Settings(), Limits(), traffic) for name, traffic in TRAFFIC.items()}
    rows = []
    for limit in next(iter(each.values())):
        cells = []
        for limits in each.values():
            binds = limits[limit] == min(limits.values())
            cells.append(f"**{_rate(limits[limit])}**" if binds else _rate(limits[limit]))
        rows.append((limit, *cells))
    return table(("limit", *each), rows)


@cache
def windows() -> str:
    """Show what a longer window saves, and what a whole visit costs with it."""
    head = ("visits/s, traffic", *(f"window {window:g}" for window in WINDOWS))
    rows = [
        (
            f"{rate:,}, {name}",
            *(
                f"{_units(traffic, Stream(rate, window))} ({bill.million_visits(traffic, Stream(rate, window)):.2f})"
                for window in WINDOWS
            ),
        )
        for rate in (1, 10, 100, 1_000)
        for name, traffic in TRAFFIC.items()
    ]
    return table(head, rows)


@cache
def batch_sizes() -> str:
    """Show what larger batches save."""
    head = ("visits/s, traffic", *(f"batches of {size:,}" for size in SIZES))
    rows = [
        (
            f"{rate:,}, {name}",
            *(
                f"{_units(traffic, Stream(rate, 1, size))} ({bill.million_visits(traffic, Stream(rate, 1, size)):.2f})"
                for size in SIZES
            ),
        )
        for rate in (100, 1_000, 10_000)
        for name, traffic in TRAFFIC.items()
        if rate * traffic.busiest <= Limits().item_writes
    ]
    return table(head, rows)


def _units(traffic: Traffic, stream: Stream) -> str:
    return number(stream_side(OURS, traffic, stream).write_units, 2)


@cache
def month() -> str:
    """Show the lines of a month's bill."""
    rates = (1, 10, 100, 1_000)
    bills = [bill.month(zipf(), Stream(rate)) for rate in rates]
    rows = [(line, *(_dollars(each[line]) for each in bills)) for line in bills[0]]
    rows.append(("**all**", *(f"**{_dollars(sum(each.values()))}**" for each in bills)))
    return table(("dollars a month", *(f"{rate:,} visits/s" for rate in rates)), rows)


@cache
def prices() -> str:
    """List the prices."""
    listed = bill.prices()
    rows = [
        (f"[{each['what']}]({each['source']})", f"{each['price'] * 1e6 / each['per']:,.8g} a million")
        if each["price"] / each["per"] < 1e-4
        else (f"[{each['what']}]({each['source']})", f"{each['price']:g}")
        for each in listed["prices"].values()
    ]
    return table((f"price in {listed['region']}, as of {listed['date']}", "dollars"), rows)


@cache
def provisioned() -> str:
    """Show what provisioned capacity sustains, and what a ledger with the main table's capacity could keep up with."""
    rows = []
    for capacity in (5, 10, 25, 100, 500):
        each = [Settings(window=window, write_capacity=capacity) for window in (0, 1, 10)]
        cells = [_rate(binding(settings, Limits(), uniform())[1]) for settings in each]
        same = Settings(write_capacity=capacity, ledger_capacity=capacity)
        alike = sustained(same, Limits(), uniform())["capacity of the ledger"]
        cost = bill.provisioned_month(capacity, capacity) * 2 + bill.provisioned_month(capacity, 2 * capacity)
        rows.append((f"{capacity}", f"{2 * capacity}", *cells, _rate(alike), _dollars(cost)))
    head = (
        "`writeCapacity`",
        "ledger",
        "window 0",
        "window 1",
        "window 10",
        "with a ledger of the same capacity",
        "dollars a month",
    )
    return table(head, rows)


@cache
def levers() -> str:
    """Show what each setting moves, with quotas raised."""
    changed = {
        "the defaults": Settings(),
        "`maximumBatchingWindowInSeconds` 0": Settings(window=0),
        "`maximumBatchingWindowInSeconds` 10": Settings(window=10),
        "`batchSize` 100": Settings(batch_size=100),
        "`batchSize` 10000": Settings(batch_size=10_000),
        "`memorySize` 1769": Settings(memory=1_769),
        "`itemsPerTag` 10": Settings(items_per_tag=10),
        "`itemsPerTotal` 10": Settings(items_per_total=10),
        "both 10": Settings(10, 10),
        "both 50": Settings(50, 50),
        "a parallelization factor of 10": Settings(parallelization=10),
    }
    rows = []
    for name, settings in changed.items():
        found = [binding(settings, UNQUOTED, traffic) for traffic in TRAFFIC.values()]
        rows.append((name, *(f"{_rate(rate)} ({limit})" for limit, rate in found)))
    return table(("setting", *TRAFFIC), rows)


def _rate(rate: float) -> str:
    return "over a million" if rate > 1e6 else number(rate, 2)


def _dollars(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars < 100 else f"{_up(dollars):,.0f}"


def _up(value: float) -> float:
    """Round to two significant digits, so that no figure looks more exact than the model is."""
    return float(f"{value:.2g}")


TABLES: Mapping[str, Callable[[], str]] = {
    each.__name__.replace("_", "-"): each
    for each in (advice, bound, levers, windows, batch_sizes, month, prices, provisioned)
}
"""The tables, by the names in the page's markers."""

_BLOCK = re.compile(r"(<!-- ([a-z-]+): written by ./counter benchmark --report -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return the page with every table as it should be. Raises ValueError if one is missing, or has another name."""
    names: Sequence[str] = [name for _, name, _ in _BLOCK.findall(page)]
    if sorted(names) != sorted(TABLES):
        raise ValueError(f"The page has the tables {', '.join(names)}; it must have {', '.join(TABLES)}.")
    return _BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", page)
