"""How the ledger and the total are stored: reading their items, and building the updates that write them.

Pure: nothing here sends a request. The ledger holds one entry per tag and, under the key `COUNTER`, its marker. The
table holds the total under the same key. If the total is spread over several items, each has a part of it, and the
first says how many there are.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..dynamodb.items import AttributeValue, Item, text, timestamp, whole_number
from ..dynamodb.spread import is_intact, spread_of
from ..dynamodb.tables import COUNTER, KEY, SPREAD, item_key
from .ledger import Counter, Entry, Marker, Position

ENTRY_VERSION = ("Sequence", "Epoch")
"""Every write of an entry changes at least one of these attributes."""

MARKER_ATTRIBUTES = ("Table", "Epoch")
PART_ATTRIBUTES = ("TotalViews", "Held", "Ledger", "Epoch")
COUNTER_ATTRIBUTES = (*PART_ATTRIBUTES, SPREAD)


def read_marker(stored: Item | None) -> Marker:
    """Read the ledger's marker. A missing or damaged marker reads as empty."""
    return Marker(text(stored, "Epoch") or "", text(stored, "Table") or "")


def read_counter(stored: Sequence[Item]) -> Counter | None:
    """Read the items that hold the total, in their order; None if the first does not exist."""
    first = stored[0]
    return Counter(text(first, "Ledger") or "", text(first, "Epoch") or "", is_intact(stored)) if first else None


def read_entry(stored: Item | None) -> Entry:
    """Read a ledger entry. A missing or incomplete entry reads as that of an unknown tag."""
    stream, sequence, epoch = text(stored, "Stream"), text(stored, "Sequence") or "", text(stored, "Epoch") or ""
    table = epoch.partition("-")[0]
    if stored is None or not stream or not sequence.isdigit():
        return Entry(table=table)
    return Entry(
        counted=whole_number(stored, "Counted") or 0,
        since=text(stored, "Since") or "",
        ended=stored.get("Ended", {}).get("BOOL") is True,
        given=whole_number(stored, "Given") or 0,
        position=Position(stream, int(sequence)),
        sequence=sequence,
        table=table,
        epoch=epoch,
    )


def unchanged(stored: Item, attributes: Sequence[str]) -> tuple[str, dict[str, str], dict[str, AttributeValue]]:
    """Return a condition that `attributes` still have the values in `stored`, with its names and values."""
    names = {f"#{attribute}": attribute for attribute in attributes}
    terms, values = [], {}
    for index, attribute in enumerate(attributes):
        if attribute in stored:
            terms.append(f"#{attribute} = :read{index}")
            values[f":read{index}"] = stored[attribute]
        else:
            terms.append(f"attribute_not_exists(#{attribute})")
    return " AND ".join(terms), names, values


def entry_update(ledger: str, tag: str, entry: Entry, stored: Item | None) -> dict[str, Any]:
    """Return the update that writes a tag's entry, unless the entry has changed since it was read as `stored`.

    Besides the sequence number, it contains only what differs from `stored`: one batch writes up to 99 entries, and
    most of an entry stays as it is.
    """
    position = entry.position or Position("", 0)
    written: dict[str, AttributeValue | None] = {
        "Counted": {"N": str(entry.counted)},
        "Given": {"N": str(entry.given)},
        "Stream": {"S": position.stream},
        "Sequence": {"S": entry.sequence},
        "Epoch": {"S": entry.epoch},
        # Attributes that most entries do not need are omitted.
        "Since": {"S": entry.since} if entry.since else None,
        "Ended": {"BOOL": True} if entry.ended else None,
    }
    known = stored or {}
    changed = {name: value for name, value in written.items() if name == "Sequence" or value != known.get(name)}
    return _conditional_update(ledger, tag, ENTRY_VERSION, stored, changed)


def marker_update(ledger: str, stored: Item | None, table: str, epoch: str) -> dict[str, Any]:
    """Return the update that points the ledger to `table`, unless the marker has changed since it was read."""
    return _conditional_update(
        ledger, COUNTER, MARKER_ATTRIBUTES, stored, {"Table": {"S": table}, "Epoch": {"S": epoch}}
    )


