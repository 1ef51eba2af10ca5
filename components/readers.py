"""Count the readers of each stream, since DynamoDB serves only two at a time."""

from weakref import WeakKeyDictionary

import pulumi

MOST_READERS = 2
"""DynamoDB throttles a shard that more than two processes read at once (DynamoDB Developer Guide, Streams)."""

Readers = dict[object, set[int | str]]
"""The consumers of each stream, which is the output or the string that names it."""

# By program first: one process may run several, as tests do. An output is compared by identity, since its value is
# unknown in a preview.
_programs: "WeakKeyDictionary[pulumi.Resource, Readers]" = WeakKeyDictionary()

# The plugin sees one component at a time, and the same ones in the preview and the update.
_plugin: Readers = {}


def warn_of_third_reader(consumer: pulumi.ComponentResource, stream: pulumi.Input[str]) -> None:
    """Warn at the third consumer of one stream, and at each one after it.

    In the plugin two consumers have only the stream's ARN in common, so there it takes until that is known.
    """
    root = pulumi.runtime.get_root_resource()
    if root is None:
        pulumi.Output.from_input(stream).apply(lambda arn: _count(_plugin, arn, consumer._name, consumer))
    else:
        _count(_programs.setdefault(root, {}), stream, id(consumer), consumer)


def _count(readers: Readers, stream: object, reader: int | str, consumer: pulumi.ComponentResource) -> None:
    known = readers.setdefault(stream, set())
    known.add(reader)
    if len(known) > MOST_READERS:
        pulumi.log.warn(
            f"This is consumer {len(known)} of one stream. DynamoDB serves {MOST_READERS} readers of a shard and "
            "throttles the others, so all of them will lag. Let one consumer pass its records on to the others "
            "instead, for example through EventBridge or SNS.",
            resource=consumer,
        )
