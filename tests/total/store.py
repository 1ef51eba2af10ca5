"""A DynamoDB in memory: the calls that the functions make, with their conditions, and a stream.

It supports only the expressions that the functions use and fails on any other. `test_store.py` compares it with moto.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from tests.doubles import client_error

Item = dict[str, Any]
Value = TypeVar("Value")
ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/"


def copied(value: Value) -> Value:
    """Copy what a request or an answer is made of, in a third of the time of copy.deepcopy."""
    if isinstance(value, dict):
        return cast("Value", {key: copied(each) for key, each in value.items()})
    if isinstance(value, list):
        return cast("Value", [copied(each) for each in value])
    return value


class Store:
    """Tables by name. Changes of a streamed table are appended to its stream.

    `before` and `after` are called around every call. `committed` is called with the updates of every successful
    transaction, before anything else can happen.
    """

    def __init__(self, *tables: str, streamed: str = "") -> None:
        self.tables: dict[str, dict[str, Item]] = {}
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self.created: dict[str, datetime] = {}
        self.streamed = streamed
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        self.committed: Callable[[list[Item]], None] = lambda updates: None
        for name in tables:
            self.create(name, streamed=name == streamed)

    def create(self, name: str, *, streamed: bool) -> None:
        """Create an empty table. It replaces a table of the same name."""
        # Creation times differ, and every table is young enough for its stream to hold its whole history.
        self.created[name] = datetime.now(UTC) + timedelta(minutes=5 * len(self.created) + 5 * (name in self.created))
        self.tables[name] = {}
        if streamed:
            self.streams[name] = []

    @property
    def stream(self) -> list[dict[str, Any]]:
        """The stream of the first streamed table."""
        return self.records(self.streamed)

    def records(self, table: str) -> list[dict[str, Any]]:
        """Return all records of a table's stream so far."""
        return self.streams[table]

    def items(self, table: str) -> dict[str, Item]:
        """Return all items of a table."""
        return self.tables[table]

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("get_item", request, {"TableName", "Key", "ConsistentRead"}, self._get)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("batch_get_item", request, {"RequestItems"}, self._batch_get)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._call("update_item", request, UPDATE | {"ReturnValues"}, self._update)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        return self._call("delete_item", request, UPDATE - {"UpdateExpression"}, self._delete)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        return self._call("transact_write_items", request, {"TransactItems"}, self._transact)

    def scan(self, **request: Any) -> dict[str, Any]:
        known = {"TableName", "ConsistentRead", "Limit", "ProjectionExpression", "ExpressionAttributeNames"}
        return self._call("scan", request, known | {"ExclusiveStartKey"}, self._scan)

    def describe_table(self, **request: Any) -> dict[str, Any]:
        return self._call("describe_table", request, {"TableName"}, self._describe)

    def _describe(self, request: dict[str, Any]) -> Item:
        name = request["TableName"]
        table = {"TableName": name, "TableArn": ARN + name, "CreationDateTime": self.created[name]}
        return {"Table": table | {"LatestStreamLabel": self._label(name), "ItemCount": len(self.tables[name])}}

    def _label(self, table: str) -> str:
        return self.created[table].replace(tzinfo=None).isoformat(timespec="milliseconds")

    def put(self, table: str, item: Item) -> None:
        """Write a whole item, as an operator or another program would."""
        self._replace(table, item["ID"]["S"], copied(item))

    def delete(self, table: str, key: str) -> None:
        self._replace(table, key, None)

    def _call(self, name: str, request: dict[str, Any], known: set[str], act: Callable[..., Any]) -> dict[str, Any]:
        if unknown := set(request) - known:
            raise NotImplementedError(f"{name} with {unknown}")
        self.before(name)
        answer = copied(act(request))
        self.after(name)
        assert isinstance(answer, dict)
        return answer

    def _get(self, request: dict[str, Any]) -> Item:
        assert request["ConsistentRead"], "an eventually consistent read"
        item = self.tables[request["TableName"]].get(request["Key"]["ID"]["S"])
        return {} if item is None else {"Item": item}

    def _batch_get(self, request: dict[str, Any]) -> Item:
        responses = {}
        for table, wanted in request["RequestItems"].items():
            keys = [key["ID"]["S"] for key in wanted["Keys"]]
            assert wanted["ConsistentRead"], "an eventually consistent read"
            if not 0 < len(keys) <= 100 or len(set(keys)) != len(keys):
                raise client_error("ValidationException", "BatchGetItem")
            responses[table] = [self.tables[table][key] for key in keys if key in self.tables[table]]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _update(self, request: dict[str, Any]) -> Item:
        if not self._holds(request):
            raise client_error("ConditionalCheckFailedException", "UpdateItem")
        self._write(request)
        return {"Attributes": self.tables[request["TableName"]][request["Key"]["ID"]["S"]]}

    def _delete(self, request: dict[str, Any]) -> Item:
        if not self._holds(request):
            raise client_error("ConditionalCheckFailedException", "DeleteItem")
        self.delete(request["TableName"], request["Key"]["ID"]["S"])
        return {}

    def _transact(self, request: dict[str, Any]) -> Item:
        actions = request["TransactItems"]
        updates = [action.get("Update") or action["Delete"] for action in actions]
        places = {(update["TableName"], update["Key"]["ID"]["S"]) for update in updates}
        if (
            not 0 < len(updates) <= 100
            or len(places) != len(updates)
            or any(set(update) - UPDATE for update in updates)
            or any(update.get("ExpressionAttributeValues") == {} for update in updates)
        ):
            raise client_error("ValidationException", "TransactWriteItems")
        reasons = [{"Code": "None"} if self._holds(update) else self._failure(update) for update in updates]
        if any(reason["Code"] != "None" for reason in reasons):
            raise client_error("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        for action, update in zip(actions, updates, strict=True):
            if "Delete" in action:
                self.delete(update["TableName"], update["Key"]["ID"]["S"])
            else:
                self._write(update)
        self.committed(updates)
        return {}

    def _failure(self, update: dict[str, Any]) -> Item:
        old = self.tables[update["TableName"]].get(update["Key"]["ID"]["S"])
        returned = old is not None and update.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Code": "ConditionalCheckFailed"} | ({"Item": copied(old)} if returned else {})

    def _scan(self, request: dict[str, Any]) -> Item:
        assert request["ConsistentRead"], "an eventually consistent read"
        start = request.get("ExclusiveStartKey", {}).get("ID", {}).get("S", "")
        keys = sorted(key for key in self.tables[request["TableName"]] if key > start)
        page = keys[: request.get("Limit", 3)]
        answer: Item = {"Items": [self.tables[request["TableName"]][key] for key in page]}
        if len(keys) > len(page):
            answer["LastEvaluatedKey"] = {"ID": {"S": page[-1]}}
        return answer

    def _holds(self, update: dict[str, Any]) -> bool:
        item = self.tables[update["TableName"]].get(update["Key"]["ID"]["S"], {})
        condition = update.get("ConditionExpression", "")
        ways = [[_term(term, item, update) for term in way.split(" AND ") if term] for way in condition.split(" OR ")]
        return any(map(all, ways))

    def _write(self, update: dict[str, Any]) -> None:
        table, key = update["TableName"], update["Key"]["ID"]["S"]
        item = copied(self.tables[table].get(key, {"ID": {"S": key}}))
        names, values = update["ExpressionAttributeNames"], update.get("ExpressionAttributeValues", {})
        for verb, clause in re.findall(r"(SET|ADD|REMOVE) (.*?)(?= SET | ADD | REMOVE |$)", update["UpdateExpression"]):
            written: Item = {}
            for action in re.split(r", (?=#\w+(?: |$))", clause):
                if verb == "REMOVE":
                    item.pop(names[action], None)
                elif verb == "ADD":
                    name, value = action.split(" ")
                    old = item.get(names[name], {"N": "0"})
                    if "N" not in old:
                        raise client_error("ValidationException", "UpdateItem")
                    written[names[name]] = {"N": str(int(old["N"]) + int(values[value]["N"]))}
                else:
                    name, value = action.split(" = ")
                    written[names[name]] = _operand(value, item, names, values)
            item |= written
        self._replace(table, key, item)

    def _replace(self, table: str, key: str, new: Item | None) -> None:
        old = self.tables[table].pop(key, None)
        if new is not None:
            self.tables[table][key] = new
        if table in self.streams and old != new:
            self.streams[table].append(self._record(table, key, old, new))

    def _record(self, table: str, key: str, old: Item | None, new: Item | None) -> dict[str, Any]:
        change: dict[str, Any] = {
            "Keys": {"ID": {"S": key}},
            # Leading zeros and more than 64 bits: code must not rely on text order or on 64-bit integers.
            "SequenceNumber": f"{10**20 + len(self.streams[table]):025d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        change |= {"OldImage": copied(old)} if old is not None else {}
        change |= {"NewImage": copied(new)} if new is not None else {}
        return {
            "eventName": "REMOVE" if new is None else "INSERT" if old is None else "MODIFY",
            "eventSourceARN": f"{ARN}{table}/stream/{self._label(table)}",
            "dynamodb": change,
        }


UPDATE = {
    "TableName",
    "Key",
    "UpdateExpression",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
}


def _operand(text: str, item: Item, names: Item, values: Item) -> Any:
    if found := re.fullmatch(r"if_not_exists\((#\w+), (:\w+)\)", text):
        return item.get(names[found[1]], values[found[2]])
    return values[text]


def _term(term: str, item: Item, update: dict[str, Any]) -> bool:
    names = update["ExpressionAttributeNames"]
    if found := re.fullmatch(r"attribute_exists\((#\w+)\)", term):
        return names[found[1]] in item
    if found := re.fullmatch(r"attribute_not_exists\((#\w+)\)", term):
        return names[found[1]] not in item
    if found := re.fullmatch(r"(#\w+) = (:\w+)", term):
        return bool(item.get(names[found[1]]) == update["ExpressionAttributeValues"][found[2]])
    if found := re.fullmatch(r"(#\w+) = (#\w+)", term):
        one, other = (item.get(names[name]) for name in found.groups())
        return one is not None and one == other
    if found := re.fullmatch(r"(#\w+) <= (:\w+)", term):
        number = item.get(names[found[1]], {}).get("N")
        return number is not None and int(number) <= int(update["ExpressionAttributeValues"][found[2]]["N"])
    raise NotImplementedError(term)
