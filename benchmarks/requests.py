"""The work of a warm invocation: processor time with the network stubbed, so that all of it is Python's."""

import importlib
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from . import processes
from .chapters import Options, Progress
from .reporting import Plot, Report, Series, number, spelled, table
from .spread import paired_ratio, turns
from .traffic import Traffic
from .worker import clients_of

TITLE = "Work per request"
SECONDS = 90

OURS, PLAIN, OWN = "this project", "plain client", "own code"
POWERTOOLS, TUTORIAL = "Powertools", "tutorial"
FUNCTIONS = ("functions.record_visit.handler", "functions.view_counts.handler", "functions.process_stream.handler")
HTTP = "benchmarks.peers.powertools_http.handler"
PAGES = "benchmarks.peers.tutorial"

DESIGNS: Mapping[str, tuple[str, Sequence[str]]] = {
    OURS: ("stub_client", FUNCTIONS),
    PLAIN: ("use_plain_client", FUNCTIONS),
    OWN: ("use_no_client", FUNCTIONS),
    POWERTOOLS: ("stub_client", (HTTP, HTTP, "benchmarks.peers.powertools_stream.handler")),
    TUTORIAL: ("stub_client", [f"{PAGES}.{name}" for name in ("record_visit", "view_counts", "process_stream")]),
}
"""The function that prepares a process, and the handlers of visits, reads and batches. `plain client` is this project
with the client that `boto3.client("dynamodb")` makes, and `own code` with one that does nothing."""

ROUTES = {"visit": ("POST", "/tag/tech"), "read": ("GET", "/counts/tech")}
BATCHES = {"1 record": 1, "100 records": 100}
INVOCATIONS = dict.fromkeys(ROUTES, 150) | dict.fromkeys(BATCHES, 40)
"""How many invocations of each workload one figure is the mean of."""

GOALS = {"visit": 0.75, "read": 0.75}

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
LABEL = "2026-01-01T00:00:00.000"
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/visits"
STREAM_ARN = f"{TABLE_ARN}/stream/{LABEL}"


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure all designs in turns."""
    repeats = options.repeats(15)
    data: dict[str, dict[str, list[float]]] = {}
    for index, workload in enumerate(INVOCATIONS):
        progress(index / len(INVOCATIONS), workload)
        data[workload] = _measure(workload, repeats)
    return data


def _measure(workload: str, repeats: int) -> dict[str, list[float]]:
    from .workers import Worker  # noqa: PLC0415 - a report needs no processes

    kind = list(ROUTES).index(workload) if workload in ROUTES else 2
    workers = {
        design: Worker(handlers[kind], {**processes.FUNCTION, "PREPARE": f"{__name__}.{prepare}"})
        for design, (prepare, handlers) in DESIGNS.items()
    }
    traffic = Traffic(STREAM_ARN, "uniform", time.time())
    seconds: dict[str, list[float]] = {design: [] for design in DESIGNS}
    try:
        # The first repeat warms the functions up.
        for repeat, design in turns(list(DESIGNS), repeats + 1):
            slow = design == POWERTOOLS and workload in BATCHES
            count = INVOCATIONS[workload] // (5 if slow else 1)
            workers[design].load([_event(workload, traffic) for _ in range(count)])
            workers[design].start()
            used = workers[design].result()["cpu"] / count
            if repeat:
                seconds[design].append(used)
        return seconds
    finally:
        for worker in workers.values():
            worker.end()


def _event(workload: str, traffic: Traffic) -> dict[str, Any]:
    """Return an event. Each batch has other records, since the function skips those that it has seen."""
    from tests.functions.gateway import event  # noqa: PLC0415

    return event(*ROUTES[workload]) if workload in ROUTES else traffic.batch(BATCHES[workload])


def report(data: Mapping[str, Mapping[str, list[float]]]) -> Report:
    """Report this project's ratio to each other design, and the share of its own code."""
    rows = []
    for workload, measured in data.items():
        compared = [paired_ratio(measured[OURS], measured[design]) for design in (PLAIN, POWERTOOLS, TUTORIAL)]
        goal = number(GOALS[workload], 2) if workload in GOALS else ""
        cells = [spelled(each, 2) for each in (*compared, paired_ratio(measured[OWN], measured[OURS]))]
        rows.append((workload, cells[0], goal, *cells[1:]))
    head = ("invocation", "to a plain client", "goal", "to Powertools", "to the tutorial", "share of own code")
    text = (
        "Processor time of a warm invocation with the network stubbed. The first ratio compares the same functions "
        "with and without the settings that make botocore fast. Powertools and the tutorial do other work for the same "
        "request, and count less exactly. The last column is the share of the functions' own code: the time with a "
        "client that does nothing.\n\n"
    )
    series = [_series(design, data) for design in (OURS, OWN)]
    plot = Plot("requests", "Processor time, as a ratio to a plain client", "", "ratio", series, kind="bars")
    return Report(text + table(head, rows) + "\n" + plot.markdown, [plot])


