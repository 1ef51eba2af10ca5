"""Designs at work: handlers in processes of their own, on tables of DynamoDB Local, and the totals that they keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.dynamodb_local.engine import Engine

from .traffic import Traffic

ROOT = Path(__file__).resolve().parents[1]
OURS = "this project"
HANDLERS = {
    OURS: "functions.process_stream.handler",
    "Powertools": "benchmarks.peers.powertools_stream.handler",
    "idempotency item": "benchmarks.peers.resource_counters.idempotency_item",
    "client token": "benchmarks.peers.resource_counters.client_token",
    "tutorial": "benchmarks.peers.tutorial.process_stream",
}
"""The designs, by the names that results have, and their handlers."""

MAX_BATCHES = 40
MAX_RECORDS = 100_000
"""The most that a process handles at a time, so that making the records does not take longer than handling them."""


class Work(NamedTuple):
    """What handling some events took.

    Seconds on the clock and of the processor, batches delivered again, requests to DynamoDB, how many of these failed a
    condition, and the units if they are counted.
    """

    seconds: float
    cpu: float
    repeated: int
    requests: int
    failed: int
    write_units: float
    read_units: float


class Worker:
    """A process that runs one handler. Batches are handed over before the clock starts."""

    def __init__(self, handler: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "benchmarks.worker", handler],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )

    def load(self, batches: Sequence[Mapping[str, Any]]) -> None:
        """Hand over the batches of the next run."""
        self._send(batches)
        self.result()

    def start(self) -> None:
        """Start handling the batches."""
        self._send(None)

    def result(self) -> Any:
        """Wait for the answer. Raises RuntimeError if the process died, which says why on standard error."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"A worker ended with status {self._process.wait()}.")
        return json.loads(line)

    def end(self) -> None:
        """End the process. Idempotent."""
        for pipe in (self._process.stdin, self._process.stdout):
            # If it died, the rest cannot be sent any more.
            with suppress(BrokenPipeError):
                pipe.close() if pipe else None
        self._process.wait(30)

    def _send(self, value: Any) -> None:
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()


class Deployment:
    """A handler on tables of its own, in one or more processes. With `units`, its requests' units are counted."""

    def __init__(
        self, engine: Engine, handler: str, name: str, distribution: str, processors: int = 1, *, units: bool = False
    ) -> None:
        self._client = engine.client
        self.table, other = f"{name}-visits", f"{name}-other"
        engine.create_table(self.table)
        engine.create_table(other, None)
        described = engine.client.describe_table(TableName=self.table)["Table"]
        self.traffic = Traffic(described["LatestStreamArn"], distribution, time.time())
        tables = {"TABLE_NAME": self.table, "IDEMPOTENCY_TABLE_NAME": other}
        named = {"AWS_LAMBDA_FUNCTION_NAME": "benchmark", "POWERTOOLS_SERVICE_NAME": "benchmark"}
        environment = {**engine.environment, **tables, **named, **({"COUNT_UNITS": "1"} if units else {})}
        self._workers = [Worker(handler, environment) for _ in range(processors)]

    def process(self, *shares: Sequence[Mapping[str, Any]]) -> Work:
        """Let one process for each share handle its events, all at once."""
        workers = self._workers[: len(shares)]
        for worker, events in zip(workers, shares, strict=True):
            worker.load(events)
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        answers = [Work(**worker.result()) for worker in workers]
        if len(answers) == 1:
            return answers[0]
        sums = Work(*(sum(column) for column in zip(*answers, strict=True)))
        return sums._replace(seconds=time.perf_counter() - started)

    def total(self) -> int:
        """Read the total."""
        found = self._client.get_item(TableName=self.table, Key={"ID": {"S": "COUNTER"}}, ConsistentRead=True)
        return int(found.get("Item", {}).get("TotalViews", {}).get("N", "0"))

    def end(self) -> None:
        """End the processors."""
        for worker in self._workers:
            worker.end()


def end_all(deployments: Iterable[Deployment]) -> None:
    """End every deployment's processors."""
    for deployment in deployments:
        deployment.end()


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far. Raises OSError except on Linux."""
    # The name, which comes before these fields in parentheses, may contain spaces.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def batches_for(seconds: float, rate: float, size: int) -> int:
    """Return how many batches of `size` records take about `seconds` at `rate` records a second; at least one."""
    return max(1, min(MAX_BATCHES, MAX_RECORDS // size, round(seconds * rate / size)))
