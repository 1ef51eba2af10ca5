"""Each execution role allows exactly the actions of its function.

Real calls are checked as AWS would, but only those that the emulator maps to an action; the simulation takes every
action, but knows no conditions. So each of them is asked for what it is sound for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore import xform_name  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from tests.permissions import ANYWHERE, FOREIGN, documented, matching
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
        self.arn = configuration["Role"]
        self.log_group = configuration["LoggingConfig"]["LogGroup"]
        self.outputs: Mapping[str, Any] = cloud.outputs
        self.dynamodb = cloud.client("dynamodb", credentials)
        self.streams = cloud.client("dynamodbstreams", credentials)
        self.sqs = cloud.client("sqs", credentials)
        self.logs = cloud.client("logs", credentials)
        self.functions = cloud.client("lambda", credentials)
        self.table = cloud.outputs["tableName"]
        self.idempotency = cloud.outputs["idempotencyTableName"]


ACTIONS: Mapping[str, Action] = {
    "describe the table": lambda role: role.dynamodb.describe_table(TableName=role.table),
    "update the table": lambda role: role.dynamodb.update_item(TableName=role.table, Key=TAG, **COUNT),
    "update the idempotency table": lambda role: role.dynamodb.update_item(
        TableName=role.idempotency, Key=TAG, **COUNT
    ),
    "get from the idempotency table": lambda role: role.dynamodb.get_item(TableName=role.idempotency, Key=TAG),
    "get from the table": lambda role: role.dynamodb.get_item(TableName=role.table, Key=TOTAL),
    "batch-get from the table": lambda role: role.dynamodb.batch_get_item(RequestItems={role.table: {"Keys": [TAG]}}),
    "scan the table": lambda role: role.dynamodb.scan(TableName=role.table),
    "put into the table": lambda role: role.dynamodb.put_item(TableName=role.table, Item=TAG),
    "delete from the table": lambda role: role.dynamodb.delete_item(TableName=role.table, Key=TAG),
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
    "recordVisit": {
        "batch-get from the table",
        "get from the table",
        "update the table",
        "update the idempotency table",
    },
    "viewCounts": {"batch-get from the table", "scan the table"},
    "processStream": {
        "describe the table",
        "get from the table",
        "update the table",
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
    update = {"Update": {"TableName": role.table, "Key": TOTAL, **COUNT}}
    role.dynamodb.transact_write_items(TransactItems=[update])
    with pytest.raises(ClientError, match="AccessDenied"):
        role.dynamodb.transact_write_items(
            TransactItems=[update, {"Delete": {"TableName": role.table, "Key": {"ID": {"S": "other"}}}}]
        )


def test_requests_without_credentials_are_refused(cloud: RunningCloud) -> None:
    answer = cloud.request("/", "POST", base="endpointUrl", headers={"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    assert answer.status in (400, 403)
    assert "MissingAuthenticationToken" in answer.text


def test_the_dead_letter_queue_takes_no_request_without_tls(cloud: RunningCloud) -> None:
    role = Role(cloud, "processStream")
    message = {"QueueUrl": cloud.outputs["deadLetterQueueUrl"], "MessageBody": "test"}
    role.sqs.send_message(**message)
    role.sqs.meta.events.register(
        "before-send.sqs", lambda request, **_: request.headers.update({"X-Forwarded-Proto": "http"})
    )
    with pytest.raises(ClientError, match=r"AccessDenied.*explicit deny"):
        role.sqs.send_message(**message)


SERVICES = ("dynamodb", "iam", "kms", "lambda", "logs", "sns", "sqs")
"""The services that own the resources of a counter, and those that a stolen role would try next."""


def arns(cloud: RunningCloud, role: Role) -> Mapping[str, str]:
    """Return every resource that the simulation is asked for, by its name in the runbook's table."""
    table, account = cloud.outputs["tableArn"], cloud.outputs["tableArn"].split(":")[4]
    queue = cloud.client("sqs").get_queue_attributes(
        QueueUrl=cloud.outputs["deadLetterQueueUrl"], AttributeNames=["QueueArn"]
    )
    log = f"arn:aws:logs:{cloud.region}:{account}:log-group:{role.log_group}:log-stream:2026"
    return {
        "the table": table,
        "the stream": cloud.outputs["streamArn"],
        "the idempotency table": table.replace(role.table, role.idempotency),
        "its own dead-letter queue": queue["Attributes"]["QueueArn"],
        "its own log group": log,
        "its own role": role.arn,
        **FOREIGN,
    }


