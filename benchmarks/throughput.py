"""Records a second through the stream's function beside each baseline, and with several processors at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .chapters import Options, Progress
from .reporting import Plot, Report, Series, number, spelled, table, verdict
from .spread import Spread, paired_ratio, spread, turns
from .traffic import DISTRIBUTIONS
from .workers import HANDLERS, OURS, Deployment, Work, batches_for, end_all, processor_seconds

TITLE = "Throughput and contention"
SECONDS = 420

TUTORIAL, POWERTOOLS = "tutorial", "Powertools"
GOALS = {TUTORIAL: 0.4, POWERTOOLS: 150}
"""This project's records a second in proportion to a baseline's, at least, everywhere."""

SIZES = (100, 1_000, 10_000)
FASTEST = (OURS, TUTORIAL)
"""The designs that are measured with the largest batches as well."""

CASES = {"1 shard": (1, 1), "4 shards": (4, 1), "8 shards": (8, 1), "1 shard twice": (1, 2)}
"""How many shards there are, and how many processors handle the batches of each at the same time: two if Lambda takes a
slow processor for lost."""
CONTENDERS = (OURS, POWERTOOLS, "idempotency item", TUTORIAL)
BATCH = 100
"""The size of the batches of several processors."""

TEXT = """Each design's handler gets batches of stream records in a warm process, with its tables on DynamoDB Local. In
each of {repeats} repeats, every design handles batches for about {seconds:g} s, in turns, on tables of its own.
DynamoDB Local is one process on the same machine, so the figures include the engine's own work and lack the network's
latency.
"""


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure both parts. A wrong total is data, not an error."""
    from tests.dynamodb_local.engine import Engine, install  # noqa: PLC0415 - a report needs no engine

    engine = Engine(install())
    try:
        seconds = 0.15 if options.quick else 0.7
        rates = []
        sizes = SIZES[::2] if options.quick else SIZES
        cases = [(distribution, size) for distribution in DISTRIBUTIONS for size in sizes]
        for index, (distribution, size) in enumerate(cases):
            progress(0.75 * index / len(cases), f"{distribution}, batches of {size:,}")
            engine.restart()
            rates.append(_rates(engine, distribution, size, options.repeats(5), seconds))
        progress(0.75, "several processors")
        engine.restart()
        contention = _contention(engine, options.repeats(5), seconds)
    finally:
        engine.stop()
    return {"seconds": seconds, "repeats": options.repeats(5), "rates": rates, "contention": contention}


def _rates(engine: Any, distribution: str, size: int, repeats: int, seconds: float) -> dict[str, Any]:
    """Measure records a second of every design with one processor."""
    deployed = _deploy(engine, FASTEST if size == SIZES[-1] else HANDLERS, distribution)
    try:
        number_of = {design: _batches(deployment, seconds, size) for design, deployment in deployed.items()}
        found: dict[str, dict[str, list[float]]] = {
            # Processor time is steadier than the clock, and shows who needs it.
            kind: {design: [] for design in deployed}
            for kind in ("recordsPerSecond", "ownMicrosecondsPerRecord", "engineMicrosecondsPerRecord")
        }
        for repeat, design in turns(list(deployed), repeats + 1):
            deployment, batches = deployed[design], number_of[design]
            events = [deployment.traffic.batch(size) for _ in range(batches)]
            before = processor_seconds(engine.pid)
            work = deployment.process(events)
            used = processor_seconds(engine.pid) - before
            # The first repeat warms the engine up, which compiles what it runs often.
            if repeat:
                records = batches * size
                found["recordsPerSecond"][design].append(records / work.seconds)
                found["ownMicrosecondsPerRecord"][design].append(1e6 * work.cpu / records)
                found["engineMicrosecondsPerRecord"][design].append(1e6 * used / records)
        return {"distribution": distribution, "size": size, **found, "wrong": _wrong(deployed)}
    finally:
        end_all(deployed.values())


