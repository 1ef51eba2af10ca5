"""The units that DynamoDB charges for requests, by AWS's published rules, and a meter that applies these rules.

The rules are those of "DynamoDB read and write operations", "DynamoDB item sizes and formats" and "DynamoDB
transactions" in the Amazon DynamoDB Developer Guide, read on 2026-11-21. DynamoDB Local reports transactions at the
price of single writes, so its own figures are not used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from botocore import xform_name  # type: ignore[import-untyped]

KIB = 1024
WRITE_UNIT_BYTES = KIB
READ_UNIT_BYTES = 4 * KIB
TRANSACTION_FACTOR = 2
"""A transaction prepares and commits each item, and both are charged."""

Item = Mapping[str, Mapping[str, Any]]


class Usage(NamedTuple):
    """Requests and the units charged for them."""

    requests: float = 0
    write_units: float = 0
    read_units: float = 0


def item_size(item: Item) -> int:
    """Return the bytes of an item: its attributes' names, and their values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Return the bytes of an attribute's value, of the types that counters use."""
    [(kind, content)] = value.items()
    if kind == "S":
        return len(str(content).encode())
    if kind == "N":
        written = str(content)
        digits = written.lstrip("-").replace(".", "").strip("0") or "0"
        # About one byte for two significant digits, one more, and one for the sign.
        return (len(digits) + 1) // 2 + 1 + written.startswith("-")
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_size(inner) for name, inner in content.items())
    raise ValueError(f"attribute type: {kind!r} is not supported; allowed: S, N, BOOL, NULL, M")


def write_units(size: int, *, transactional: bool = False) -> int:
    """Return the units of one write of an item that has `size` bytes, of the larger of before and after."""
    return max(1, -(-size // WRITE_UNIT_BYTES)) * (TRANSACTION_FACTOR if transactional else 1)


def read_units(size: int, *, consistent: bool = True) -> float:
    """Return the units of one read of an item that has `size` bytes; a missing item is charged as the smallest."""
    return max(1, -(-size // READ_UNIT_BYTES)) * (1.0 if consistent else 0.5)


class Meter:
    """Charges the requests that clients make, by table.

    `peek` returns an item as it is now, None if there is none, and is not charged. A write whose condition failed is
    charged like any other.
    """

    def __init__(self, peek: Callable[[str, str], Item | None]) -> None:
        self._peek = peek
        self.by_table: dict[str, Usage] = {}
        self.requests: Counter[str] = Counter()

    @property
    def total(self) -> Usage:
        """The sum over all tables. A request that touches several tables counts once."""
        sums = [sum(column) for column in zip(*self.by_table.values(), strict=True)] or [0, 0, 0]
        return Usage(self.requests.total(), sums[1], sums[2])

    def reset(self) -> None:
        """Start again from nothing."""
        self.by_table.clear()
        self.requests.clear()

    def client(self, client: Any) -> MeteredClient:
        """Return `client` with its requests metered; for clients in memory."""
        return MeteredClient(self, client)

    def watch(self, client: Any) -> None:
        """Meter all requests of a boto3 client from now on, however it is called."""
        pending: list[Callable[[], None]] = []

        def before(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            pending.append(self.charge(xform_name(model.name), params))

        def after(**_: Any) -> None:
            pending.pop()()

        client.meta.events.register("provide-client-params.dynamodb", before)
        client.meta.events.register("after-call.dynamodb", after)

    def charge(self, operation: str, request: Mapping[str, Any]) -> Callable[[], None]:
        """Take note of a request that is about to be made; call the result once it was answered.

        Raises NotImplementedError for an operation without a rule.
        """
        rule = getattr(self, f"_charge_{operation}", None)
        if rule is None:
            raise NotImplementedError(f"no rule for {operation}")
        self.requests[operation] += 1
        settle: Callable[[], None] = rule(request)
        return settle

    def _add(self, table: str, writes: int = 0, reads: float = 0) -> None:
        before = self.by_table.get(table, Usage())
        self.by_table[table] = Usage(before.requests + 1, before.write_units + writes, before.read_units + reads)

    def _size(self, table: str, key: str) -> int:
        item = self._peek(table, key)
        return 0 if item is None else item_size(item)

    def _write(self, places: Iterable[tuple[str, str]], *, transactional: bool) -> Callable[[], None]:
        before = {place: self._size(*place) for place in places}

        def settle() -> None:
            units: Counter[str] = Counter()
            for place, size in before.items():
                units[place[0]] += write_units(max(size, self._size(*place)), transactional=transactional)
            for table, sum_of_units in units.items():
                self._add(table, writes=sum_of_units)

        return settle

    def _charge_update_item(self, request: Mapping[str, Any]) -> Callable[[], None]:
        return self._write([(request["TableName"], _key(request["Key"]))], transactional=False)

    _charge_delete_item = _charge_update_item

    def _charge_put_item(self, request: Mapping[str, Any]) -> Callable[[], None]:
        return self._write([(request["TableName"], _key(request["Item"]))], transactional=False)

    def _charge_transact_write_items(self, request: Mapping[str, Any]) -> Callable[[], None]:
        actions = [next(iter(action.values())) for action in request["TransactItems"]]
        places = [(action["TableName"], _key(action.get("Key") or action["Item"])) for action in actions]
        return self._write(places, transactional=True)

    def _charge_get_item(self, request: Mapping[str, Any]) -> Callable[[], None]:
        table, consistent = request["TableName"], request.get("ConsistentRead", False)
        size = self._size(table, _key(request["Key"]))
        return lambda: self._add(table, reads=read_units(size, consistent=consistent))

    def _charge_batch_get_item(self, request: Mapping[str, Any]) -> Callable[[], None]:
        def settle() -> None:
            for table, wanted in request["RequestItems"].items():
                sizes = [self._size(table, _key(key)) for key in wanted["Keys"]]
                consistent = wanted.get("ConsistentRead", False)
                self._add(table, reads=sum(read_units(size, consistent=consistent) for size in sizes))

        return settle

    # A scan or a query is charged by the bytes that it goes over, which no rule here needs.
    def _charge_describe_table(self, _: Mapping[str, Any]) -> Callable[[], None]:
        return lambda: None


class MeteredClient:
    """A client whose requests a meter charges."""

    def __init__(self, meter: Meter, client: Any) -> None:
        self._meter = meter
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._client, operation)

        def metered(**request: Any) -> Any:
            settle = self._meter.charge(operation, request)
            try:
                return method(**request)
            finally:
                settle()

        return metered


def _key(key: Item) -> str:
    return str(next(value for name, value in key.items() if name in ("ID", "id"))["S"])
