"""How long after a visit the total has it, on the local cloud: this project beside the tutorial's function."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .chapters import Options, Progress
from .reporting import Report, spelled, table
from .spread import paired_ratio, spread, turns
from .workers import OURS

TITLE = "Lag of the total"
SECONDS = 60

TUTORIAL = "tutorial"
BURST = 200
"""Visits in a row; the total must have the last one."""

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.002


def measure(options: Options, progress: Progress) -> dict[str, Any]:
    """Measure the lag after one visit and after a burst of visits."""
    from tests.running import RunningCloud  # noqa: PLC0415 - a report needs no cloud

    repeats = options.repeats(15)
    cloud = RunningCloud("--port", "0")
    try:
        client = cloud.client("dynamodb")
        mapping = cloud.client("lambda").get_event_source_mapping(UUID=cloud.outputs["eventSourceMappingId"])
        tables = {OURS: str(cloud.outputs["tableName"]), TUTORIAL: _deploy_tutorial(cloud)}
        for table_name in tables.values():
            _lag(client, table_name, 1)
        single: dict[str, list[float]] = {design: [] for design in tables}
        burst: dict[str, list[float]] = {design: [] for design in tables}
        for repeat, design in turns(list(tables), repeats):
            progress(repeat / repeats, f"{design}, repeat {repeat + 1}")
            single[design].append(_lag(client, tables[design], 1))
            burst[design].append(_lag(client, tables[design], BURST))
        visits = 1 + repeats * (1 + BURST)
        wrong = {design: [_total(client, name), visits] for design, name in tables.items()}
        return {
            "batchSize": mapping["BatchSize"],
            "window": mapping.get("MaximumBatchingWindowInSeconds", 0),
            "burst": BURST,
            "single": single,
            "bursts": burst,
            "wrong": {design: pair for design, pair in wrong.items() if pair[0] != pair[1]},
        }
    finally:
        cloud.kill()


def _lag(client: Any, table_name: str, visits: int) -> float:
    """Visit, and return the seconds from the end of the last visit until the total has them all."""
    from functions.counting.visits import one_visit  # noqa: PLC0415

    expected = _total(client, table_name) + visits
    for index in range(visits):
        client.update_item(TableName=table_name, Key={"ID": {"S": f"tag-{index % 50}"}}, **one_visit(1, 1))
    started = time.perf_counter()
    while _total(client, table_name) < expected:
        if time.perf_counter() - started > TIMEOUT_SECONDS:
            raise RuntimeError(f"The total of {table_name} was not {expected} within {TIMEOUT_SECONDS:g} s.")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - started


def _total(client: Any, table_name: str) -> int:
    found = client.get_item(TableName=table_name, Key={"ID": {"S": "COUNTER"}}, ConsistentRead=True)
    return int(found.get("Item", {}).get("TotalViews", {}).get("N", "0"))


def _deploy_tutorial(cloud: Any) -> str:
    """Deploy the tutorial's table, function and event source mapping on the emulator; return the table's name."""
    name = "tutorial"
    created = cloud.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    stream = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"]
    allowed = [
        {"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": created["TableArn"]},
        {"Effect": "Allow", "Action": [f"dynamodb:{action}" for action in stream], "Resource": "*"},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
    ]
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_policy(*allowed))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(Path(__file__).parent / "peers" / "tutorial.py", "tutorial.py")
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="tutorial.process_stream",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"TABLE_NAME": name}},
        Timeout=30,
    )
    functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=created["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        BatchSize=100,
    )
    return name


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def report(data: Mapping[str, Any]) -> Report:
    """Report milliseconds and ratios."""
    rows = [
        [name, *_cells(values)]
        for name, values in (("one visit", data["single"]), (f"{data['burst']} visits in a row", data["bursts"]))
    ]
    wrong = [f"{design}: {total:,} instead of {visits:,}" for design, (total, visits) in data["wrong"].items()]
    exact = f"**Wrong totals**: {'; '.join(wrong)}." if wrong else "Both totals were right at the end."
    waits = " The emulator does not wait for the window; on AWS, it is added." if data["window"] else ""
    return Report(
        "Milliseconds from the last visit until the total has it, on the local cloud, in turns with the tutorial's own "
        f"function on the same emulator: batch size {data['batchSize']:,} and batching window {data['window']} s here, "
        f"100 and none there.{waits} On AWS, Lambda polls each shard four times a second, which adds up to 250 ms to "
        "both.\n\n" + table(["visits", OURS, TUTORIAL, "ratio"], rows) + f"\n{exact}\n"
    )


def _cells(values: Mapping[str, Sequence[float]]) -> list[str]:
    milliseconds = {design: [1000 * each for each in found] for design, found in values.items()}
    ratio = paired_ratio(values[OURS], values[TUTORIAL])
    return [*(spelled(spread(milliseconds[design])) for design in (OURS, TUTORIAL)), spelled(ratio)]
