"""A counter, a further consumer of its stream, and a role of this project's own that may read the counts."""

import pulumi
import pulumi_aws as aws
from stream_triggered_counter import StreamConsumer, StreamTriggeredCounter, StreamTriggeredCounterArgs

counter = StreamTriggeredCounter("hits", StreamTriggeredCounterArgs(stream={"batch_size": 500}))

StreamConsumer(
    "audit",
    {
        "stream_arn": counter.stream_arn,
        "code": pulumi.AssetArchive({"functions/audit.py": pulumi.FileAsset("functions/audit.py")}),
        "handler": "functions.audit.handler",
        "filters": ['{"eventName": ["REMOVE"]}'],
    },
)

report = aws.iam.Role(
    "report",
    assume_role_policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
            ],
        }
    ),
)
counter.grant_read(report)

pulumi.export("apiEndpoint", counter.api_endpoint)
pulumi.export("tableName", counter.table_name)
