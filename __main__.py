"""One stream-triggered counter for each stack: visits counted per tag, and an exact total kept by the table's stream.

The stack's configuration (`Pulumi.<stack>.yaml`) may set any argument of the component; `Pulumi.yaml` lists them.
"""

import pulumi

from components import StreamTriggeredCounter
from components.config import args_from_config

counter = StreamTriggeredCounter("counter", args_from_config(pulumi.Config()))

for name, value in counter.outputs().items():
    pulumi.export(name, value)
