"""A DynamoDB in memory: the calls that the functions and commands make, with their expressions, and a stream.

It supports only the expressions that they use and fails on any other. `test_store.py` compares it with moto.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from tests.doubles import client_error

Item = dict[str, Any]
Value = TypeVar("Value")
ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/"

EXPRESSIONS = {"ExpressionAttributeNames", "ExpressionAttributeValues"}
DELETE = {"TableName", "Key", "ConditionExpression"} | EXPRESSIONS
UPDATE = DELETE | {"UpdateExpression", "ReturnValuesOnConditionCheckFailure"}
SCAN = {"TableName", "ConsistentRead", "Limit", "ProjectionExpression", "ExpressionAttributeNames", "ExclusiveStartKey"}
CLAUSES = re.compile(r"(SET|ADD|REMOVE) (.*?)(?= SET | ADD | REMOVE |$)")


def copied(value: Value) -> Value:
    """Copy what a request or an answer is made of, in a third of the time of copy.deepcopy."""
    if isinstance(value, dict):
        return cast("Value", {key: copied(each) for key, each in value.items()})
    if isinstance(value, list):
        return cast("Value", [copied(each) for each in value])
    return value


class Store:
    """Tables by name, each with a stream. `before` and `after` are called around every call; `clock` has the time.

    `described` has attributes of a table's description that differ from those of a table that has just been created.
    """

    def __init__(self, *tables: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.tables: dict[str, dict[str, Item]] = {}
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self.created: dict[str, datetime] = {}
        self.described: dict[str, dict[str, Any]] = {}
        self.clock = clock
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        for name in tables:
            self.create(name)

    def create(self, name: str) -> None:
        """Create an empty table. It replaces a table of the same name."""
        self.created[name], self.tables[name], self.streams[name] = self.clock(), {}, []

    def records(self, table: str) -> list[dict[str, Any]]:
        """Return all records of a table's stream so far."""
        return self.streams[table]

    def items(self, table: str) -> dict[str, Item]:
        """Return all items of a table."""
        return self.tables[table]

    def put(self, table: str, item: Item) -> None:
        """Write a whole item, as an operator or another program would."""
        self._replace(table, item["ID"]["S"], copied(item))

    def delete(self, table: str, key: str) -> None:
        self._replace(table, key, None)

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("get_item", request, {"TableName", "Key", "ConsistentRead"}, self._get)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        return self._call("batch_get_item", request, {"RequestItems"}, self._batch_get)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._call("update_item", request, UPDATE | {"ReturnValues"}, self._update)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        return self._call("delete_item", request, DELETE, self._delete)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        return self._call("transact_write_items", request, {"TransactItems"}, self._transact)

    def scan(self, **request: Any) -> dict[str, Any]:
        return self._call("scan", request, SCAN, self._scan)

    def describe_table(self, **request: Any) -> dict[str, Any]:
        return self._call("describe_table", request, {"TableName"}, self._describe)

    def _call(self, name: str, request: dict[str, Any], known: set[str], act: Callable[..., Any]) -> dict[str, Any]:
        if unknown := set(request) - known:
            raise NotImplementedError(f"{name} with {unknown}")
        self.before(name)
        answer = copied(act(request))
        self.after(name)
        assert isinstance(answer, dict)
        return answer

    def _describe(self, request: dict[str, Any]) -> Item:
        name = request["TableName"]
        table = {
            "TableName": name,
            "TableArn": ARN + name,
            "CreationDateTime": self.created[name],
            "KeySchema": [{"AttributeName": "ID", "KeyType": "HASH"}],
            "ItemCount": len(self.tables[name]),
            **self.described.get(name, {}),
        }
        label = table.get("LatestStreamLabel", label_of(table["CreationDateTime"]))
        stream = {"LatestStreamLabel": label, "LatestStreamArn": f"{ARN}{name}/stream/{label}"}
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        return {"Table": {**table, **stream, "StreamSpecification": view}}

    def _get(self, request: dict[str, Any]) -> Item:
        headers = {"ResponseMetadata": {"HTTPHeaders": {"date": f"{self.clock():%a, %d %b %Y %H:%M:%S GMT}"}}}
        item = self.tables[request["TableName"]].get(request["Key"]["ID"]["S"])
        return headers if item is None else {"Item": item, **headers}

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
        self._require(request, "UpdateItem")
        new = self._written(request)
        self._replace(request["TableName"], request["Key"]["ID"]["S"], new)
        return {"Attributes": new} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _delete(self, request: dict[str, Any]) -> Item:
        self._require(request, "DeleteItem")
        self.delete(request["TableName"], request["Key"]["ID"]["S"])
        return {}

    def _require(self, request: dict[str, Any], call: str) -> None:
        if not self._holds(request):
            failure = self._failure(request)
            code = failure.pop("Code") + "Exception"
            raise client_error(code, call, **failure)

    def _transact(self, request: dict[str, Any]) -> Item:
        actions = [action.get("Update") or action["Delete"] for action in request["TransactItems"]]
        places = {(action["TableName"], action["Key"]["ID"]["S"]) for action in actions}
        if not 0 < len(actions) <= 100 or len(places) != len(actions) or any(set(each) - UPDATE for each in actions):
            raise client_error("ValidationException", "TransactWriteItems")
        reasons = [{"Code": "None"} if self._holds(action) else self._failure(action) for action in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            raise client_error("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        news = [self._written(each) if "UpdateExpression" in each else None for each in actions]
        for action, new in zip(actions, news, strict=True):
            self._replace(action["TableName"], action["Key"]["ID"]["S"], new)
        return {}

    def _failure(self, request: dict[str, Any]) -> Item:
        old = self.tables[request["TableName"]].get(request["Key"]["ID"]["S"])
        returned = old is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Code": "ConditionalCheckFailed"} | ({"Item": copied(old)} if returned else {})

    def _scan(self, request: dict[str, Any]) -> Item:
        assert request["ConsistentRead"], "an eventually consistent read"
        items = self.tables[request["TableName"]]
        start = request.get("ExclusiveStartKey", {}).get("ID", {}).get("S", "")
        keys = sorted(key for key in items if key > start)
        page = keys[: request.get("Limit", 3)]
        names = request.get("ExpressionAttributeNames", {})
        wanted = [names[each] for each in request.get("ProjectionExpression", "").split(", ") if each]
        found = [{name: items[key][name] for name in wanted or items[key] if name in items[key]} for key in page]
        return {"Items": found, **({"LastEvaluatedKey": {"ID": {"S": page[-1]}}} if len(keys) > len(page) else {})}

    def _holds(self, request: dict[str, Any]) -> bool:
        expressions = f"{request.get('ConditionExpression', '')} {request.get('UpdateExpression', '')}"
        for sign, given in (("#", "ExpressionAttributeNames"), (":", "ExpressionAttributeValues")):
            if set(re.findall(rf"{sign}\w+", expressions)) != set(request.get(given, {})) or request.get(given) == {}:
                raise client_error("ValidationException", message=f"{given} are not those in {expressions}")
        item = self.tables[request["TableName"]].get(request["Key"]["ID"]["S"], {})
        ways = request.get("ConditionExpression", "").split(" OR ")
        return any(all(_term(term, item, request) for term in way.split(" AND ") if term) for way in ways)

    def _written(self, request: dict[str, Any]) -> Item:
        """Return the item that an update writes."""
        key = request["Key"]["ID"]["S"]
        old = self.tables[request["TableName"]].get(key, {"ID": {"S": key}})
        names, values = request["ExpressionAttributeNames"], request.get("ExpressionAttributeValues", {})
        new, written = copied(old), set[str]()
        for verb, clause in CLAUSES.findall(request["UpdateExpression"]):
            for action in re.split(r", (?=#[\w.#]+(?: |,|$))", clause):
                path, _, right = action.partition(" = " if verb == "SET" else " ")
                if path in written:
                    raise client_error("ValidationException", message="two document paths overlap")
                written.add(path)
                place, name = _place(path, new, names)
                if verb == "REMOVE":
                    place.pop(name, None)
                elif verb == "ADD":
                    place[name] = copied(_added(place.get(name), values[right]))
                else:
                    place[name] = copied(_operand(right, old, names, values))
        return new

    def _replace(self, table: str, key: str, new: Item | None) -> None:
        old = self.tables[table].pop(key, None)
        if new is not None:
            self.tables[table][key] = new
        if old != new:
            self.streams[table].append(self._record(table, key, old, new))

    def _record(self, table: str, key: str, old: Item | None, new: Item | None) -> dict[str, Any]:
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": int(self.clock().timestamp()),
            "Keys": {"ID": {"S": key}},
            # Leading zeros and more than 64 bits: code must not rely on text order or on 64-bit integers.
            "SequenceNumber": f"{10**20 + len(self.streams[table]):025d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        change |= {"OldImage": copied(old)} if old is not None else {}
        change |= {"NewImage": copied(new)} if new is not None else {}
        return {
            "eventName": "REMOVE" if new is None else "INSERT" if old is None else "MODIFY",
            "eventSourceARN": self._describe({"TableName": table})["Table"]["LatestStreamArn"],
            "dynamodb": change,
        }


def label_of(enabled: datetime) -> str:
    """Return the label of a stream that was enabled at that time."""
    return enabled.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _place(path: str, item: Item, names: Item) -> tuple[Item, str]:
    """Return the mapping that a path's last part is in, and its name there."""
    first, _, last = path.partition(".")
    if not last:
        return item, names[first]
    inside = item.get(names[first], {}).get("M")
    if inside is None:
        raise client_error("ValidationException", message="The document path in the expression is invalid for update")
    return inside, names[last]


def _value(path: str, item: Item, names: Item) -> Any:
    first, _, last = path.partition(".")
    value = item.get(names[first])
    return value.get("M", {}).get(names[last]) if last and value else None if last else value


def _added(old: Item | None, value: Item) -> Item:
    ((kind, more),) = value.items()
    if kind not in (old or value):
        raise client_error("ValidationException", message="An operand in the update expression has an incorrect type")
    if kind == "N":
        return {"N": str(Decimal((old or {"N": "0"})["N"]) + Decimal(more))}
    assert kind == "SS"
    return {"SS": sorted({*(old or {"SS": []})["SS"], *more})}


def _operand(text: str, item: Item, names: Item, values: Item) -> Any:
    if found := re.fullmatch(r"if_not_exists\((#\w+), (:\w+)\)", text):
        return item.get(names[found[1]], values[found[2]])
    if found := re.fullmatch(r"(:\w+)", text):
        return values[text]
    found = re.fullmatch(r"(#\w+)(?: \+ (:\w+))?", text)
    if found is None:
        raise NotImplementedError(text)
    value = item.get(names[found[1]])
    if value is None:
        raise client_error("ValidationException", message="The expression refers to an attribute that does not exist")
    return _added(value, values[found[2]]) if found[2] else value


def _term(term: str, item: Item, request: dict[str, Any]) -> bool:
    names, values = request["ExpressionAttributeNames"], request.get("ExpressionAttributeValues", {})
    if found := re.fullmatch(r"attribute_(not_)?exists\(([#.\w]+)\)", term):
        return (_value(found[2], item, names) is None) == bool(found[1])
    found = re.fullmatch(r"([#.\w]+) (=|<=|>=) ([#:.\w]+)", term)
    if found is None:
        raise NotImplementedError(term)
    one = _value(found[1], item, names)
    other = values[found[3]] if found[3][0] == ":" else _value(found[3], item, names)
    if one is None or other is None:
        return False
    if found[2] == "=":
        return bool(one == other)
    if "N" not in one or "N" not in other:
        return False
    return int(one["N"]) <= int(other["N"]) if found[2] == "<=" else int(one["N"]) >= int(other["N"])
