"""Records a second through the stream's function beside each baseline, contention, and the total's lag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import lag
from .chapters import Options, Progress
from .reporting import Plot, Report, Series, number, spelled, table
from .spread import Spread, paired_ratio, ratios, spread, turns
from .traffic import DISTRIBUTIONS
from .workers import HANDLERS, OURS, Deployment, batches_for, end_all, processor_seconds

TITLE = "Throughput, contention and lag of the total"
SECONDS = 390

GOAL = 10
"""How many times as many records a second as Powertools, at least, everywhere."""

SIZES = (100, 1000)
PROCESSORS = (1, 4, 8)
CONTENDERS = (OURS, "Powertools", "idempotency item", "tutorial")
SHARED = ("different tags", "same tags")

TEXT = """Each design's handler gets batches of stream records in a warm process, with its tables on DynamoDB Local. In
each of {repeats} repeats, every design handles batches for about {seconds:g} s, in turns, on tables of its own.
DynamoDB Local is one process on the same machine, so the figures include the engine's own work and lack the network's
latency.
"""


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure all three parts. Raises an error only if a design fails; a wrong total is data."""
    from tests.dynamodb_local.engine import Engine, install  # noqa: PLC0415 - a report needs no engine

    engine = Engine(install())
    try:
        seconds = 0.15 if options.quick else 0.7
        rates = []
        sizes, processors = (SIZES[:1], PROCESSORS[:2]) if options.quick else (SIZES, PROCESSORS)
        cases = [(distribution, size) for distribution in DISTRIBUTIONS for size in sizes]
        for index, (distribution, size) in enumerate(cases):
            progress(0.6 * index / len(cases), f"{distribution}, batches of {size:,}")
            engine.restart()
            rates.append(_rates(engine, distribution, size, options.repeats(5), seconds))
        progress(0.6, "several processors")
        engine.restart()
        contention = _contention(engine, processors, options.repeats(3), seconds)
    finally:
        engine.stop()
    progress(0.85, "lag on the local cloud")
    return {
        "seconds": seconds,
        "repeats": options.repeats(5),
        "rates": rates,
        "contention": contention,
        "lag": lag.measure(options.repeats(15), lambda part: progress(0.85 + 0.15 * part, "lag on the local cloud")),
    }


def _rates(engine: Any, distribution: str, size: int, repeats: int, seconds: float) -> dict[str, Any]:
    """Measure records a second of every design with one processor."""
    deployed = {
        design: Deployment(engine, design, f"design-{index}", distribution) for index, design in enumerate(HANDLERS)
    }
    try:
        number_of = {}
        for design, deployment in deployed.items():
            # The first batch warms the function up; the second one says how long a batch takes.
            deployment.process([deployment.traffic.batch(100)])
            warm = deployment.process([deployment.traffic.batch(100)])
            number_of[design] = batches_for(seconds, 100 / warm.seconds, size)
        measured: dict[str, list[float]] = {design: [] for design in deployed}
        # Processor time is steadier than the clock, and says who needs it.
        own: dict[str, list[float]] = {design: [] for design in deployed}
        engines: dict[str, list[float]] = {design: [] for design in deployed}
        for repeat, design in turns(list(deployed), repeats + 1):
            deployment, batches = deployed[design], number_of[design]
            events = [deployment.traffic.batch(size) for _ in range(batches)]
            before = processor_seconds(engine.pid)
            work = deployment.process(events)
            used = processor_seconds(engine.pid) - before
            if repeat == 0:
                # It warms the engine up, which compiles what it runs often.
                continue
            records = batches * size
            measured[design].append(records / work.seconds)
            own[design].append(1e6 * work.cpu / records)
            engines[design].append(1e6 * used / records)
        return {
            "distribution": distribution,
            "size": size,
            "recordsPerSecond": measured,
            "ownMicrosecondsPerRecord": own,
            "engineMicrosecondsPerRecord": engines,
            "wrong": _wrong(deployed),
        }
    finally:
        end_all(deployed.values())