def new_total_updates(
    table: str, stored: Sequence[Item], ledger: str, epoch: str, *, rebuilding: bool
) -> list[dict[str, Any]]:
    """Return the updates that start the total at 0 in all its items, unless it has changed since it was read."""
    written = _nothing(ledger, epoch)
    if rebuilding:
        written["Rebuilding"] = {"BOOL": True}
    written[SPREAD] = {"N": str(len(stored))} if len(stored) > 1 else None
    first = _conditional_update(table, COUNTER, COUNTER_ATTRIBUTES, stored[0], written)
    return [first, *_new_parts(table, stored, 1, ledger, epoch)]


def extension_updates(table: str, stored: Sequence[Item], ledger: str, epoch: str) -> list[dict[str, Any]]:
    """Return the updates that add the missing items to a total that is intact, as it was read."""
    count = {SPREAD: {"N": str(len(stored))}}
    first = _conditional_update(table, COUNTER, ("Ledger", "Epoch", SPREAD), stored[0], count)
    return [first, *_new_parts(table, stored, spread_of(stored[0]), ledger, epoch)]


def _new_parts(table: str, stored: Sequence[Item], start: int, ledger: str, epoch: str) -> list[dict[str, Any]]:
    return [
        _conditional_update(table, item_key(COUNTER, index), ("Epoch",), stored[index], _nothing(ledger, epoch))
        for index in range(start, len(stored))
    ]


def _nothing(ledger: str, epoch: str) -> dict[str, AttributeValue | None]:
    """Return the attributes of an item of the total to which no visit was added yet."""
    return {
        "TotalViews": {"N": "0"},
        "Held": {"N": "0"},
        "Ledger": {"S": ledger},
        "Epoch": {"S": epoch},
        "UpdatedAt": {"S": timestamp()},
    }


def total_update(table: str, index: int, ledger: str, epoch: str, delta: int) -> dict[str, Any]:
    """Return the update that adds `delta` to an item of the total, if that still belongs to `ledger` and `epoch`.

    A transaction contains it even if `delta` is 0, so that no entry is written in an outdated epoch. `Held` changes
    together with `TotalViews`; a difference between the two reveals that something else wrote the total.
    """
    names = {f"#{name}": name for name in PART_ATTRIBUTES}
    values: dict[str, AttributeValue] = {":delta": {"N": str(delta)}, ":ledger": {"S": ledger}, ":epoch": {"S": epoch}}
    update = "ADD #TotalViews :delta, #Held :delta"
    if delta:
        update += " SET #UpdatedAt = :now"
        values[":now"], names["#UpdatedAt"] = {"S": timestamp()}, "UpdatedAt"
    return {
        "TableName": table,
        "Key": {KEY: {"S": item_key(COUNTER, index)}},
        "UpdateExpression": update,
        "ConditionExpression": "#Ledger = :ledger AND #Epoch = :epoch AND #TotalViews = #Held",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _conditional_update(
    table: str,
    key: str,
    compared: Sequence[str],
    stored: Item | None,
    written: Mapping[str, AttributeValue | None],
) -> dict[str, Any]:
    """Return the update that sets the attributes in `written`, and removes those whose value is None."""
    present = tuple(name for name in compared if stored is not None and name in stored)
    removed = tuple(name for name, value in written.items() if not value)
    condition, update, names = _expressions(tuple(compared), present, tuple(written), removed)
    values = {f":{name}": value for name, value in written.items() if value}
    for name in present:
        values[f":read{name}"] = stored[name]  # type: ignore[index]
    return {
        "TableName": table,
        "Key": {KEY: {"S": key}},
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": dict(names),
        "ExpressionAttributeValues": values,
    }


@lru_cache(maxsize=64)
def _expressions(
    compared: tuple[str, ...], present: tuple[str, ...], written: tuple[str, ...], removed: tuple[str, ...]
) -> tuple[str, str, dict[str, str]]:
    """Return the condition, the update and their names. A batch writes up to 99 entries with the same few."""
    condition = " AND ".join(
        f"#{name} = :read{name}" if name in present else f"attribute_not_exists(#{name})" for name in compared
    )
    sets = ", ".join(f"#{name} = :{name}" for name in written if name not in removed)
    removes = ", ".join(f"#{name}" for name in removed)
    names = {f"#{name}": name for name in (*compared, *written)}
    return condition, f"SET {sets}" + (f" REMOVE {removes}" if removes else ""), names
