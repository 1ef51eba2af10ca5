"""The start of a function: importing it and creating its client, in a fresh interpreter."""

from collections.abc import Mapping, Sequence
from typing import Any

from . import processes
from .chapters import Options, Progress
from .reporting import Plot, Report, Series, number, spelled, table
from .spread import Spread, ratios, turns

TITLE = "Start-up"
SECONDS = 150

REFERENCE = "boto3"
LAMBDA = "import os; os.environ['_HANDLER'] = 'functions.{0}.handler'; import functions.{0}"
PROGRAMS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    REFERENCE: ("import boto3; boto3.client('dynamodb')", {}),
    "botocore": ("import botocore.session as b; b.get_session().create_client('dynamodb')", {}),
    **{name: (LAMBDA.format(name), {}) for name in ("record_visit", "view_counts", "welcome", "process_stream")},
    # A data path of one's own makes botocore read its own data, as any other reason does.
    "view_counts, without model.json": (LAMBDA.format("view_counts"), {"AWS_DATA_PATH": "/nowhere"}),
    "tutorial": ("import benchmarks.peers.tutorial", {}),
    "Powertools, HTTP": ("import benchmarks.peers.powertools_http", {}),
    "Powertools, stream": ("import benchmarks.peers.powertools_stream", {}),
}
"""Code and further variables by name; the functions' names are those of their modules."""

OURS = ("record_visit", "view_counts", "welcome", "process_stream")
GOAL = 0.72


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure processor time in turns, and instructions once."""
    repeats = options.repeats(15)
    total = len(PROGRAMS) * (repeats + 10 * processes.counts_instructions())
    cpu: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for done, (_, name) in enumerate(turns(list(PROGRAMS), repeats)):
        progress(done / total, f"{name}, processor time")
        cpu[name].append(processes.used(*PROGRAMS[name]).cpu)
    counted: dict[str, int] = {}
    if processes.counts_instructions():
        for index, name in enumerate(PROGRAMS):
            progress((len(PROGRAMS) * repeats + 10 * index) / total, f"{name}, instructions")
            counted[name] = processes.instructions(*PROGRAMS[name])
    return {"cpu": cpu, "instructions": counted}


def report(data: Mapping[str, Any]) -> Report:
    """Report each program's ratio to a plain boto3 client."""
    counted: Mapping[str, int] = data["instructions"]
    cpu = ratios(data["cpu"], REFERENCE)
    share = {name: count / counted[REFERENCE] for name, count in counted.items() if name != REFERENCE}
    rows = [(f"`{name}`" if name in OURS else name, _instructions(share, name), spelled(cpu[name], 2)) for name in cpu]
    text = (
        'Importing a function and creating its client, in proportion to `import boto3; boto3.client("dynamodb")`: '
        "instructions counted by Valgrind, which hardly vary, and processor time. The goal is "
        f"{number(GOAL, 2)} of the instructions. Most of the rest is the import of botocore itself.\n\n"
    )
    return Report(
        text + table(("program", "instructions", "processor time"), rows) + "\n" + _plot(share, cpu).markdown,
        [_plot(share, cpu)],
    )


def _instructions(share: Mapping[str, float], name: str) -> str:
    return number(share[name], 3) if name in share else "not counted"


def _plot(share: Mapping[str, float], cpu: Mapping[str, Spread]) -> Plot:
    names: Sequence[str] = [name for name in cpu if "," not in name or name.startswith("Powertools")]
    series = [Series("processor time", names, [cpu[n].median for n in names],
                     [cpu[n].lower for n in names], [cpu[n].upper for n in names])]  # fmt: skip
    if share:
        series.insert(0, Series("instructions", names, [share[n] for n in names]))
    labels = [name.replace("_", "\n").replace(", ", "\n") for name in names]
    series = [Series(each.label, labels, each.y, each.low, each.high) for each in series]
    return Plot("startup", "Start-up, as a ratio to plain boto3", "", "ratio", series, kind="bars", goal=GOAL)