def _contention(engine: Any, numbers: Sequence[int], repeats: int, seconds: float) -> list[dict[str, Any]]:
    """Measure records a second of all processors together, by their number and whether they share tags."""
    most = max(numbers)
    deployed = {
        design: Deployment(engine, design, f"contender-{index}", "zipf", most)
        for index, design in enumerate(CONTENDERS)
    }
    try:
        number_of = {}
        for design, deployment in deployed.items():
            deployment.process(*([deployment.traffic.batch(100)] for _ in range(most)))
            warm = deployment.process([deployment.traffic.batch(100)])
            number_of[design] = batches_for(seconds, 100 / warm.seconds, 100)
        found = []
        for tags in SHARED:
            for processors in numbers:
                measured: dict[str, list[float]] = {design: [] for design in deployed}
                repeated = dict.fromkeys(deployed, 0)
                for _, design in turns(list(deployed), repeats):
                    deployment = deployed[design]
                    each = max(1, round(number_of[design] / processors))
                    prefixes = ["" if tags == "same tags" else f"{index}-" for index in range(processors)]
                    shares = [[deployment.traffic.batch(100, prefix) for _ in range(each)] for prefix in prefixes]
                    work = deployment.process(*shares)
                    measured[design].append(each * processors * 100 / work.seconds)
                    repeated[design] += work.repeated
                found.append(
                    {
                        "tags": tags,
                        "processors": processors,
                        "recordsPerSecond": measured,
                        "repeatedBatches": repeated,
                        "wrong": _wrong(deployed),
                    }
                )
        return found
    finally:
        end_all(deployed.values())


def _wrong(deployed: Mapping[str, Deployment]) -> dict[str, list[int]]:
    """Return the total and the number of visits of each design whose total is not that number."""
    found = {design: [deployment.total(), deployment.traffic.visits] for design, deployment in deployed.items()}
    return {design: pair for design, pair in found.items() if pair[0] != pair[1]}


def report(data: Mapping[str, Any]) -> Report:
    """Write the chapter."""
    plots = [_rates_plot(data["rates"]), _contention_plot(data["contention"])]
    parts = [
        TEXT.format(**data),
        "\n### Records a second\n\n",
        "This project's records a second, and the ratio of that to each baseline's.\n\n",
        _rates_table(data["rates"]),
        f"\n{_verdict(data['rates'])}\n\n{plots[0].markdown}",
        "\nThe processor time of a record in microseconds, the design's own and DynamoDB Local's, and how many times "
        "as much Powertools needs in all. Processor time depends less on what else the machine does.\n\n",
        _processor_table(data["rates"]),
        "\nThe tutorial and the client token make one request for each batch, whatever is in it. They are not exact, "
        "and neither is Powertools if a function dies: [peers](peers) says when. Only this project makes up for lost "
        "records.\n",
        "\n### Several processors\n\n",
        "Records a second of all processors together, in batches of 100, spread over 10,000 tags by Zipf's law. Either "
        "each processor has its own tags, or all have the same. The processors share the machine's cores with the "
        "engine, which runs one request after another: this shows what contention costs, not how the designs "
        "scale.\n\n",
        _contention_table(data["contention"]),
        f"\n{_exactness([*data['rates'], *data['contention']])}\n\n{plots[1].markdown}",
        "\n### Lag\n\n",
        lag.text(data["lag"]),
    ]
    return Report("".join(parts), plots)


def _over(case: Mapping[str, Any]) -> dict[str, Spread]:
    """Return how many times as fast as each baseline this project was."""
    found = ratios(case["recordsPerSecond"], OURS)
    # The inverse of a ratio has its quartiles the other way round.
    return {
        design: Spread(1 / each.median, 1 / each.upper, 1 / each.lower, 1 / each.maximum, 1 / each.minimum, each.size)
        for design, each in found.items()
    }


def _rates_table(rates: Sequence[Mapping[str, Any]]) -> str:
    baselines = [design for design in HANDLERS if design != OURS]
    rows = []
    for case in rates:
        over = _over(case)
        own = spelled(spread(case["recordsPerSecond"][OURS]))
        cells = [spelled(over[design]) + (" *wrong*" if design in case["wrong"] else "") for design in baselines]
        rows.append([f"{case['distribution']}, {case['size']:,}", own, *cells])
    return table(["tags, batch size", "records a second", *(f"to {design}" for design in baselines)], rows)


