"""A process that runs one Lambda handler, as a warm execution environment does; the program of `workers.Worker`.

Called with the handler's dotted name. Reads lines of JSON: a list of events, which it keeps, or null, at which it
handles them and answers with one line. A batch whose handler raises is delivered again, as the event source mapping
does it.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAX_DELIVERIES = 50


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


def main() -> None:
    """Serve until standard input ends."""
    # Ctrl-C ends the benchmark, and with it this process's standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Handlers print metrics; what they print is made, and goes nowhere.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    module, _, function = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), function)
    events: list[Any] = []
    for line in sys.stdin:
        read = json.loads(line)
        if read is not None:
            events = read
            answers.write("{}\n")
        else:
            answers.write(json.dumps(_handle(handler, events)) + "\n")
        answers.flush()


def _handle(handler: Callable[[Any, Context], Any], events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    deliveries = 0
    cpu, started = time.process_time(), time.perf_counter()
    for event in events:
        for attempt in range(1, MAX_DELIVERIES + 1):
            deliveries += 1
            try:
                answer = handler(event, Context())
            except Exception:
                if attempt == MAX_DELIVERIES:
                    raise
                continue
            if not (answer or {}).get("batchItemFailures"):
                break
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "repeated": deliveries - len(events),
    }


if __name__ == "__main__":
    main()
