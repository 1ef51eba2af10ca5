"""Capacity: how much each setting sustains, which limit binds, and how well the model predicts collisions.

How processors collide at the total is not a documented limit. The measurement runs the real code in threads, on tables
in memory that keep the items of a transaction from others for as long as the model says.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .batches import Traffic, single, uniform, zipf
from .chapters import Options, Progress
from .designs import REQUEST_SECONDS
from .limits import GRID, NUMBERS, Limits, Settings, binding, saturated
from .reporting import Plot, Report, Series, number, table

TITLE = "Capacity"
SECONDS = 45

PROCESSORS = (1, 2, 4, 8, 16, 32)
TRAFFIC = (uniform(), zipf(), single())

SETTINGS: Mapping[str, Settings] = {
    "the defaults": Settings(),
    "window 0": Settings(window=0),
    "window 0, batches of 100 (AWS's defaults)": Settings(window=0, batch_size=100),
    "window 10": Settings(window=10),
    "batches of 10,000": Settings(batch_size=10_000),
    "memory 1,769": Settings(memory=1_769),
    "parallelization factor 10": Settings(parallelization=10),
    "10 items a tag": Settings(items_per_tag=10),
    "10 items a total": Settings(items_per_total=10),
    "10 items of each": Settings(10, 10),
    "50 items of each": Settings(50, 50),
}


def measure(options: Options, progress: Progress) -> Any:
    """Count the transactions a second of processors that all add to one total."""
    logging.disable(logging.WARNING)  # of the total that is started for each number of processors
    seconds = 1.0 if options.quick else 5.0
    found = []
    for done, processors in enumerate(PROCESSORS):
        progress(done / len(PROCESSORS), f"{processors} processors")
        made, attempts, between = _contend(processors, seconds)
        found.append({"processors": processors, "transactions": made, "attempts": attempts, "between": between})
    return {"collisions": found}


class _Contended:
    """Tables in memory whose requests take time, and whose total only one transaction at a time can write."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._held: set[str] = set()

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._store, operation)

        def request(**arguments: Any) -> Any:
            time.sleep(REQUEST_SECONDS)
            with self._lock:
                return method(**arguments)

        return request

    def transact_write_items(self, **request: Any) -> Any:
        """Hold the items for the time of a transaction, or refuse if another does."""
        from tests.doubles import cancelled  # noqa: PLC0415

        keys = {action["Update"]["Key"]["ID"]["S"] for action in request["TransactItems"]}
        with self._lock:
            if keys & self._held:
                raise cancelled(*("TransactionConflict" for _ in keys))
            self._held |= keys
        time.sleep(Limits().transaction_seconds)
        with self._lock:
            self._held -= keys
            return self._store.transact_write_items(**request)


