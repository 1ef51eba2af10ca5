"""A DynamoDB in memory: the calls that the total is kept with, their conditions taken seriously, and a stream.

It knows only the expressions that the functions use and fails on any other. `test_store.py` holds it against moto.
"""

import copy
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

Item = dict[str, Any]
LABEL = "2026-01-02T03:04:05.678"


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


class Store:
    """Tables by name. Changes of `streamed` append to `stream`; `before` and `after` surround every call."""

    def __init__(self, *tables: str, streamed: str = "") -> None:
        self.tables: dict[str, dict[str, Item]] = {name: {} for name in tables}
        self.streamed = streamed
        self.stream: list[dict[str, Any]] = []
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("get_item", request, {"TableName", "Key", "ConsistentRead"}, self._get)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("batch_get_item", request, {"RequestItems"}, self._batch_get)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._call("update_item", request, UPDATE | {"ReturnValues"}, self._update)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        return self._call("transact_write_items", request, {"TransactItems"}, self._transact)

    def scan(self, **request: Any) -> dict[str, Any]:
        known = {"TableName", "ConsistentRead", "Limit", "ProjectionExpression", "ExpressionAttributeNames"}
        return self._call("scan", request, known | {"ExclusiveStartKey"}, self._scan)

    def describe_table(self, **request: Any) -> dict[str, Any]:
        raise NotImplementedError

    def put(self, table: str, item: Item) -> None:
        """Write a whole item, as an operator or another program would."""
        self._replace(table, item["ID"]["S"], copy.deepcopy(item))

    def delete(self, table: str, key: str) -> None:
        self._replace(table, key, None)

    def _call(self, name: str, request: dict[str, Any], known: set[str], act: Callable[..., Any]) -> dict[str, Any]:
        if unknown := set(request) - known:
            raise NotImplementedError(f"{name} with {unknown}")
        self.before(name)
        answer = copy.deepcopy(act(request))
        self.after(name)
        assert isinstance(answer, dict)
        return answer

    def _get(self, request: dict[str, Any]) -> Item:
        assert request["ConsistentRead"], "a read that may be stale"
        item = self.tables[request["TableName"]].get(request["Key"]["ID"]["S"])
        return {} if item is None else {"Item": item}

    def _batch_get(self, request: dict[str, Any]) -> Item:
        responses = {}
        for table, wanted in request["RequestItems"].items():
            keys = [key["ID"]["S"] for key in wanted["Keys"]]
            assert wanted["ConsistentRead"], "a read that may be stale"
            if not 0 < len(keys) <= 100 or len(set(keys)) != len(keys):
                raise refusal("ValidationException", "BatchGetItem")
            responses[table] = [self.tables[table][key] for key in keys if key in self.tables[table]]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _update(self, request: dict[str, Any]) -> Item:
        if not self._holds(request):
            raise refusal("ConditionalCheckFailedException", "UpdateItem")
        self._write(request)
        return {"Attributes": self.tables[request["TableName"]][request["Key"]["ID"]["S"]]}

    def _transact(self, request: dict[str, Any]) -> Item:
        updates = [action["Update"] for action in request["TransactItems"]]
        places = {(update["TableName"], update["Key"]["ID"]["S"]) for update in updates}
        if (
            not 0 < len(updates) <= 100
            or len(places) != len(updates)
            or any(set(update) - UPDATE for update in updates)
        ):
            raise refusal("ValidationException", "TransactWriteItems")
        reasons = [{"Code": "None"} if self._holds(update) else self._failure(update) for update in updates]
        if any(reason["Code"] != "None" for reason in reasons):
            raise refusal("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        for update in updates:
            self._write(update)
        return {}

    def _failure(self, update: dict[str, Any]) -> Item:
        old = self.tables[update["TableName"]].get(update["Key"]["ID"]["S"])
        wanted = old is not None and update.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Code": "ConditionalCheckFailed"} | ({"Item": copy.deepcopy(old)} if wanted else {})

    def _scan(self, request: dict[str, Any]) -> Item:
        assert request["ConsistentRead"], "a read that may be stale"
        start = request.get("ExclusiveStartKey", {}).get("ID", {}).get("S", "")
        keys = sorted(key for key in self.tables[request["TableName"]] if key > start)
        page = keys[: request["Limit"]]
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
        item = copy.deepcopy(self.tables[table].get(key, {"ID": {"S": key}}))
        names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
        for verb, clause in re.findall(r"(SET|ADD|REMOVE) (.*?)(?= SET | ADD | REMOVE |$)", update["UpdateExpression"]):
            for action in re.split(r", (?=#)", re.sub(r"(\(#\w+), ", r"\1 ", clause)):
                if verb == "REMOVE":
                    item.pop(names[action], None)
                elif verb == "ADD":
                    name, value = action.split(" ")
                    old = int(item.get(names[name], {"N": "0"})["N"])
                    item[names[name]] = {"N": str(old + int(values[value]["N"]))}
                elif found := re.fullmatch(r"(#\w+) = if_not_exists\(\1 (:\w+)\)", action):
                    item.setdefault(names[found[1]], values[found[2]])
                else:
                    name, value = action.split(" = ")
                    item[names[name]] = values[value]
        self._replace(table, key, item)

    def _replace(self, table: str, key: str, new: Item | None) -> None:
        old = self.tables[table].pop(key, None)
        if new is not None:
            self.tables[table][key] = new
        if table == self.streamed and old != new:
            self.stream.append(self._record(key, old, new))

    def _record(self, key: str, old: Item | None, new: Item | None) -> dict[str, Any]:
        change: dict[str, Any] = {
            "Keys": {"ID": {"S": key}},
            # Leading zeros and more than 64 bits: neither text order nor a machine integer may be relied on.
            "SequenceNumber": f"{10**20 + len(self.stream):025d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        change |= {"OldImage": copy.deepcopy(old)} if old is not None else {}
        change |= {"NewImage": copy.deepcopy(new)} if new is not None else {}
        return {
            "eventName": "REMOVE" if new is None else "INSERT" if old is None else "MODIFY",
            "eventSourceARN": f"arn:aws:dynamodb:eu-west-1:123456789012:table/{self.streamed}/stream/{LABEL}",
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


def _term(term: str, item: Item, update: dict[str, Any]) -> bool:
    names = update["ExpressionAttributeNames"]
    if found := re.fullmatch(r"attribute_exists\((#\w+)\)", term):
        return names[found[1]] in item
    if found := re.fullmatch(r"attribute_not_exists\((#\w+)\)", term):
        return names[found[1]] not in item
    if found := re.fullmatch(r"(#\w+) = (:\w+)", term):
        return bool(item.get(names[found[1]]) == update["ExpressionAttributeValues"][found[2]])
    if found := re.fullmatch(r"(#\w+) <= (:\w+)", term):
        number = item.get(names[found[1]], {}).get("N")
        return number is not None and int(number) <= int(update["ExpressionAttributeValues"][found[2]]["N"])
    raise NotImplementedError(term)
