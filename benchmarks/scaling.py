"""The tables of docs/scaling.md, which follow from the models and the prices alone, and their places in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from . import bill
from .batches import Traffic, single, uniform, zipf
from .designs import OURS, WINDOWS, Stream, stream_side
from .limits import Limits, Settings, advise, flow, reads, sustained
from .reporting import number, table

TRAFFIC: Mapping[str, Traffic] = {"evenly over 10,000 tags": uniform(), "Zipf": zipf(), "one tag": single()}
RATES = (10, 1_000, 10_000, 100_000)
NAMES = {
    "items_per_tag": "`itemsPerTag`",
    "batch_size": "`batchSize`",
    "window": "`maximumBatchingWindowInSeconds`",
}
QUOTA_NAMES = {
    "api_requests": "API requests {:,.0f}/s",
    "concurrency": "Lambda concurrency {:,.0f}",
    "table_writes": "table writes {:,.0f}/s",
}


@cache
def advice() -> str:
    """Say what to set at each rate, and what it costs."""
    rows = []
    for rate in RATES:
        for name in ("Zipf", "one tag"):
            traffic = TRAFFIC[name]
            found = advise(traffic, rate)
            if found is None:
                rows.append((f"{rate:,}", name, "not supported: needs more than 50 items per tag", "", ""))
                continue
            raised = [QUOTA_NAMES[quota].format(_up(value)) for quota, value in found.quotas.items()]
            stream = Stream(rate, found.settings.window, found.settings.batch_size)
            price = bill.million_visits(traffic, stream, items_per_tag=found.settings.items_per_tag)
            dollars = rate * bill.SECONDS * price / 1e6
            rows.append((f"{rate:,}", name, _changes(found.settings), ", ".join(raised) or "none", _dollars(dollars)))
    return table(("visits/s", "traffic", "set", "quotas to raise", "dollars a month"), rows)


def _changes(settings: Settings) -> str:
    defaults = Settings()._asdict()
    changed = {name: value for name, value in settings._asdict().items() if value != defaults[name]}
    return ", ".join(f"{NAMES[name]} {value}" for name, value in changed.items()) or "the defaults"


@cache
def bound() -> str:
    """Show up to which rate each limit holds with the defaults, and which one binds."""
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
def counter() -> str:
    """Show the size of `COUNTER` by the rate, how much of its writes batches use, and how often it can be read."""
    batching = (Settings(window=0), Settings(), Settings(window=10, batch_size=10_000))
    rows = []
    for rate in (1_000, 10_000, 20_000, 40_000, 100_000):
        size = flow(Settings(), uniform(), rate).size
        used = [flow(settings, uniform(), rate).units / Limits().item_writes for settings in batching]
        writes = (f"{100 * each:.2g} %" if each <= 1 else "too many" for each in used)
        rows.append((f"{rate:,}", f"{size / 1024:.1f}", *writes, f"{reads(size, Limits()):,.0f}"))
    return table(("visits/s", "KB", "window 0", "window 1", "window 10, `batchSize` 10000", "reads a second"), rows)


@cache
def windows() -> str:
    """Show what a longer window saves, and what a whole visit costs with it."""
    head = ("visits/s", *(f"window {window:g}" for window in WINDOWS))
    rows = [
        (
            f"{rate:,}",
            *(
                f"{_units(Stream(rate, window))} ({bill.million_visits(zipf(), Stream(rate, window)):.2f})"
                for window in WINDOWS
            ),
        )
        for rate in (1, 10, 100, 1_000)
    ]
    return table(head, rows)


def _units(stream: Stream) -> str:
    return number(stream_side(OURS, zipf(), stream).write_units, 2)


@cache
def month() -> str:
    """Show the lines of a month's bill."""
    rates = (1, 10, 100, 1_000)
    bills = [bill.month(zipf(), Stream(rate)) for rate in rates]
    rows = [(line, *(_dollars(each[line]) for each in bills)) for line in bills[0]]
    rows.append(("**all**", *(f"**{_dollars(sum(each.values()))}**" for each in bills)))
    return table(("dollars a month", *(f"{rate:,} visits/s" for rate in rates)), rows)


def _rate(rate: float) -> str:
    return "over a million" if rate > 1e6 else number(rate, 2)


def _dollars(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars < 100 else f"{_up(dollars):,.0f}"


def _up(value: float) -> float:
    """Round to two significant digits, so that no figure looks more exact than the model is."""
    return float(f"{value:.2g}")


TABLES: Mapping[str, Callable[[], str]] = {each.__name__: each for each in (advice, bound, counter, windows, month)}
"""The tables, by the names in the page's markers."""

_BLOCK = re.compile(r"(<!-- ([a-z-]+): written by ./counter benchmark --report -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return the page with every table as it should be. Raises ValueError if one is missing, or has another name."""
    names = [name for _, name, _ in _BLOCK.findall(page)]
    if sorted(names) != sorted(TABLES):
        raise ValueError(f"The page has the tables {', '.join(names)}; it must have {', '.join(TABLES)}.")
    return _BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", page)
