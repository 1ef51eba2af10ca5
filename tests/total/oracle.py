"""What a total has to be, computed by other means than the functions: from all records, in the order of the writes."""

from collections.abc import Iterable, Sequence
from typing import Any

from functions.dynamodb.tables import COUNTER, is_total
from tests.total.store import Item


class Oracle:
    """The number of visits ever recorded in a table: `truth`. It knows nothing of marks, generations or deliveries.

    A malformed count is excluded until it is mended. `unknowable` is how many visits only a record showed that was
    lost, or delivered before `COUNTER` was lost. No total exceeds the `limit`: counts below 0 are filled by visits.
    `totals` are those that processors have written.
    """

    def __init__(self) -> None:
        self.truth = self.unknowable = self.limit = self.lost = 0
        self.totals: list[int] = []
        self._counts: dict[str, int] = {}
        self._read = self._below = self._lost_falls = 0
        self._saved = (0, 0)

    def adopt(self, items: Iterable[Item], read: int) -> None:
        """Begin with a table's items, with the visits that `restore` has left."""
        self._counts = {item["ID"]["S"]: count_of(item) or 0 for item in items if not is_total(item["ID"]["S"])}
        self.truth += sum(self._counts.values())
        self._read = read
        self._below = sum(min(0, count) for count in self._counts.values())
        self.limit = self.truth - self._below

    def observe(self, records: Sequence[dict[str, Any]]) -> None:
        """Read the records since the last call. `records` are all of the table's."""
        for record in records[self._read :]:
            key, old, new = read(record)
            if key == COUNTER:
                self._check(record["dynamodb"].get("NewImage", {}))
                continue
            self.truth += rise(old, new)
            count = (new or 0) if "NewImage" in record["dynamodb"] else 0
            self._below += min(0, count) - min(0, self._counts.get(key, 0))
            self._counts[key] = count
            self.limit = max(self.limit, self.truth - self._below)
        self._read = len(records)

    def _check(self, counter: Item) -> None:
        """Check the total at the moment at which it was written."""
        if counter.get("Held", "") == counter.get("TotalViews"):
            self.totals.append(int(counter["TotalViews"]["N"]))
            assert self.totals[-1] <= self.limit, "the total is too high"

    def lose(self, records: Iterable[dict[str, Any]]) -> None:
        """Note that the records were lost."""
        for record in records:
            _, old, new = read(record)
            self.lost += 1
            self.unknowable += fall(old, new)
            self._lost_falls += fall(old, new)

    def lose_counter(self, delivered: Iterable[dict[str, Any]]) -> None:
        """Note that `COUNTER` was lost after the records were delivered: it alone knew of visits that had ended."""
        self.unknowable = self._ended(delivered) + self._lost_falls

    def save(self, delivered: Iterable[dict[str, Any]]) -> None:
        """Note that a backup was made when the records had been delivered."""
        self._saved = self.truth - sum(self._counts.values()), self._ended(delivered)

    def restore(self) -> None:
        """Note that the backup is restored, as far as its items do not show it."""
        ended, known = self._saved
        self.truth, self.unknowable = ended, ended - known

    def restore_counter(self, delivered: Iterable[dict[str, Any]]) -> None:
        """Note that `COUNTER` was replaced by that of the backup."""
        self.unknowable += max(0, self._ended(delivered) - self._saved[1])

    @staticmethod
    def _ended(records: Iterable[dict[str, Any]]) -> int:
        return sum(fall(*read(record)[1:]) for record in records)


def read(record: dict[str, Any]) -> tuple[str, int | None, int | None]:
    """Return a record's key, and the counts in both images: 0 if there is none, and None if it is malformed.

    A count below 0 goes with its item: its deletion is no visit.
    """
    body = record["dynamodb"]
    key = body["Keys"]["ID"]["S"]
    if is_total(key):
        return key, 0, 0
    old, new = (count_of(body.get(name, {})) for name in ("OldImage", "NewImage"))
    return key, old, min(0, old or 0) if "NewImage" not in body else new


def rise(old: int | None, new: int | None) -> int:
    """Return the visits that a record adds: malformed counts are taken out, and mended ones come back."""
    return (new or 0) - (old or 0) if old is None or new is None else max(0, new - old)


def fall(old: int | None, new: int | None) -> int:
    """Return the visits that only the record shows: those by which the count fell."""
    return 0 if old is None or new is None else max(0, old - new)


def count_of(item: Item) -> int | None:
    """Return the count in an item, 0 if it has none, and None if it is malformed."""
    number = item.get("Count", {"N": "0"}).get("N", "")
    return int(number) if number.lstrip("-").isdecimal() and len(number) <= 30 else None
