"""The item `COUNTER`: what it holds, whether it can be trusted, and the updates that change it.

Pure: nothing here sends a request. `COUNTER` holds the total (`TotalViews`, and again as `Held`, so that a number that
something else wrote is noticed), `Ended`, the generation, and for each shard of the stream the position of the last
record that the total includes. One update changes all of them together.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..dynamodb.description import CLOCK_TOLERANCE, TableDescription
from ..dynamodb.items import MAX_TOTAL, AttributeValue, Item, format_time, text, timestamp, whole_number
from ..dynamodb.tables import COUNTER, ORIGIN
from ..dynamodb.updates import update_request
from .generation import Generation, Sum, rebuild_mark

POSITION_RETENTION = timedelta(hours=26)
"""How old the last record of a shard is when its position is dropped. No record before it can be delivered again: the
stream has trimmed them. Two days of positions would take a third write unit for each batch of a new table."""

MAX_DROPPED = 100
"""How many positions an update drops at most. A table that was busy and then idle for a day has hundreds, which do not
fit in an expression's 4 KB."""

MISSING = "COUNTER is missing"
"""Why there is no total to trust if there is no item."""

STATE = ("TotalViews", "Held", "Generation", "Next", "Table")
"""The attributes at least one of which changes whenever the total or its generations do."""

NEXT = ("Next", "NextTime", "NextViews", "NextMarks")
"""The attributes of a rebuild that is under way, which has all of them."""

REBUILD = (*NEXT, "Accepted", "Rebuilding")
"""The attributes that go with the end of a rebuild."""


class Position(NamedTuple):
    """The last record of a shard that the total includes: its sequence number, and when it was created."""

    sequence: int = -1
    created: int = 0

    def __str__(self) -> str:
        return f"{self.sequence}@{self.created}"

    def is_trimmed(self, now: datetime) -> bool:
        """Whether the stream no longer has the shard's records up to this one."""
        return self.created < (now - POSITION_RETENTION).timestamp()


class Counter(NamedTuple):
    """`COUNTER`, if it is intact. `following` is the generation of a rebuild that is under way, and `beside` its sum.

    `marks` is how many of the rebuild's marks have come through the stream. `positions` are by the shards' keys. The
    total includes `ended`. With `rebuilding`, it may be too low.
    """

    total: int
    ended: int
    present: Generation
    following: Generation | None
    beside: int
    positions: Mapping[str, Position]
    rebuilding: bool
    updated: str
    marks: int = 0

    def position(self, shard: str) -> int:
        """Return the sequence number of the last record of the shard that the total includes; -1 if there is none."""
        return self.positions.get(shard_key(shard), Position()).sequence

    def is_older(self, known: "Counter", now: datetime) -> bool:
        """Whether this is an older copy of the item that was `known`: the positions of its shards only increase.

        A generation that began later may have started without positions.
        """
        # A process whose clock is ahead may have dropped a position already.
        ahead = now + CLOCK_TOLERANCE
        return self.present.begins <= known.present.begins and any(
            position.sequence > self.positions.get(shard, Position()).sequence and not position.is_trimmed(ahead)
            for shard, position in known.positions.items()
        )


def read_counter(item: Item | None, table: str) -> Counter | str:
    """Read `COUNTER` of the table with the identity `table`; if it cannot be trusted, return the reason instead."""
    if not item:
        return MISSING
    present = _read_generation(item, "Generation", item.get("Accepted", {}).get("SS", ()))
    following = _read_generation(item, "Next")
    total, held, ended, beside, marks = (
        whole_number(item, name, MAX_TOTAL) for name in ("TotalViews", "Held", "Ended", "NextViews", "NextMarks")
    )
    positions = _read_positions(item.get("Positions"))
    if present is None:
        return "COUNTER was not written by this counter"
    if text(item, "Table") != table:
        return f"COUNTER belongs to another table, {text(item, 'Table')}"
    if total is None or total != held:
        return "TotalViews was changed by something else"
    is_whole = None not in (following, beside, marks) or not any(name in item for name in NEXT)
    if ended is None or positions is None or not is_whole:
        return f"{'Ended' if ended is None else 'Positions' if positions is None else 'Next'} is damaged"
    updated = text(item, "UpdatedAt") or ""
    flagged = "Rebuilding" in item
    return Counter(total, ended, present, following, beside or 0, positions, flagged, updated, marks or 0)


