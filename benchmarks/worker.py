"""A process that runs one Lambda handler, as a warm execution environment does; the program of `workers.Worker`.

Called with the handler's dotted name. Reads lines of JSON: a list of events, which it keeps, or null, upon which it
handles them and answers with one line. As the event source mapping does, it delivers a batch again if its handler
fails, and passes the state of a tumbling window on.

The environment variable PREPARE may name a function, called with the handler's module before the first event; with
COUNT_UNITS, the units of requests are counted.
"""

import gc
import importlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAX_DELIVERIES = 50

TRANSACTION_UNITS = 2
"""The write units of each item of a transaction, if it has at most 1 KB (DynamoDB Developer Guide, "Transactions").
DynamoDB Local charges transactions differently, so only its figures for other requests are used."""

FAILED_CONDITIONS = ("ConditionalCheckFailedException", "TransactionCanceledException")


class Context:
    """The context of an invocation with 30 seconds left."""

    function_name = "benchmark"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:benchmark"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self) -> None:
        self._end = time.monotonic() + 30

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation would end."""
        return max(0, round((self._end - time.monotonic()) * 1000))


class Meter:
    """Counts the requests of clients to DynamoDB, their failed conditions and, if asked, their units."""

    def __init__(self, clients: Sequence[Any], *, units: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._actions = 0
        for client in clients:
            client.meta.events.register("after-call.dynamodb", self._after_units if units else self._after)
            if units:
                client.meta.events.register("before-call.dynamodb", self._before)

    def _before(self, params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"])
        self._actions = len(body.get("TransactItems", ()))
        params["body"] = json.dumps(body | {"ReturnConsumedCapacity": "TOTAL"}).encode()

    def _after(self, parsed: Mapping[str, Any], **_: Any) -> None:
        self.counts["requests"] += 1
        self.counts["failed"] += parsed.get("Error", {}).get("Code") in FAILED_CONDITIONS

    def _after_units(self, parsed: Mapping[str, Any], http_response: Any, model: Any, **_: Any) -> None:
        self._after(parsed)
        if self._actions:
            self.counts["write_units"] += TRANSACTION_UNITS * self._actions
            return
        consumed = json.loads(http_response.content).get("ConsumedCapacity", [])
        units = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
        self.counts["read_units" if "Get" in model.name else "write_units"] += units


def clients_of(module: str) -> Sequence[Any]:
    """Return the DynamoDB clients of a handler's module."""
    if module.startswith("functions."):
        from functions.dynamodb.client import client, single_attempt_client  # noqa: PLC0415

        return client(), single_attempt_client()
    return (importlib.import_module(module).client,)


def main() -> None:
    """Serve until standard input ends."""
    # Ctrl-C ends the benchmark, and with it this process's standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Handlers print metrics, which are formatted and then discarded.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    module, handler = _load(sys.argv[1])
    meter = Meter([], units=False)
    if prepare := os.environ.get("PREPARE"):
        _load(prepare)[1](module)
    else:
        meter = Meter(clients_of(module), units="COUNT_UNITS" in os.environ)
    events: list[Any] = []
    states: dict[str, Any] = {}
    for line in sys.stdin:
        read = json.loads(line)
        if read is not None:
            events = read
            # On Lambda, a process has the events of one invocation only, so collecting garbage is not that much work.
            gc.collect()
            gc.freeze()
            answers.write("{}\n")
        else:
            answers.write(json.dumps(_handle(handler, events, states, meter)) + "\n")
            gc.unfreeze()
        answers.flush()


def _load(name: str) -> tuple[str, Callable[..., Any]]:
    module, _, function = name.rpartition(".")
    return module, getattr(importlib.import_module(module), function)


def _handle(
    handler: Callable[[Any, Context], Any],
    events: Sequence[dict[str, Any]],
    states: dict[str, Any],
    meter: Meter,
) -> dict[str, float]:
    """Handle events. `states` has the state of each shard's window."""
    deliveries = 0
    meter.counts.clear()
    cpu, started = time.process_time(), time.perf_counter()
    for event in events:
        shard = event.get("shardId", "")
        if shard:
            event["state"] = states.get(shard, {})
        for attempt in range(1, MAX_DELIVERIES + 1):
            deliveries += 1
            try:
                answer = handler(event, Context()) or {}
            except Exception:
                if attempt == MAX_DELIVERIES:
                    raise
                continue
            if not answer.get("batchItemFailures"):
                states[shard] = answer.get("state", {})
                break
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "repeated": deliveries - len(events),
        **{name: meter.counts[name] for name in ("requests", "failed", "write_units", "read_units")},
    }


if __name__ == "__main__":
    main()
