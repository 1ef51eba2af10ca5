"""Each execution role allows exactly the actions of its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from tests.running import RunningCloud

FUNCTIONS = ("welcome", "recordVisit", "viewCounts", "processStream")
TAG = {"ID": {"S": "role-test"}}
TOTAL = {"ID": {"S": "COUNTER"}}
COUNT = {
    "UpdateExpression": "ADD #Count :zero",
    "ExpressionAttributeNames": {"#Count": "Count"},
    "ExpressionAttributeValues": {":zero": {"N": "0"}},
}
Action = Callable[["Role"], Any]


class Role:
    """Clients with the permissions of a function."""

    def __init__(self, cloud: RunningCloud, function: str) -> None:
        name = cloud.outputs["functionNames"][function]
        configuration = cloud.client("lambda").get_function_configuration(FunctionName=name)
        credentials = cloud.client("sts").assume_role(RoleArn=configuration["Role"], RoleSessionName="test")[
            "Credentials"
        ]
        self.outputs: Mapping[str, Any] = cloud.outputs
        self.dynamodb = cloud.client("dynamodb", credentials)
        self.sqs = cloud.client("sqs", credentials)
        self.logs = cloud.client("logs", credentials)
        self.functions = cloud.client("lambda", credentials)
        self.table = cloud.outputs["tableName"]
        self.idempotency = _idempotency_table(cloud)
        self.ledger = cloud.outputs["ledgerTableName"]


def _idempotency_table(cloud: RunningCloud) -> str:
    name = cloud.outputs["functionNames"]["recordVisit"]
    variables = cloud.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    return str(variables["IDEMPOTENCY_TABLE_NAME"])


ACTIONS: Mapping[str, Action] = {
    "describe the table": lambda role: role.dynamodb.describe_table(TableName=role.table),
    "describe the ledger": lambda role: role.dynamodb.describe_table(TableName=role.ledger),
    "update the table": lambda role: role.dynamodb.update_item(TableName=role.table, Key=TAG, **COUNT),
    "update the ledger": lambda role: role.dynamodb.update_item(TableName=role.ledger, Key=TAG, **COUNT),
    "update the idempotency table": lambda role: role.dynamodb.update_item(
        TableName=role.idempotency, Key=TAG, **COUNT
    ),
    "get from the idempotency table": lambda role: role.dynamodb.get_item(TableName=role.idempotency, Key=TAG),
    "get from the table": lambda role: role.dynamodb.get_item(TableName=role.table, Key=TOTAL),
    "get from the ledger": lambda role: role.dynamodb.get_item(TableName=role.ledger, Key=TAG),
    "batch-get from the table": lambda role: role.dynamodb.batch_get_item(RequestItems={role.table: {"Keys": [TAG]}}),
    "batch-get from the ledger": lambda role: role.dynamodb.batch_get_item(RequestItems={role.ledger: {"Keys": [TAG]}}),
    "scan the table": lambda role: role.dynamodb.scan(TableName=role.table),
    "scan the ledger": lambda role: role.dynamodb.scan(TableName=role.ledger),
    "put into the table": lambda role: role.dynamodb.put_item(TableName=role.table, Item=TAG),
    "put into the ledger": lambda role: role.dynamodb.put_item(TableName=role.ledger, Item=TAG),
    "delete from the table": lambda role: role.dynamodb.delete_item(TableName=role.table, Key=TAG),
    "delete from the ledger": lambda role: role.dynamodb.delete_item(TableName=role.ledger, Key=TAG),
    "delete the table": lambda role: role.dynamodb.delete_table(TableName=role.table),
    "send to the dead-letter queue": lambda role: role.sqs.send_message(
        QueueUrl=role.outputs["deadLetterQueueUrl"], MessageBody="test"
    ),
    "read the dead-letter queue": lambda role: role.sqs.receive_message(QueueUrl=role.outputs["deadLetterQueueUrl"]),
    "write another's log": lambda role: role.logs.create_log_stream(logGroupName="/other", logStreamName="role-test"),
    "make a log group": lambda role: role.logs.create_log_group(logGroupName="/new"),
    "call a function": lambda role: role.functions.invoke(FunctionName=role.outputs["functionNames"]["welcome"]),
}
# Log writes are not included, because the emulator does not check them.
ALLOWED = {
    "welcome": {"describe the table"},
    "recordVisit": {"get from the table", "update the table", "update the idempotency table"},
    "viewCounts": {"batch-get from the table", "scan the table"},
    "processStream": {
        "describe the table",
        "get from the table",
        "update the table",
        "get from the ledger",
        "batch-get from the ledger",
        "update the ledger",
        "send to the dead-letter queue",
    },
}


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def role(cloud: RunningCloud, function: str) -> Role:
    return Role(cloud, function)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_role_allows_exactly_the_actions_of_its_function(role: Role, function: str, action: str) -> None:
    if action in ALLOWED[function]:
        ACTIONS[action](role)
        return
    with pytest.raises(ClientError) as caught:
        ACTIONS[action](role)
    assert caught.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


def test_permissions_are_checked_for_each_action_of_a_transaction(cloud: RunningCloud) -> None:
    role = Role(cloud, "processStream")
    update = {"Update": {"TableName": role.ledger, "Key": TAG, **COUNT}}
    role.dynamodb.transact_write_items(TransactItems=[update])
    with pytest.raises(ClientError, match="AccessDenied"):
        role.dynamodb.transact_write_items(
            TransactItems=[update, {"Delete": {"TableName": role.table, "Key": {"ID": {"S": "other"}}}}]
        )


def test_requests_without_credentials_are_refused(cloud: RunningCloud) -> None:
    answer = cloud.request("/", "POST", base="endpointUrl", headers={"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    assert answer.status in (400, 403)
    assert "MissingAuthenticationToken" in answer.text