def test_the_simulation_allows_what_the_runbook_says_and_nothing_else(
    cloud: RunningCloud, role: Role, function: str
) -> None:
    actions = sorted(frozenset[str]().union(*(matching(f"{service}:*") for service in SERVICES)))
    assert len(actions) > 500
    rights = [right for right in documented() if function in right.roles]
    client = cloud.client("iam")
    for name, arn in arns(cloud, role).items():
        # The emulator looks at the first resource of a call only.
        answer = client.simulate_principal_policy(PolicySourceArn=role.arn, ActionNames=actions, ResourceArns=[arn])
        results = answer["EvaluationResults"]
        assert len(results) == len(actions)
        allowed = {one["EvalActionName"] for one in results if one["EvalDecision"] != "implicitDeny"}
        assert allowed == {
            action for right in rights if right.resource in (name, ANYWHERE) for action in right.actions
        }, name


# Not checked by the emulator, which answers that the resource is not valid.
UNCHECKED = {"ListTagsForResource", "TagResource", "UntagResource"}


def calls(client: Any, role: Role) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through every operation of a service with the least arguments that it takes, on the counter's resources."""
    names = {"TableName": role.table, "QueueUrl": role.outputs["deadLetterQueueUrl"], "logGroupName": role.log_group}
    for operation in client.meta.service_model.operation_names:
        shape = client.meta.service_model.operation_model(operation).input_shape
        required = shape.required_members if shape else []
        yield operation, {name: _least(shape.members[name], names.get(name)) for name in required}


def _least(shape: Any, given: str | None = None) -> Any:
    """Make the least that a shape takes; nothing of it needs to exist, since permissions are checked first."""
    if given or shape.type_name == "string":
        return given or (shape.enum[0] if shape.enum else "arn:aws:other:eu-west-1:123456789012:other")
    if shape.type_name == "structure":
        names = list(shape.members)[:1] if shape.is_tagged_union else shape.required_members
        return {name: _least(shape.members[name]) for name in names}
    if shape.type_name == "list":
        return [_least(shape.member)]
    simple = {"map": {}, "blob": b"x", "boolean": False}
    return simple.get(shape.type_name, max(1, shape.metadata.get("min", 1)))


@pytest.mark.parametrize("service", ["dynamodb", "dynamodbstreams", "sqs", "logs"])
def test_every_call_to_the_services_that_hold_data_is_refused_unless_the_runbook_has_it(
    cloud: RunningCloud, role: Role, function: str, service: str
) -> None:
    client = {"dynamodb": role.dynamodb, "sqs": role.sqs, "logs": role.logs}.get(service) or role.streams
    actions = {action for right in documented() if function in right.roles for action in right.actions}
    refused: set[str] = set()
    passed: set[str] = set()
    for operation, arguments in calls(client, role):
        try:
            getattr(client, xform_name(operation))(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            (refused if code in ("AccessDenied", "AccessDeniedException") else passed).add(operation)
        else:
            passed.add(operation)
    prefix = "dynamodb" if service == "dynamodbstreams" else service
    allowed = {operation for operation in refused | passed if f"{prefix}:{operation}" in actions}
    assert len(refused) > 3 or function == "processStream"
    assert passed - allowed <= (UNCHECKED if service == "logs" else set())