def _processor_table(rates: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for case in rates:
        own, engines = case["ownMicrosecondsPerRecord"], case["engineMicrosecondsPerRecord"]
        cells, sums = [], {}
        for design in (OURS, "Powertools"):
            sums[design] = [one + other for one, other in zip(own[design], engines[design], strict=True)]
            cells += [number(spread(times[design]).median) for times in (own, engines)]
        ratio = spelled(paired_ratio(sums["Powertools"], sums[OURS]))
        rows.append([f"{case['distribution']}, {case['size']:,}", *cells, ratio])
    head = ["own", "its engine's", "Powertools' own", "its engine's", "ratio"]
    return table(["tags, batch size", *head], rows)


def _verdict(rates: Sequence[Mapping[str, Any]]) -> str:
    least = min(rates, key=lambda case: _over(case)["Powertools"].median)
    value = _over(least)["Powertools"].median
    where = f"{least['distribution']}, batches of {least['size']:,}"
    met = "met." if value >= GOAL else f"**missed**. {_limits(least)}"
    return f"Goal: {GOAL} times as many as Powertools everywhere. The least is {number(value)} ({where}): {met}"


def _limits(case: Mapping[str, Any]) -> str:
    """Say whose processor time limits the rate of this project."""
    own, engine = case["ownMicrosecondsPerRecord"], case["engineMicrosecondsPerRecord"][OURS]
    ours, theirs = (spread(own[design]).median for design in (OURS, "Powertools"))
    share = spread([here / (here + there) for here, there in zip(engine, own[OURS], strict=True)]).median
    return (
        f"There, {share:.0%} of the processor time is DynamoDB Local's, which writes an entry for nearly each record, "
        f"a transaction at a time. Powertools' own processor time is {number(theirs / ours)} times this project's."
    )


def _exactness(cases: Sequence[Mapping[str, Any]]) -> str:
    wrong = [
        f"{design}: {total:,} instead of {visits:,}"
        for case in cases
        for design, (total, visits) in case["wrong"].items()
    ]
    if wrong:
        return f"**Wrong totals**: {'; '.join(wrong)}."
    return "After each of these runs, every design's total was the number of visits."


def _contention_table(contention: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for case in contention:
        cells = [
            number(spread(case["recordsPerSecond"][design]).median)
            + (f", {again} again" if (again := case["repeatedBatches"][design]) else "")
            + (" *wrong*" if design in case["wrong"] else "")
            for design in CONTENDERS
        ]
        rows.append([f"{case['tags']}, {case['processors']}", *cells])
    head = ["tags, processors", *CONTENDERS]
    return table(head, rows) + "\n“Again” counts batches that failed and were delivered again.\n"


def _rates_plot(rates: Sequence[Mapping[str, Any]]) -> Plot:
    names = [f"{case['distribution']}\n{case['size']:,}" for case in rates]
    series = []
    for design in HANDLERS:
        found = [spread(case["recordsPerSecond"][design]) for case in rates]
        low, high = [each.lower for each in found], [each.upper for each in found]
        series.append(Series(design, names, [each.median for each in found], low, high))
    title = "Records a second, one processor (DynamoDB Local)"
    return Plot("throughput", title, "tags and batch size", "records a second", series, "bars", log_y=True)


def _contention_plot(contention: Sequence[Mapping[str, Any]]) -> Plot:
    names = [f"{case['tags'].partition(' ')[0]}\n{case['processors']}" for case in contention]
    series = []
    for design in CONTENDERS:
        found = [spread(case["recordsPerSecond"][design]) for case in contention]
        low, high = [each.lower for each in found], [each.upper for each in found]
        series.append(Series(design, names, [each.median for each in found], low, high))
    title = "Records a second of all processors together"
    return Plot("contention", title, "tags and processors", "records a second", series, "bars", log_y=True)