def _contention(engine: Any, repeats: int, seconds: float) -> list[dict[str, Any]]:
    """Measure records a second of all processors together."""
    most = max(shards for shards, _ in CASES.values())
    deployed = _deploy(engine, CONTENDERS, "zipf", most)
    try:
        number_of = {}
        for design, deployment in deployed.items():
            deployment.process(*([deployment.traffic.batch(BATCH, line)] for line in range(most)))
            number_of[design] = _batches(deployment, seconds, BATCH)
        found = []
        for name, (shards, times) in CASES.items():
            measured: dict[str, list[float]] = {design: [] for design in deployed}
            works: dict[str, list[Work]] = {design: [] for design in deployed}
            batches = {design: max(1, round(number_of[design] / shards)) for design in deployed}
            for _, design in turns(list(deployed), repeats):
                traffic, size = deployed[design].traffic, batches[design]
                each = [[traffic.batch(BATCH, line) for _ in range(size)] for line in range(shards)]
                work = deployed[design].process(*each * times)
                works[design].append(work)
                measured[design].append(shards * size * BATCH / work.seconds)
            sums = {design: [sum(column) for column in zip(*each, strict=True)] for design, each in works.items()}
            found.append(
                {
                    "case": name,
                    "recordsPerSecond": measured,
                    "requestsPerBatch": {
                        design: Work(*each).requests / (repeats * shards * batches[design])
                        for design, each in sums.items()
                    },
                    "failedConditions": {design: Work(*each).failed for design, each in sums.items()},
                    "repeatedBatches": {design: Work(*each).repeated for design, each in sums.items()},
                    "wrong": _wrong(deployed),
                }
            )
        return found
    finally:
        end_all(deployed.values())


def _deploy(engine: Any, designs: Iterable[str], distribution: str, processors: int = 1) -> dict[str, Deployment]:
    return {
        design: Deployment(engine, HANDLERS[design], f"design-{index}", distribution, processors)
        for index, design in enumerate(designs)
    }


def _batches(deployment: Deployment, seconds: float, size: int) -> int:
    """Return how many batches take about `seconds`."""
    # The first batch warms the function up; the second one shows how long a batch takes.
    deployment.process([deployment.traffic.batch(100)])
    warm = deployment.process([deployment.traffic.batch(100)])
    return batches_for(seconds, 100 / warm.seconds, size)


def _wrong(deployed: Mapping[str, Deployment]) -> dict[str, list[int]]:
    """Return the total and the number of visits of each design whose total is not that number."""
    found = {design: [deployment.total(), deployment.traffic.visits] for design, deployment in deployed.items()}
    return {design: pair for design, pair in found.items() if pair[0] != pair[1]}


def report(data: Mapping[str, Any]) -> Report:
    """Write the chapter."""
    rates, contention = data["rates"], data["contention"]
    plots = [_plot("throughput", "Records a second, one processor (DynamoDB Local)", _named(rates), HANDLERS),
             _plot("contention", "Records a second of all processors together",
                   [(case["case"], case) for case in contention], CONTENDERS)]  # fmt: skip
    parts = [
        TEXT.format(**data),
        "\n### Records a second\n\n",
        "This project's records a second, and its ratio to each baseline.\n\n",
        _rates_table(rates),
        "".join(f"\n{_goal(rates, baseline, least)}\n" for baseline, least in GOALS.items()),
        f"\n{plots[0].markdown}",
        "\nThe processor time of a record in microseconds: the design's own, and DynamoDB Local's for it.\n\n",
        _processor_table(rates),
        "\nThe larger a batch, the less its one request matters, and the more reading does: this project reads and "
        "checks both images of each record, the tutorial only the name and the key. One loop that reads and adds up "
        "ordinary records, without an object for each image, took a third of the time of reading and adding up in a "
        "trial, and should reach 0.4 for every size.\n"
        "\nThe tutorial and the client token make one request for each batch, as this project does, but they are not "
        "exact. Neither is Powertools if a function dies: [peers](peers) says when.\n",
        "\n### Several processors\n\n",
        f"Records a second of all processors together, in batches of {BATCH}, by Zipf's law over 10,000 tags in each "
        "shard. Each shard has one processor; in the last case, two processors handle the same batches of one shard "
        "at the same time, as after a timeout. They share the machine's cores with the engine, which runs one request "
        "after another: this shows the cost of contention, not how the designs scale.\n\n",
        _contention_table(contention),
        f"\n{_contention_goal(contention)}\n\n{_exactness([*rates, *contention])}\n\n{plots[1].markdown}",
    ]
    return Report("".join(parts), plots)