def _contend(processors: int, seconds: float) -> tuple[float, float, float]:
    """Let processors work on one tag each; return transactions and attempts a second, and the time between two."""
    from functions.dynamodb.retries import RetryBudget  # noqa: PLC0415
    from functions.total.ledger import Change, Image, Position  # noqa: PLC0415
    from functions.total.totals import Total  # noqa: PLC0415
    from tests.total.store import ARN, Store  # noqa: PLC0415

    store = Store("visits", "ledger", streamed="visits")
    label = store.describe_table(TableName="visits")["Table"]["LatestStreamLabel"]
    # Starts the total, so that no processor has to.
    Total(store, "visits", "ledger").confirm(RetryBudget(lambda: 60.0))
    client = _Contended(store)
    begin, done = threading.Barrier(processors + 1), threading.Event()
    results: list[tuple[int, int]] = []
    alone: list[float] = []

    def work(index: int) -> None:
        total, budget, made, attempts = Total(client, "visits", "ledger"), RetryBudget(lambda: 60.0), 0, 0
        tag = f"tag-{index}"

        def change() -> dict[str, list[Change]]:
            images = Image(made, "s"), Image(made + 1, "s")
            position = Position(label, made + 1)
            return {tag: [Change(tag, ARN + "visits", position, str(made + 1), "MODIFY", *images)]}

        total.apply(change(), budget)
        made = 1
        begin.wait()
        while not done.is_set():
            started = time.monotonic()
            applied = total.apply(change(), budget)
            if applied.attempts == 1:
                alone.append(time.monotonic() - started)
            if not done.is_set():
                made, attempts = made + 1, attempts + applied.attempts
        results.append((made - 1, attempts))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(processors)]
    for thread in threads:
        thread.start()
    begin.wait()
    time.sleep(seconds)
    done.set()
    for thread in threads:
        thread.join()
    made, attempts = (sum(column) / seconds for column in zip(*results, strict=True))
    typical = sorted(alone)[len(alone) // 2]
    return made, attempts, typical - Limits().transaction_seconds


def report(data: Any) -> Report:
    """Report how well the model predicts collisions, and what each setting sustains."""
    collisions = data["collisions"]
    modelled = [saturated(each["processors"], each["between"], Limits()) for each in collisions]
    rows = [
        (
            str(each["processors"]),
            number(each["transactions"]),
            number(model),
            number(each["attempts"] / each["transactions"]),
        )
        for each, model in zip(collisions, modelled, strict=True)
    ]
    most = max(abs(model / each["transactions"] - 1) for each, model in zip(collisions, modelled, strict=True))
    plots = [_collision_plot(collisions, modelled), _items_plot()]
    return Report(
        "How processors collide at the total is not a documented limit, so the [model](limits.py) has it from the "
        "code: a transaction that finds the total held by another is cancelled, and repeated after a pause. This was "
        "measured with the real code in threads, on tables in memory that hold the items of a transaction for "
        f"{Limits().transaction_seconds * 1000:.0f} ms:\n\n"
        + table(("processors", "transactions/s", "model", "attempts each"), rows)
        + f"\nThe model differs by up to {100 * most:.0f} %.\n\n{plots[0].markdown}\n### Capacity by setting\n\n"
        "Visits a second, and the limit that binds, with one setting changed at a time. A tag with several items has "
        "as many entries in the ledger. Quotas are at AWS's defaults; [Scaling](../docs/scaling.md) says which to "
        "raise at which load.\n\n" + settings_table(SETTINGS) + f"\n{plots[1].markdown}",
        plots,
    )


def settings_table(settings: Mapping[str, Settings], traffic: Sequence[Traffic] = TRAFFIC) -> str:
    """Return a table of what settings sustain, with the limit that binds."""
    rows = []
    for name, each in settings.items():
        bound = [binding(each, Limits(), kind) for kind in traffic]
        rows.append((name, *(f"{whole(rate)}: {limit}" for limit, rate in bound)))
    return table(("setting", *(kind.name for kind in traffic)), rows)


def whole(rate: float) -> str:
    """Write a rate with two significant digits, a small one with its fraction."""
    return number(rate, 2)


def _collision_plot(collisions: Sequence[Mapping[str, Any]], modelled: Sequence[float]) -> Plot:
    processors = [str(each["processors"]) for each in collisions]
    series = [
        Series("real code", processors, [each["transactions"] for each in collisions]),
        Series("model", processors, modelled),
    ]
    title = "Transactions that add to one total"
    return Plot("capacity-collisions", title, "processors", "transactions/s", series, kind="bars")


def _items_plot() -> Plot:
    # Quotas aside: a counter that needs so much has had them raised.
    limits = Limits(api_requests=1e9, concurrency=1e9, table_writes=1e9)
    cases = {
        "uniform: items of the total": (uniform(), [Settings(1, items) for items in NUMBERS]),
        "Zipf: items of tags and total": (zipf(), [Settings(items, items) for items in NUMBERS]),
        "one tag: its items": (single(), [Settings(items, 1) for items in NUMBERS]),
    }
    series = [
        Series(name, NUMBERS, [min(GRID[-1], binding(each, limits, traffic)[1]) for each in settings])
        for name, (traffic, settings) in cases.items()
    ]
    title = "What more items sustain, with quotas raised"
    return Plot("capacity-items", title, "items", "visits/s", series, log_x=True, log_y=True)
