"""The work of a warm invocation: processor time with the network stubbed, so that all of it is Python's.

Run as a program, this module is a worker: `python -m benchmarks.requests DESIGN`. It reads lines with a workload and a
number of invocations, and answers each with the seconds of processor time of one.
"""

import gc
import importlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from components.testing import StreamEvents

from . import processes
from .chapters import Options, Progress
from .reporting import Plot, Report, Series, number, spelled, table
from .spread import paired_ratio, turns
from .worker import Context

TITLE = "Work per request"
SECONDS = 90

OURS, PLAIN, OWN = "this project", "plain client", "own code"
DESIGNS = (OURS, PLAIN, OWN, "Powertools", "tutorial")
"""`plain client` is this project with the client that `boto3.client("dynamodb")` makes; `own code` is this project with
a client that does nothing; the others are baselines."""

INVOCATIONS = {"visit": 150, "read": 150, "1 record": 100, "100 records, 1 tag": 40, "100 records, 100 tags": 8}
"""How many invocations of each workload one figure is the mean of."""

GOALS = {"visit": 0.75, "read": 0.75, "100 records, 100 tags": 0.65}
OWN_GOAL = 0.1

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = StreamEvents("visits", region="eu-west-1")
ARN, LABEL = EVENTS.stream_arn.split("/stream/")
SINCE = {"S": "2026-01-01T00:00:00.000001Z"}


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure all designs in turns."""
    repeats = options.repeats(15)
    data: dict[str, dict[str, list[float]]] = {workload: {} for workload in INVOCATIONS}
    with ExitStack() as stack:
        workers = {design: _start(design, stack) for design in DESIGNS}
        for index, (workload, invocations) in enumerate(INVOCATIONS.items()):
            for repeat, design in turns(DESIGNS, repeats):
                progress((index + repeat / repeats) / len(INVOCATIONS), f"{workload}, {design}")
                number_of = max(1, invocations // (5 if design == "Powertools" and "records" in workload else 1))
                seconds = _ask(workers[design], workload, number_of)
                data[workload].setdefault(design, []).append(seconds)
    return data


def report(data: Mapping[str, Mapping[str, list[float]]]) -> Report:
    """Report this project's ratio to each other design, and the share of its own code."""
    rows = []
    for workload, measured in data.items():
        compared = {design: paired_ratio(measured[OURS], measured[design]) for design in DESIGNS[1:] if design != OWN}
        share = paired_ratio(measured[OWN], measured[OURS])
        goal = number(GOALS[workload], 2) if workload in GOALS else ""
        cells = [spelled(each, 2) for each in compared.values()]
        rows.append((workload, cells[0], goal, *cells[1:], spelled(share, 2)))
    head = ("invocation", "to a plain client", "goal", "to Powertools", "to the tutorial", "share of own code")
    text = (
        "Processor time of a warm invocation with the network stubbed. The first ratio compares the same functions "
        "with and without the settings that make botocore fast. Powertools and the tutorial do other work for the same "
        "request, and count less exactly. The last column is the share of the functions' own code: the time with a "
        f"client that does nothing. Its goal, {number(OWN_GOAL, 1)} everywhere, was set when botocore took up to twice "
        "as long; the share grows as botocore's shrinks. It is a few microseconds for each record, mostly to read and "
        "check its dozen fields.\n\n"
    )
    series = [_series(design, data) for design in (OURS, OWN)]
    plot = Plot("requests", "Processor time, as a ratio to a plain client", "", "ratio", series, kind="bars")
    return Report(text + table(head, rows) + "\n" + plot.markdown, [plot])


def _series(design: str, data: Mapping[str, Mapping[str, list[float]]]) -> Series:
    found = [paired_ratio(measured[design], measured[PLAIN]) for measured in data.values()]
    names = [name.replace(", ", "\n") for name in data]
    return Series(design, names, [f.median for f in found], [f.lower for f in found], [f.upper for f in found])


def _start(design: str, stack: ExitStack) -> "subprocess.Popen[str]":
    worker = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", __spec__.name, design],
        cwd=processes.ROOT,
        env=processes.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(worker.wait, processes.TIMEOUT)
    stack.callback(lambda: worker.stdin and worker.stdin.close())
    return worker


