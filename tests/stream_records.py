"""Stream records in the form in which Lambda passes them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def as_lambda_record(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """Return a record of boto3 as Lambda passes it: as JSON, with the ARN of its stream."""
    return {**_as_json(record), "eventSourceARN": stream_arn}


def _as_json(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _as_json(part) for key, part in value.items()}
        case list() | set():
            return [_as_json(part) for part in value]
        case datetime():
            return value.timestamp()
        case bytes():
            return base64.b64encode(value).decode()
    return value
