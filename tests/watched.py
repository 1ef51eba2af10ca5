"""What a test sees and changes of a running counter: alarms, metrics, logs, records, and the way to DynamoDB."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.interposer import Interposer
from tests.running import RunningCloud


class Watched:
    """The shared local cloud, with its functions' requests to DynamoDB in the test's hands."""

    def __init__(self, cloud: RunningCloud, database: Interposer) -> None:
        self.cloud = cloud
        self.database = database
        self.outputs = cloud.outputs
        self.processor: str = self.outputs["functionNames"]["processStream"]
        self.functions = cloud.client("lambda")

    def deployed(self, name: str) -> dict[str, Any]:
        """Return an alarm as it is deployed."""
        alarms = self.cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"counter-{name}-")["MetricAlarms"]
        [found] = alarms
        return dict(found)

    def configure(self, **variables: str | None) -> None:
        """Set environment variables of every function that uses DynamoDB; None removes one."""
        for key in ("recordVisit", "viewCounts", "processStream"):
            name = self.outputs["functionNames"][key]
            known = self.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            wanted = {name: value for name, value in {**known, **variables}.items() if value is not None}
            self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": wanted})

    def invoke(self) -> None:
        """Invoke the processor with a batch that changes no count: the emulator measures no other invocations."""
        arn, image = self.outputs["streamArn"], {"ID": {"S": "invoked"}, "Count": {"N": "1"}}
        change: dict[str, Any] = {"Keys": {"ID": image["ID"]}, "OldImage": image, "NewImage": image}
        change |= {"SequenceNumber": str(time.time_ns()), "ApproximateCreationDateTime": time.time()}
        record = {"eventName": "MODIFY", "eventSourceARN": arn, "dynamodb": change}
        payload = json.dumps({"Records": [record], "shardId": "shardId-invoked", "eventSourceARN": arn})
        self.functions.invoke(FunctionName=self.processor, Payload=payload)

    def measured(self, name: str, statistic: str = "Sum") -> list[float]:
        """Return what the emulator's CloudWatch has of an alarm's metric, by the alarm's own definition."""
        alarm, now = self.deployed(name), datetime.now(UTC)
        points = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace=alarm["Namespace"],
            MetricName=alarm["MetricName"],
            Dimensions=alarm["Dimensions"],
            StartTime=now - timedelta(minutes=30),
            EndTime=now + timedelta(minutes=1),
            Period=alarm["Period"],
            Statistics=[statistic],
        )["Datapoints"]
        return [point[statistic] for point in sorted(points, key=lambda point: point["Timestamp"])]

    def messages(self) -> int:
        attributes = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["deadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def emitted(self, metric: str, function: str = "processStream") -> list[dict[str, Any]]:
        """Return the lines of a function's log that CloudWatch reads a metric out of."""
        name = self.outputs["functionNames"][function]
        group = self.functions.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        events = self.cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [line for event in events for line in event["message"].splitlines() if '"_aws"' in line]
        return [found for found in map(json.loads, lines) if metric in found]
