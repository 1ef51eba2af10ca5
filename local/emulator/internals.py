"""The emulator's (MiniStack's) private names, which no other module uses.

An upgrade may remove any of it; tests/package/test_private_names.py then names its use.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from .windows import Batch, Shard, StateError

# What the emulator's poller logs once it has handed a batch to a function.
BATCH_DONE = "ESM: Lambda %s processed %d DynamoDB stream records from %s"
BATCH_FAILED = "ESM: Lambda %s failed processing DynamoDB stream batch from %s"

READY_PATH = "/_ministack/ready"
OWN_PATHS = ("/_ministack/", "/_localstack/", "/_aws/", "/restapis/")
"""The paths that the emulator answers itself."""

# Seconds that an invocation waits for the first line of its log, if any. The emulator's own 50 ms would be most of a
# request's time; a later line is logged with the next invocation.
_LOG_SECONDS = 0.01


_WINDOW = "TumblingWindowInSeconds"
_FORBIDDEN = 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'


def load() -> Any:
    """Import the emulator, which reads its environment then, and return its ASGI application."""
    import ministack.app  # type: ignore[import-untyped]  # noqa: PLC0415
    from ministack.core.lambda_runtime import Worker  # type: ignore[import-untyped]  # noqa: PLC0415

    drain = Worker._drain_stderr_bounded
    Worker._drain_stderr_bounded = functools.partialmethod(drain, first_line_wait=_LOG_SECONDS)
    emulator = ministack.app
    emulator._enforce_execute_api = _refuse_unsigned(
        emulator._enforce_execute_api, emulator._execute_api_authorization_type
    )
    _configure_windows()
    _deliver_windows()
    _keep_vary()
    return emulator.app


def current_region() -> str:
    """Return the region of the request or the event source mapping that is being handled in this context."""
    from ministack.core.responses import get_region  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    return str(get_region())


def is_domain(host: str) -> bool:
    """Tell whether a host is the custom domain of an API."""
    from ministack.services import apigateway_v1  # type: ignore[import-untyped]  # noqa: PLC0415 - imported by `load`

    return apigateway_v1.find_domain_scope(host) is not None


def _keep_vary() -> None:
    """Send `Vary: Origin` beside the function's own `Vary`, which the emulator would replace."""
    from ministack.services import apigateway  # noqa: PLC0415

    cors_headers = apigateway._cors_response_headers

    def add_vary(*call: Any) -> dict[str, str]:
        # In another case, it is another key of the emulator's dictionary, and so a header of its own.
        return {"VARY" if name == "Vary" else name: value for name, value in cors_headers(*call).items()}

    apigateway._cors_response_headers = add_vary


def _refuse_unsigned(enforce: Callable[..., Any], authorization_type: Callable[..., str | None]) -> Callable[..., Any]:
    """Wrap the check of a request to an API: a route with AWS_IAM accepts no `Authorization` but a signature.

    The emulator takes a request with another one, such as a token, for the account's root user's.
    """

    def check(*call: Any, **options: Any) -> Any:
        # The call begins with API, stage, method, path and headers.
        header = call[4].get("authorization", "")
        if header and not header.startswith("AWS4-") and authorization_type(*call[:4]) == "AWS_IAM":
            return _FORBIDDEN
        return enforce(*call, **options)

    return check


def _configure_windows() -> None:
    """Store the length of a mapping's tumbling window, which the emulator ignores."""
    from ministack.services import lambda_svc  # noqa: PLC0415

    create, update = lambda_svc._create_esm, lambda_svc._update_esm

    def refusal(mapping: dict[str, Any]) -> Any:
        factor = mapping.get("ParallelizationFactor", 1)
        if not mapping.get(_WINDOW) or factor == 1:
            return None
        message = f"ParallelizationFactor is {factor}, must be 1 for a mapping with {_WINDOW}"
        return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)

    def create_mapping(data: dict[str, Any]) -> Any:
        if not data.get(_WINDOW):
            return create(data)
        if refused := refusal(data):
            return refused
        # Disabled at first: the poller must not deliver anything before the window is known.
        status, headers, body = create({**data, "Enabled": False})
        if status >= 400:
            return status, headers, body
        return update_mapping(json.loads(body)["UUID"], {_WINDOW: data[_WINDOW], "Enabled": data.get("Enabled", True)})

    def update_mapping(uuid: str, data: dict[str, Any]) -> Any:
        mapping = lambda_svc._esms.get(uuid) or {}
        if refused := refusal({**mapping, **data}):
            return refused
        if _WINDOW in data:
            mapping[_WINDOW] = data[_WINDOW]
        return update(uuid, data)

    lambda_svc._create_esm, lambda_svc._update_esm = create_mapping, update_mapping


def _deliver_windows() -> None:
    """Make the poller of streams deliver windows to mappings that have them.

    The poller goes through the mappings, reads records, filters them, and invokes the function. It retries what
    fails, and reports it. A batch of a window passes through these steps as a `Batch`.
    """
    from ministack.services import dynamodb, dynamodb_streams, lambda_svc  # noqa: PLC0415

    mappings, keep, execute = lambda_svc._iter_all_esms, lambda_svc._apply_filter_criteria, lambda_svc._execute_function
    read = dynamodb.stream_records_since
    shards: dict[str, Shard] = {}
    polled = threading.local()  # Other threads read streams too, for GetRecords.

    def each_mapping() -> Iterator[Any]:
        for account, region, mapping in mappings():
            polled.mapping = mapping
            yield account, region, mapping
        polled.mapping = None

    def read_records(table: str, position: int, limit: int, **scope: Any) -> Any:
        now = time.time()
        records = read(table, position, limit, **scope)
        mapping = getattr(polled, "mapping", None)
        if not mapping or not mapping.get(_WINDOW):
            return records
        shard = Shard(dynamodb_streams._DEFAULT_SHARD_ID, mapping["EventSourceArn"])
        return shards.setdefault(mapping["UUID"], shard).cut(records, limit, mapping[_WINDOW], now)

    def keep_matching(records: list[Any], mapping: dict[str, Any]) -> Any:
        kept = keep(records, mapping)
        return records.only(kept) if isinstance(records, Batch) else kept

    def execute_function(function: dict[str, Any], event: Any) -> Any:
        batch = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(batch, Batch):
            return execute(function, event)
        result = execute(function, batch.event)
        if result.get("error"):
            return result
        try:
            batch.shard.accept(batch, result.get("body"))
        except StateError as error:
            body = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {**result, "error": True, "body": body}
        return result

    lambda_svc._iter_all_esms, lambda_svc._apply_filter_criteria = each_mapping, keep_matching
    lambda_svc._execute_function, dynamodb.stream_records_since = execute_function, read_records
