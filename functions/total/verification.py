"""Comparing counts, ledger and total without writing anything, at any time, while visits go on.

A tag's item may show visits that its ledger entry does not: they are on their way through the stream, or lost. One
reading cannot tell the two apart, so a later one looks whether the entry has reached what the item showed before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..dynamodb.items import DynamoDB
from ..dynamodb.retries import MAX_BATCH_KEYS, RetryBudget, read_items
from ..dynamodb.spread import read_spread_singly
from ..dynamodb.tables import item_keys
from .ledger import Change, Entry, Image, Ownership, is_current, missing
from .ownership import Claim, LedgerClaim, TableDescription
from .reconciliation import MAX_LEDGER_SCANS, scan, scan_tags
from .records import image_of
from .stored import read_entry


class Behind(NamedTuple):
    """A tag whose item shows `visits` that were not in the total: the item, and the ledger's entry, as they were."""

    image: Image
    entry: Entry
    visits: int


@dataclass
class Findings:
    """What a comparison has read so far.

    `visits` is the sum of the counts of `tags`, and `counted` how much of it their ledger entries had when the items
    were read. `behind` has the items of tags that show more, by their keys. `given` is the sum of all that the ledger's
    `entries` gave to the total, over all lives of all tags. `outdated` entries belong to an earlier total, so theirs is
    missing. The total was `before` and `after` while the ledger was read, so it agrees with the ledger if `given` lies
    in between.
    """

    claim: Claim
    expected: int = 0
    tags: int = 0
    visits: int = 0
    counted: int = 0
    entries: int = 0
    given: int = 0
    outdated: int = 0
    before: int = 0
    after: int = 0
    behind: dict[str, Behind] = field(default_factory=dict)

    @property
    def is_sum(self) -> bool:
        """Whether the total is the sum of the ledger."""
        return self.claim.ownership is Ownership.OWNED and self.before <= self.given <= self.after

    @property
    def missing(self) -> int:
        """How many visits the tags that are behind are missing."""
        return sum(each.visits for each in self.behind.values())


class Verification:
    """Compares one table with its ledger.

    Needs `dynamodb:DescribeTable`, `dynamodb:Scan` and `dynamodb:GetItem` on the table, and `dynamodb:BatchGetItem`,
    `dynamodb:Scan` and `dynamodb:GetItem` on the ledger.
    """

    def __init__(self, client: DynamoDB, table: str, ledger: str) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._claim = LedgerClaim(client, table, ledger)

    @property
    def description(self) -> TableDescription:
        """The table's identity."""
        return self._claim.description()

    def claim(self) -> Claim:
        """Read who maintains the total, and the total."""
        return self._claim.inspect()

    def holds(self, tag: str, count: int, budget: RetryBudget) -> bool:
        """Whether the first `count` visits of the tag's current life are in the total."""
        claim, items = self.claim(), read_spread_singly(self._client, self._table, tag)
        entries = self._entries(item_keys(tag, range(len(items))), budget).values()
        return count <= sum(
            entry.counted
            for item, entry in zip(items, entries, strict=True)
            if claim.ownership is Ownership.OWNED
            and entry.epoch == claim.epoch
            and not entry.ended
            and entry.since == image_of(item).since
        )

    def run(self, budget: RetryBudget) -> Iterator[Findings]:
        """Compare everything. Yields the findings after each page; they are complete after the last one."""
        for found in self._add_up_ledger():
            yield found
        for page in scan_tags(self._client, self._table):
            entries = self._entries(list(page.images), budget)
            found.tags += page.tags
            for key, image in page.images.items():
                self._compare(found, key, image, entries[key])
            yield found

    def arrived(self, behind: Mapping[str, Behind], budget: RetryBudget) -> list[str]:
        """Return those of the tags whose entries have now reached what their items showed before."""
        epoch, found = self.claim().epoch, []
        tags = list(behind)
        for start in range(0, len(tags), MAX_BATCH_KEYS):
            chunk = tags[start : start + MAX_BATCH_KEYS]
            entries = self._entries(chunk, budget)
            found += [tag for tag in chunk if _has_reached(entries[tag], behind[tag], epoch)]
        return found

    def unapplied(self, changes: Mapping[str, Sequence[Change]], budget: RetryBudget) -> list[str]:
        """Return the tags of which the total has not applied the last of these changes, nor a later one."""
        claim, found = self.claim(), []
        tags = list(changes)
        for start in range(0, len(tags), MAX_BATCH_KEYS):
            chunk = tags[start : start + MAX_BATCH_KEYS]
            entries = self._entries(chunk, budget)
            found += [tag for tag in chunk if not _has_applied(entries[tag], changes[tag][-1], claim)]
        return found

    def _add_up_ledger(self) -> Iterator[Findings]:
        """Read the ledger; again if the total was taken over meanwhile, since the sum is that of two totals then."""
        fingerprint = self.description.fingerprint
        for _ in range(MAX_LEDGER_SCANS):
            claim = self.claim()
            found = Findings(claim, self.description.items, before=claim.total or 0)
            for items, _ in scan(self._client, self._ledger):
                for item in items:
                    entry = read_entry(item)
                    # The marker has no position.
                    if entry.table != fingerprint or entry.position is None:
                        continue
                    found.entries += 1
                    found.outdated += entry.epoch != claim.epoch
                    found.given += entry.given if entry.epoch == claim.epoch else 0
                yield found
            found.claim = self.claim()
            found.after = found.claim.total or 0
            if found.claim.epoch == claim.epoch:
                break
        yield found

    def _compare(self, found: Findings, key: str, image: Image, entry: Entry) -> None:
        epoch, table = found.claim.epoch, self.description.fingerprint
        visits = image.visits or 0
        lacking = missing(entry, image, epoch, table)
        found.visits += visits
        found.counted += visits - lacking
        if not is_current(entry, image, epoch, table):
            found.behind[key] = Behind(image, entry, lacking)

    def _entries(self, tags: list[str], budget: RetryBudget) -> dict[str, Entry]:
        read = read_items(self._client, self._ledger, tags, budget) if tags else {}
        return {tag: read_entry(read.get(tag)) for tag in tags}


def _has_applied(entry: Entry, change: Change, claim: Claim) -> bool:
    kept = claim.ownership is Ownership.OWNED and entry.epoch == claim.epoch
    return kept and entry.position is not None and entry.position >= change.position


def _has_reached(entry: Entry, behind: Behind, epoch: str) -> bool:
    """Whether `entry` has moved past what the tag's item showed.

    A tag's records are applied in order, so an entry that is in another life by now has passed it.
    """
    if entry.epoch != epoch or (entry.position, entry.epoch) == (behind.entry.position, behind.entry.epoch):
        return False
    return entry.ended or entry.since != behind.image.since or entry.counted >= (behind.image.visits or 0)
