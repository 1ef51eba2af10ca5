"""A project of somebody else's, on the SDK that the CLI generates for Python."""

import pulumi
import pulumi_stream_triggered_counter as stc  # type: ignore[import-not-found]

batch_size = pulumi.Config().get_int("batchSize")
hits = stc.StreamTriggeredCounter(
    "hits", stream=stc.StreamArgsArgs(batch_size=500 if batch_size is None else batch_size), tags={"team": "web"}
)
audit = stc.StreamConsumer(
    "audit",
    stream_arn=hits.stream_arn,
    code=pulumi.AssetArchive({"audit.py": pulumi.StringAsset("def handler(event, context):\n    return None\n")}),
    handler="audit.handler",
)
pulumi.export("apiEndpoint", hits.api_endpoint)
