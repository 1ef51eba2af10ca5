"""Compares the functions' clients with plain boto3 clients, in the botocore that is installed; also a script.

Two clients are the same if they send the same requests and read the same responses in every environment.
"""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session  # type: ignore[import-untyped]
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.loaders import Loader  # type: ignore[import-untyped]

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from functions.dynamodb import session as sessions

HANDLERS = ("welcome", "record_visit", "view_counts", "process_stream")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
TAG = {"ID": {"S": "tech"}}
ITEM = {"ID": {"S": "tech"}, "Count": {"N": "3"}, "Rebuilding": {"BOOL": True}, "Positions": {"M": {"a": {"S": "1@2"}}}}
UPDATE = {
    "TableName": "visits",
    "Key": TAG,
    "UpdateExpression": "ADD #Count :one",
    "ConditionExpression": "attribute_exists(#Count)",
    "ExpressionAttributeNames": {"#Count": "Count"},
    "ExpressionAttributeValues": {":one": {"N": "1"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
REASONS = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "failed", "Item": ITEM}]
CALLS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "get_item": ({"TableName": "visits", "Key": TAG, "ConsistentRead": True}, {"Item": ITEM}),
    "batch_get_item": (
        {"RequestItems": {"visits": {"Keys": [TAG], "ConsistentRead": True}}},
        {"Responses": {"visits": [ITEM]}, "UnprocessedKeys": {"visits": {"Keys": [TAG]}}},
    ),
    "update_item": ({**UPDATE, "ReturnValues": "UPDATED_NEW"}, {"Attributes": {"Count": {"N": "4"}}}),
    "transact_write_items": ({"TransactItems": [{"Update": UPDATE}], "ClientRequestToken": "t"}, {}),
    "scan": (
        {"TableName": "visits", "Limit": 5, "ProjectionExpression": "ID", "ExclusiveStartKey": TAG},
        {"Items": [ITEM], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": TAG},
    ),
    "describe_table": (
        {"TableName": "visits"},
        {
            "Table": {
                "TableName": "visits",
                "TableStatus": "ACTIVE",
                "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/visits",
                "CreationDateTime": 1.7e9,
                "ItemCount": 3,
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            }
        },
    ),
}
"""A request of every operation of the client, with a response."""

ERRORS: Mapping[str, dict[str, Any]] = {
    "ConditionalCheckFailedException": {"message": "failed", "Item": ITEM},
    "TransactionCanceledException": {"Message": "cancelled", "CancellationReasons": REASONS},
    "ProvisionedThroughputExceededException": {"message": "slow down"},
    "ValidationException": {"message": "invalid"},
}

PLAIN = {**CREDENTIALS, "AWS_DEFAULT_REGION": "eu-west-1"}
ENVIRONMENTS: list[dict[str, str]] = [
    *({**PLAIN, "AWS_DEFAULT_REGION": region} for region in ("us-east-1", "cn-north-1", "us-gov-west-1", "eu-west-99")),
    {**PLAIN, "AWS_USE_FIPS_ENDPOINT": "true", "AWS_DEFAULT_REGION": "us-gov-west-1"},
    {**PLAIN, "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    {**PLAIN, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    {**PLAIN, "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2"},
    {**PLAIN, "AWS_ACCOUNT_ID": "123456789012", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"},
    {**PLAIN, "AWS_DEFAULTS_MODE": "in-region"},
    {"AWS_DEFAULT_REGION": "eu-west-1"},
]


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have `variables` as the only settings of AWS, none of them from a file or an instance's metadata."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    none = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.update({**none, **variables})
    sessions.forget_sessions()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sessions.forget_sessions()


@cache
def full_loader() -> Loader:
    """Return a loader of the runtime's own data, which takes a while to read."""
    return Loader()


def plain_client(config: Config) -> Any:
    """Create the client that boto3 creates, which adds nothing to botocore's."""
    session = botocore.session.get_session()
    session.register_component("data_loader", full_loader())
    return session.create_client("dynamodb", config=config)


def outcome(client: Any, method: str, status: int = 200, answer: Mapping[str, Any] | None = None) -> Any:
    """Call a method, without the network: the request that it sends, and what it returns or raises."""
    request, response = CALLS[method]
    body = json.dumps(response if answer is None else answer).encode()
    sent: list[Any] = []

    def send(request: Any, **_: Any) -> AWSResponse:
        sent.append(seen(request))
        return AWSResponse(request.url, status, {"x-amzn-RequestId": "id"}, Raw(body))

    name = "".join(map(str.capitalize, method.split("_")))
    client.meta.events.register(f"before-send.dynamodb.{name}", send, unique_id="stub")
    try:
        result = getattr(client, method)(**request)
    except Exception as error:  # noqa: BLE001 - the error is what is compared
        result = [type(error).__name__, str(error), getattr(error, "response", None)]
    finally:
        client.meta.events.unregister(f"before-send.dynamodb.{name}", unique_id="stub")
    return sent, result


class Raw(io.BytesIO):
    """A response's body, as urllib3 has it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return the body in one piece."""
        yield self.read()


def seen(request: Any) -> tuple[Any, ...]:
    """Return what a server sees of a request, except for its time and its random numbers."""
    headers = {
        name.lower(): str(value, "ascii") if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    for name in ("x-amz-date", "amz-sdk-invocation-id"):
        headers.pop(name, None)
    headers["authorization"] = re.sub("Signature=.*|/[0-9]{8}/", "", headers.get("authorization", ""))
    return request.method, request.url, headers, request.body


def everything(create: Any, config: Config) -> Any:
    """Return what a new client does with every operation and every error, or the error of creating it."""
    try:
        client = create(config)
    except Exception as error:  # noqa: BLE001 - the error is what is compared
        return [type(error).__name__, str(error)]
    done = {method: outcome(client, method) for method in CALLS}
    for code, answer in ERRORS.items():
        typed = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **answer}
        method = "transact_write_items" if code.startswith("Transaction") else "update_item"
        done[code] = outcome(client, method, 400, typed)
    return done


def first_difference(ours: Any, theirs: Any) -> tuple[str, str]:
    """Return the first part in which two outcomes differ."""
    if type(ours) is type(theirs) and isinstance(ours, dict | list | tuple) and len(ours) == len(theirs):
        pairs = (
            [(ours[key], theirs.get(key)) for key in ours] if isinstance(ours, dict) else zip(ours, theirs, strict=True)
        )
        return next(first_difference(*pair) for pair in pairs if pair[0] != pair[1])
    return repr(ours), repr(theirs)


def started(*arguments: str, **variables: str) -> str:
    """Run Python with no settings of AWS but `variables`, and return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    none = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=Path(__file__).parents[2],
        env={**kept, **none, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def main() -> None:
    """Write the version of botocore, in which environments its requests differ, and in how many it read the model."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, user_agent="test")
    different, read = [], 0
    for variables in ENVIRONMENTS:
        with environment(variables):
            ours, theirs = everything(sessions.create_client, config), everything(plain_client, config)
            read += sessions._session()[1]
        if ours != theirs:
            different.append([variables, *first_difference(ours, theirs)])
    sys.stdout.write(json.dumps({"botocore": botocore.__version__, "different": different, "read": read}))


if __name__ == "__main__":
    main()
