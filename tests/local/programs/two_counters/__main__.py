"""Two counters in one stack."""

import pulumi

from components import StreamTriggeredCounter

for name in ("first", "second"):
    counter = StreamTriggeredCounter(name)
    for key, value in counter.outputs().items():
        pulumi.export(f"{name}{key[0].upper()}{key[1:]}", value)