def _named(rates: Iterable[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(f"{case['distribution']}, {case['size']:,}", case) for case in rates]


def _over(case: Mapping[str, Any], baseline: str) -> Spread:
    """Return how many times as fast as a baseline this project was."""
    measured = case["recordsPerSecond"]
    return paired_ratio(measured[OURS], measured[baseline])


def _rates_table(rates: Iterable[Mapping[str, Any]]) -> str:
    baselines = [design for design in HANDLERS if design != OURS]
    rows = []
    for name, case in _named(rates):
        cells = [
            spelled(_over(case, design)) + (" *wrong*" if design in case["wrong"] else "")
            if design in case["recordsPerSecond"]
            else ""
            for design in baselines
        ]
        rows.append([name, spelled(spread(case["recordsPerSecond"][OURS])), *cells])
    return table(["tags, batch size", "records a second", *(f"to {design}" for design in baselines)], rows)


def _processor_table(rates: Iterable[Mapping[str, Any]]) -> str:
    designs = (OURS, TUTORIAL, POWERTOOLS)
    kinds = ("ownMicrosecondsPerRecord", "engineMicrosecondsPerRecord")
    rows = []
    for name, case in _named(rates):
        measured = [case[kind].get(design) for design in designs for kind in kinds]
        rows.append([name, *(number(spread(each).median) if each else "" for each in measured)])
    return table(["tags, batch size", *(head for design in designs for head in (design, "engine"))], rows)


def _goal(rates: Iterable[Mapping[str, Any]], baseline: str, least: float) -> str:
    cases = {name: case for name, case in _named(rates) if baseline in case["recordsPerSecond"]}
    found, name = min((_over(case, baseline).median, name) for name, case in cases.items())
    whose = {TUTORIAL: "the tutorial's", POWERTOOLS: "Powertools'"}[baseline]
    goal = f"at least {least:,.2f} times {whose} records a second everywhere".replace(".00 ", " ")
    return verdict(goal, f"the least is {number(found)} ({name})", met=found >= least)


def _contention_goal(contention: Iterable[Mapping[str, Any]]) -> str:
    alone = [case for case in contention if CASES[case["case"]][1] == 1]
    requests = max(case["requestsPerBatch"][OURS] for case in alone)
    failed = sum(case["failedConditions"][OURS] for case in alone)
    goal = "processors of different shards cost nothing: one request for each batch, and no failed condition"
    found = f"{number(requests)} requests for each batch, {failed:,} failed conditions"
    return verdict(goal, found, met=requests <= 1 and not failed)


def _exactness(cases: Iterable[Mapping[str, Any]]) -> str:
    wrong = [
        f"{design}: {total:,} instead of {visits:,}"
        for case in cases
        for design, (total, visits) in case["wrong"].items()
    ]
    if wrong:
        return f"**Wrong totals**: {'; '.join(wrong)}."
    return "After each of these runs, every design's total was the number of visits."


def _contention_table(contention: Iterable[Mapping[str, Any]]) -> str:
    def cell(case: Mapping[str, Any], design: str) -> str:
        notes = [f"{number(case['requestsPerBatch'][design])} requests"]
        notes += [f"{failed:,} failed"] if (failed := case["failedConditions"][design]) else []
        notes += [f"{again:,} again"] if (again := case["repeatedBatches"][design]) else []
        notes += ["*wrong*"] if design in case["wrong"] else []
        return f"{number(spread(case['recordsPerSecond'][design]).median)} ({', '.join(notes)})"

    rows = [[case["case"], *(cell(case, design) for design in CONTENDERS)] for case in contention]
    return table(["shards", *CONTENDERS], rows) + (
        "\nIn parentheses: the requests for each batch, the conditions that failed, and the batches that failed and "
        "were delivered again.\n"
    )


def _plot(name: str, title: str, cases: Sequence[tuple[str, Mapping[str, Any]]], designs: Iterable[str]) -> Plot:
    def series(design: str) -> Series:
        measured = {name: case["recordsPerSecond"].get(design) for name, case in cases}
        found = {name.replace(", ", "\n"): spread(values) for name, values in measured.items() if values}
        spreads = list(found.values())
        return Series(
            design,
            list(found),
            [each.median for each in spreads],
            [each.lower for each in spreads],
            [each.upper for each in spreads],
        )

    return Plot(name, title, "", "records a second", [series(design) for design in designs], "bars", log_y=True)
