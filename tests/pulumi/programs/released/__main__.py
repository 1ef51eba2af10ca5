"""Every component and grant of the released layout; the components' names may be changed, with an alias or without."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from components import StreamConsumer, StreamTriggeredCounter

config = pulumi.Config()
name = config.get("name") or "counter"
alias = config.get("alias")
counter = StreamTriggeredCounter(
    name, opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=alias)] if alias else None)
)
StreamConsumer(
    "audit",
    {
        "stream_arn": config.require("streamArn"),
        "function_arn": config.require("functionArn"),
        "function_role_name": "audit",
    },
)
counter.grant_count("importer")
counter.grant_read("reader")