def _ask(worker: "subprocess.Popen[str]", workload: str, invocations: int) -> float:
    if worker.stdin is None or worker.stdout is None:  # pragma: no cover - both are pipes
        raise TypeError
    worker.stdin.write(json.dumps([workload, invocations]) + "\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def http_event(method: str, path: str, route: str) -> dict[str, Any]:
    """Return the event of a request for the tag `tech`, in payload format 2.0."""
    domain = "id.execute-api.eu-west-1.amazonaws.com"
    described = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl/8"}
    return {
        "version": "2.0",
        "routeKey": f"{method} {route}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"accept": "application/json", "host": domain, "user-agent": "curl/8", "x-forwarded-proto": "https"},
        "pathParameters": {"tag": "tech"},
        "requestContext": {"http": described, "stage": "$default", "domainName": domain, "requestId": "id"},
        "isBase64Encoded": False,
    }


def batch(records: int, tags: int) -> dict[str, Any]:
    """Return a batch of visits that take turns among the tags."""
    listed = []
    for index in range(records):
        tag, count = f"tag{index % tags}", 10 + index // tags
        old, new = ({"ID": {"S": tag}, "Count": {"N": str(n)}, "Since": SINCE} for n in (count, count + 1))
        listed.append(EVENTS.record("MODIFY", tag, old=old, new=new))
    return {"Records": listed}


class Store:
    """Answers requests like tables in which every tag was visited ten times; writes change nothing."""

    def __init__(self) -> None:
        from functions.total.ownership import TableDescription  # noqa: PLC0415 - only workers need it

        described = TableDescription(ARN, CREATED, LABEL, 3)
        epoch = {"S": f"{described.fingerprint}-1"}
        entry = {"Counted": {"N": "10"}, "Given": {"N": "10"}, "Stream": {"S": LABEL}, "Sequence": {"S": "1"}}
        total = {"TotalViews": {"N": "90"}, "Held": {"N": "90"}, "Ledger": {"S": "visits-ledger"}, "Epoch": epoch}
        self._items: dict[str, dict[str, Any]] = {
            "visits": {"tech": {"Count": {"N": "5"}, "Since": SINCE}, "COUNTER": total},
            "visits-ledger": {f"tag{n}": {**entry, "Since": SINCE, "Epoch": epoch} for n in range(100)},
        }
        self._items["visits-ledger"]["COUNTER"] = {"Table": {"S": described.identity}, "Epoch": epoch}
        stream = {"LatestStreamLabel": LABEL, "LatestStreamArn": f"{ARN}/stream/{LABEL}", "ItemCount": 3}
        self.table = {"TableName": "visits", "TableStatus": "ACTIVE", "TableArn": ARN, **stream}

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request, as an SDK returns it."""
        if operation == "DescribeTable":
            return {"Table": {**self.table, "CreationDateTime": CREATED}}
        if operation == "UpdateItem":
            return {"Attributes": {"Count": {"N": "11"}}}
        if operation == "GetItem":
            found = self._item(request["TableName"], request["Key"])
            return {"Item": found} if found else {}
        if operation == "BatchGetItem":
            ((table_name, keys),) = request["RequestItems"].items()
            found_items = [self._item(table_name, key) for key in keys["Keys"]]
            return {"Responses": {table_name: [item for item in found_items if item]}, "UnprocessedKeys": {}}
        return {}

    def _item(self, table_name: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self._items.get(table_name, {}).get(key["ID"]["S"])
        return None if found is None else {"ID": key["ID"], **found}


class Raw(io.BytesIO):
    """A response's body, as urllib3 has it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return the body in one piece."""
        yield self.read()


def stub(client: Any, store: Store) -> Any:
    """Answer a client's requests instead of sending them. Each response is made once."""
    from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]  # noqa: PLC0415

    made: dict[Any, bytes] = {}

    def answer(request: Any, event_name: str, **_: Any) -> Any:
        operation = event_name.rpartition(".")[2]
        key = operation, request.body if "Get" in operation else b""
        if key not in made:
            answered = store.answer(operation, json.loads(request.body))
            made[key] = json.dumps(answered, default=datetime.timestamp).encode()
        return AWSResponse(request.url, 200, {"x-amzn-RequestId": "id"}, Raw(made[key]))

    client.meta.events.register("before-send.dynamodb.*", answer)
    return client


class Nothing:
    """A client that does nothing but look up its answers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made: dict[Any, Any] = {}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(map(str.capitalize, method.split("_")))

        def answer(**request: Any) -> Any:
            # The keys of a read tell it apart; building a text of all of them would take longer than the functions do.
            tables = [(name, len(keys["Keys"]), keys["Keys"][-1]["ID"]["S"]) for name, keys in
                      request.get("RequestItems", {}).items()]  # fmt: skip
            key = operation, *tables
            if key not in self._made or operation == "GetItem":
                self._made[key] = self._store.answer(operation, request)
            return self._made[key]

        setattr(self, method, answer)
        return answer


class Unhurried(Context):
    """The context of any number of invocations, each with 30 seconds left."""

    def get_remaining_time_in_millis(self) -> int:
        """30 seconds."""
        return 30_000


def handlers(design: str, store: Store) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Import a design; return what handles visits, reads and batches."""
    if design in (OURS, PLAIN, OWN):
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415

        from functions.dynamodb import client as clients  # noqa: PLC0415

        real = clients._new_client
        makers: dict[str, Callable[[int], Any]] = {
            OURS: lambda attempts: stub(real(attempts), store),
            PLAIN: lambda _: stub(boto3.client("dynamodb"), store),
            OWN: lambda _: Nothing(store),
        }
        setattr(clients, "_new_client", makers[design])  # noqa: B010 - mypy has another type for it
        modules = ("record_visit", "view_counts", "process_stream")
        loaded = [importlib.import_module(f"functions.{name}") for name in modules]
        return loaded[0].handler, loaded[1].handler, loaded[2].handler
    peers = "benchmarks.peers"
    if design == "tutorial":
        module = importlib.import_module(f"{peers}.tutorial")
        stub(module.client, store)
        return module.record_visit, module.view_counts, module.process_stream
    http, stream = (importlib.import_module(f"{peers}.powertools_{kind}") for kind in ("http", "stream"))
    stub(http.client, store)
    stub(stream.client, store)
    return http.handler, http.handler, stream.handler


def main(design: str) -> None:
    """Serve until standard input ends."""
    answers, sys.stdout = sys.stdout, io.StringIO()
    visit, read, process = handlers(design, Store())
    work = {
        "visit": (visit, http_event("POST", "/tag/tech", "/tag/{tag}")),
        "read": (read, http_event("GET", "/counts/tech", "/counts/{tag}")),
        "1 record": (process, batch(1, 1)),
        "100 records, 1 tag": (process, batch(100, 1)),
        "100 records, 100 tags": (process, batch(100, 100)),
    }
    context = Unhurried()
    for line in sys.stdin:
        workload, invocations = json.loads(line)
        handler, event = work[workload]
        for _ in range(2):
            handler(event, context)
        sys.stdout = io.StringIO()
        gc.collect()
        started = time.process_time()
        for _ in range(invocations):
            handler(event, context)
        seconds = (time.process_time() - started) / invocations
        answers.write(f"{seconds}\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
