"""The shards of a stream, made up: neither the store in memory nor DynamoDB Local has several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32


@dataclass
class Shard:
    """A shard of a stream: its records, how many of them were delivered, and the state of its window."""

    id: str
    parent: Shard | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    done: int = 0
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether its records may be delivered: its parent's are finished."""
        return self.parent is None or (self.parent.is_ready and self.parent.done == len(self.parent.records))


class Stream:
    """A table's stream in several lines of shards, each for some of the keys; the last shard of a line is open."""

    def __init__(self, lines: int) -> None:
        self.made = self.dealt = 0
        self.lines = [[self._shard(None)] for _ in range(lines)]

    def _shard(self, parent: Shard | None) -> Shard:
        self.made += 1
        return Shard(f"shardId-{1795856760000 + self.made:020d}-{crc32(bytes([self.made])):08x}", parent)

    @property
    def shards(self) -> list[Shard]:
        return [shard for line in self.lines for shard in line]

    def deal(self, records: Sequence[dict[str, Any]]) -> None:
        """Append the records that are new."""
        for each in records[self.dealt :]:
            key = each["dynamodb"]["Keys"]["ID"]["S"]
            # Without the lowest bits, the tags of the histories are in different lines.
            self.lines[(crc32(key.encode()) >> 3) % len(self.lines)][-1].records.append(each)
        self.dealt = len(records)

    def roll(self, line: int) -> None:
        """Close the open shard of a line, and continue in a child."""
        line %= len(self.lines)
        self.lines[line].append(self._shard(self.lines[line][-1]))
