"""Deployment: a program with more and more counters under the recording monitor, and the start of the local cloud."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from . import processes
from .chapters import Options, Progress
from .reporting import Report, number, spelled, table
from .spread import paired_ratio, spread, turns

TITLE = "Deployment"
SECONDS = 180

COUNTERS = (1, 10, 50)
IMPORTS = {
    "pulumi": "import pulumi",
    "pulumi and pulumi_aws": "import pulumi, pulumi_aws",
    "components": "from components import StreamTriggeredCounter",
}
LOCAL_GOAL = 3.0


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure processor time and memory of the program, and how long the local cloud takes to be ready."""
    repeats = options.repeats(3)
    imports: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for done, (_, name) in enumerate(turns(list(IMPORTS), options.repeats(7))):
        progress(0.1 * done / (7 * len(IMPORTS)), f"import of {name}")
        imports[name].append(processes.used(IMPORTS[name], {}).cpu)
    counters: dict[str, dict[str, list[float]]] = {str(n): {"cpu": [], "memory": []} for n in (0, *COUNTERS)}
    for done, (repeat, number_of) in enumerate(turns((0, *COUNTERS), repeats)):
        progress(0.1 + 0.7 * done / (repeats * 4), f"{number_of} counters, repeat {repeat + 1}")
        usage = processes.used(_program(number_of), {})
        counters[str(number_of)]["cpu"].append(usage.cpu)
        counters[str(number_of)]["memory"].append(usage.memory)
    ready = []
    for repeat in range(options.repeats(5)):
        progress(0.8 + 0.04 * repeat, "start of the local cloud")
        ready.append(_local_cloud())
    return {"imports": imports, "counters": counters, "ready": ready}


def report(data: Mapping[str, Any]) -> Report:
    """Report what each counter takes beyond the import, in proportion to each of ten."""
    counters: Mapping[str, Mapping[str, list[float]]] = data["counters"]
    rows = []
    for number_of in COUNTERS:
        added = {kind: _added(counters, number_of, kind) for kind in ("cpu", "memory")}
        ten = {kind: _added(counters, 10, kind) for kind in ("cpu", "memory")}
        ratios = [paired_ratio(added[kind], ten[kind]) for kind in ("cpu", "memory")]
        rows.append((str(number_of), *(spelled(ratio, 2) for ratio in ratios)))
    imported = paired_ratio(data["imports"]["components"], data["imports"]["pulumi"])
    whole = paired_ratio(data["imports"]["pulumi and pulumi_aws"], data["imports"]["pulumi"])
    text = (
        "A program with several counters in one stack, under the recording monitor of `components.testing`: what each "
        "counter adds to the import, in proportion to what each adds if there are ten. A ratio of 1 means that cost "
        "grows linearly. The first counter also imports the parts of pulumi_aws that it uses.\n\n"
        + table(("counters", "processor time of each", "memory of each"), rows)
        + f"\nImporting `pulumi_aws` takes {spelled(whole, 3)} of the time that importing `pulumi` takes, since "
        f"it imports its services when they are first used; importing `components` takes {spelled(imported, 3)}.\n\n"
        f"`./counter local`, once prepared, is ready in {spelled(spread(data['ready']), 2)} s; "
        f"the goal is {number(LOCAL_GOAL, 1)} s on an idle machine.\n"
    )
    return Report(text)


def _added(counters: Mapping[str, Mapping[str, list[float]]], number_of: int, kind: str) -> list[float]:
    pairs = zip(counters[str(number_of)][kind], counters["0"][kind], strict=True)
    return [(value - base) / number_of for value, base in pairs]


def _program(counters: int) -> str:
    return (
        "from components import StreamTriggeredCounter\n"
        "from components.testing import run\n"
        f"result = run(lambda: [StreamTriggeredCounter(f'counter{{n}}') for n in range({counters})])\n"
        f"assert len(result.all('stream-triggered-counter:index:StreamTriggeredCounter')) == {counters}\n"
    )


def _local_cloud() -> float:
    """Start the local cloud on a free port, and return the seconds until it prints its outputs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHONDONT"))}
    command = [sys.executable, str(processes.ROOT / "cli"), "local", "--json", "--port", "0"]
    started = time.monotonic()
    with subprocess.Popen(  # noqa: S603
        command, cwd=processes.ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as cloud:
        try:
            line = cloud.stdout.readline() if cloud.stdout else ""
            seconds = time.monotonic() - started
            if "endpointUrl" not in json.loads(line or "{}"):
                raise RuntimeError(f"the local cloud did not start: {line!r}")
        finally:
            cloud.send_signal(signal.SIGINT)
            cloud.wait(30)
    return seconds