def _series(design: str, data: Mapping[str, Mapping[str, list[float]]]) -> Series:
    found = [paired_ratio(measured[design], measured[PLAIN]) for measured in data.values()]
    names = [name.replace(", ", "\n") for name in data]
    return Series(design, names, [f.median for f in found], [f.lower for f in found], [f.upper for f in found])


class Store:
    """Answers requests like a table with a total, in which the tag `tech` was visited five times; writes do nothing."""

    def __init__(self) -> None:
        from functions.dynamodb.description import TableDescription  # noqa: PLC0415 - a report needs none

        stream = {"LatestStreamLabel": LABEL, "LatestStreamArn": STREAM_ARN, "ItemCount": 3}
        self.table = {"TableName": "visits", "TableArn": TABLE_ARN, "CreationDateTime": CREATED, **stream}
        described = TableDescription(self.table)
        self._items: dict[str, dict[str, Any]] = {
            "tech": {"Count": {"N": "5"}, "Since": {"S": "2026-01-01T00:00:00.000001Z"}},
            "COUNTER": {
                "TotalViews": {"N": "90"},
                "Held": {"N": "90"},
                "Ended": {"N": "0"},
                "Generation": {"S": "0123456789abcdef"},
                "GenerationTime": {"S": described.begins},
                "Positions": {"M": {}},
                "Table": {"S": described.identity},
            },
        }

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request, as an SDK returns it."""
        if operation == "DescribeTable":
            return {"Table": self.table}
        if operation == "UpdateItem":
            return {"Attributes": {"Count": {"N": "11"}}}
        if operation == "GetItem":
            return {"Item": item} if (item := self._item(request["TableName"], request["Key"])) else {}
        if operation == "BatchGetItem":
            ((table_name, keys),) = request["RequestItems"].items()
            items = [self._item(table_name, key) for key in keys["Keys"]]
            return {"Responses": {table_name: [item for item in items if item]}, "UnprocessedKeys": {}}
        return {}

    def _item(self, table_name: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self._items.get(key["ID"]["S"]) if table_name == "visits" else None
        return None if found is None else {"ID": key["ID"], **found}


class Raw(io.BytesIO):
    """A response's body, as urllib3 has it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return the body in one piece."""
        yield self.read()


class Nothing:
    """A client that does nothing but look up its answers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made: dict[Any, Any] = {}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(map(str.capitalize, method.split("_")))

        def answer(**request: Any) -> Any:
            if operation not in self._made or operation == "GetItem":
                self._made[operation] = self._store.answer(operation, request)
            return self._made[operation]

        setattr(self, method, answer)
        return answer


def stub(client: Any) -> Any:
    """Answer a client's requests instead of sending them. Each response is made once."""
    from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]  # noqa: PLC0415

    store, made = Store(), dict[Any, bytes]()

    def answer(request: Any, event_name: str, **_: Any) -> Any:
        operation = event_name.rpartition(".")[2]
        key = operation, request.body if "Get" in operation else b""
        if key not in made:
            answered = store.answer(operation, json.loads(request.body))
            made[key] = json.dumps(answered, default=datetime.timestamp).encode()
        return AWSResponse(request.url, 200, {"x-amzn-RequestId": "id"}, Raw(made[key]))

    client.meta.events.register("before-send.dynamodb.*", answer)
    return client


def stub_client(module: str) -> None:
    """Make a handler's own clients send nothing."""
    for client in clients_of(module):
        stub(client)


def use_plain_client(_: str) -> None:
    """Give this project's functions the client that boto3 makes, which sends nothing."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415

    _use(stub(boto3.client("dynamodb")))


def use_no_client(_: str) -> None:
    """Give this project's functions a client that does nothing."""
    _use(Nothing(Store()))


def _use(client: Any) -> None:
    clients = importlib.import_module("functions.dynamodb.client")
    setattr(clients, "_new_client", lambda _: client)  # noqa: B010 - mypy has another type for it
    clients.client.cache_clear()
    clients.single_attempt_client.cache_clear()
