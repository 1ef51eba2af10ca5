"""Count the readers of each stream, since DynamoDB serves only two at a time."""

from collections import Counter
from weakref import WeakKeyDictionary

import pulumi

MOST_READERS = 2
"""DynamoDB throttles a shard that more than two processes read at once (DynamoDB Developer Guide, Streams)."""

# By program first: one process may run several, as tests do. A stream is the output or the string that names it; an
# output is compared by identity, since its value is unknown in a preview.
_streams: "WeakKeyDictionary[pulumi.Resource, Counter[object]]" = WeakKeyDictionary()


def warn_of_third_reader(consumer: pulumi.ComponentResource, stream: pulumi.Input[str]) -> None:
    """Warn at the third consumer of one stream, and at each one after it."""
    root = pulumi.runtime.get_root_resource()
    if root is None:
        return
    counts = _streams.setdefault(root, Counter())
    counts[stream] += 1
    if counts[stream] > MOST_READERS:
        pulumi.log.warn(
            f"This is consumer {counts[stream]} of one stream. DynamoDB serves {MOST_READERS} readers of a shard and "
            "throttles the others, so all of them will lag. Let one consumer pass its records on to the others "
            "instead, for example through EventBridge or SNS.",
            resource=consumer,
        )