def commit(table: str, counter: Counter, shard: str, added: Sum, now: datetime) -> tuple[dict[str, Any], Counter]:
    """Return the update that adds a part of a batch to the total, and `COUNTER` as it then is.

    It succeeds only in the same generations and if nothing else has moved the shard's position. So processors of
    different shards do not disturb each other.
    """
    shard, created = shard_key(shard), added.last.created
    # A position must not be dropped early because of a time that no record of the stream can have.
    is_recent = isinstance(created, int | float) and (now - POSITION_RETENTION).timestamp() < created < now.timestamp()
    position = Position(added.last.sequence, int(created if is_recent else now.timestamp()))
    seen, following = counter.positions.get(shard), counter.following
    trimmed = [each for each, known in counter.positions.items() if each != shard and known.is_trimmed(now)]
    del trimmed[MAX_DROPPED:]
    condition = "#Generation = :generation AND #TotalViews = #Held AND "
    condition += "#Positions.#shard = :seen" if seen else "attribute_not_exists(#Positions.#shard)"
    condition += " AND #Next = :next" if following else " AND attribute_not_exists(#Next)"
    update = "SET #Positions.#shard = :position" + (", #UpdatedAt = :now" if added.total else "")
    update += " ADD #TotalViews :total, #Held :total, #Ended :ended"
    update += ", #NextViews :beside, #NextMarks :marks" if following else ""
    if trimmed:
        update += " REMOVE " + ", ".join(f"#Positions.#old{index}" for index in range(len(trimmed)))
    values: dict[str, AttributeValue] = {
        ":generation": {"S": counter.present.mark},
        ":position": {"S": str(position)},
        ":total": {"N": str(added.total)},
        ":ended": {"N": str(added.ended)},
        **({":seen": {"S": str(seen)}} if seen else {}),
        **({":now": {"S": timestamp()}} if added.total else {}),
    }
    if following:
        values |= {":next": {"S": following.mark}, ":beside": {"N": str(added.following)}}
        values[":marks"] = {"N": str(added.marks)}
    names = {"shard": shard} | {f"old{index}": each for index, each in enumerate(trimmed)}
    after = counter._replace(
        total=counter.total + added.total,
        ended=counter.ended + added.ended,
        beside=counter.beside + added.following,
        marks=counter.marks + added.marks,
        positions={each: known for each, known in counter.positions.items() if each not in trimmed} | {shard: position},
    )
    return update_request(table, COUNTER, update, condition, values, **names), after


def start(
    table: str, item: Item, description: TableDescription, now: datetime, *, is_new: bool
) -> list[dict[str, Any]]:
    """Return the updates, for one transaction, that start a generation, unless `COUNTER` has changed since it was read.

    The total starts with the visits that are known to have ended, and is marked as too low. If the table `is_new`, the
    generation begins with it, before its first item.
    """
    same_table, positions = text(item, "Table") == description.identity, _read_positions(item.get("Positions"))
    ended = {"N": str(whole_number(item, "Ended", MAX_TOTAL) or 0)}
    written: dict[str, AttributeValue] = {
        **dict.fromkeys(("TotalViews", "Held", "Ended"), ended),
        "Generation": {"S": new_mark()},
        "GenerationTime": {"S": description.begins if is_new else begin_time(now)},
        "Positions": {"M": {key: {"S": str(each)} for key, each in (positions or {}).items() if same_table}},
        "Table": {"S": description.identity},
        "UpdatedAt": {"S": timestamp()},
        **({} if is_new else {"Rebuilding": {"BOOL": True}}),
    }
    condition, values = unchanged(item, STATE)
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
    update += " REMOVE " + ", ".join(f"#{name}" for name in REBUILD if name not in written)
    values |= {f":{name}": value for name, value in written.items()}
    origin = update_request(table, ORIGIN, "SET #Table = :Table", "", {":Table": written["Table"]})
    return [update_request(table, COUNTER, update, condition, values), origin]


def flag(table: str, counter: Counter) -> dict[str, Any]:
    """Return the update that marks the total as too low until it has been rebuilt.

    A rebuild that is under way ends, because it lacks the same visits.
    """
    values: dict[str, AttributeValue] = {":generation": {"S": counter.present.mark}, ":true": {"BOOL": True}}
    update = "SET #Rebuilding = :true REMOVE " + ", ".join(f"#{name}" for name in NEXT)
    return update_request(table, COUNTER, update, "#Generation = :generation", values)


def unchanged(item: Item, attributes: tuple[str, ...]) -> tuple[str, dict[str, AttributeValue]]:
    """Return a condition that `attributes` still have the values in `item`, with its values."""
    terms = [f"#{name} = :read{name}" if name in item else f"attribute_not_exists(#{name})" for name in attributes]
    return " AND ".join(terms), {f":read{name}": item[name] for name in attributes if name in item}


def shard_key(shard: str) -> str:
    """Return a shard's key in `COUNTER`: its id without what all ids begin with. Every batch writes all keys."""
    return shard.removeprefix("shardId-").lstrip("0") or "0"


def new_mark() -> str:
    """Return the mark of a new generation."""
    return os.urandom(8).hex()


def begin_time(now: datetime) -> str:
    """Return when a generation begins that is started `now`, and the latest time at which an item may have been born.

    It begins later, so that no item that was born before the start is taken for one that was born after it. No clock
    is ahead of it.
    """
    return format_time(now + CLOCK_TOLERANCE)


def _read_generation(item: Item, name: str, accepted: Iterable[str] = ()) -> Generation | None:
    mark, begins = text(item, name), text(item, f"{name}Time")
    if not (mark and begins):
        return None
    marks = {mark, *accepted}
    return Generation(mark, begins, frozenset(marks | set(map(rebuild_mark, marks))))


def _read_positions(value: AttributeValue | None) -> dict[str, Position] | None:
    """Read the positions by shard; None if they are damaged."""
    positions = {}
    try:
        for shard, stored in (value or {})["M"].items():
            sequence, _, created = stored["S"].partition("@")
            positions[shard] = Position(int(sequence), int(created))
            if str(positions[shard]) != stored["S"]:
                return None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return positions
