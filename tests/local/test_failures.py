"""Tracebacks in a function's log."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from local.failures import Failures, _tracebacks
from tests.local.conftest import TRUST, Cloud
from tests.running import eventually

CODE = """
import logging

def handler(event, context):
    print("nothing to see")
    if event == "raise":
        raise KeyError("boom")
    if event == "log":
        try:
            1 / 0
        except ZeroDivisionError as error:
            logging.getLogger("f").error("request failed", exc_info=error)
"""


def test_each_traceback_is_reported_once(cloud: Cloud) -> None:
    def program() -> None:
        role = aws.iam.Role("r", assume_role_policy=TRUST)
        group = aws.cloudwatch.LogGroup("g")
        aws.lambda_.Function(
            "f",
            role=role.arn,
            code=pulumi.AssetArchive({"main.py": pulumi.StringAsset(CODE)}),
            handler="main.handler",
            runtime="python3.13",
            logging_config={"log_format": "Text", "log_group": group.name},
        )

    function = cloud.deploy(program).one("f")
    failures = Failures(cloud.site, [function])
    client = cloud.client("lambda")
    assert failures.take() == []
    client.invoke(FunctionName=function.id, Payload=b'"fine"')
    assert failures.take() == []

    def fail(payload: bytes) -> list[str]:
        lines: list[str] = []

        def is_reported() -> bool:
            lines.extend(failures.take())
            # A line that comes late is in the log with the next invocation's.
            client.invoke(FunctionName=function.id, Payload=b'"fine"')
            return bool(lines) and not lines[-1].startswith((" ", "Traceback"))

        client.invoke(FunctionName=function.id, Payload=payload)
        eventually(is_reported, 10, "the traceback")
        return lines

    lines = fail(b'"raise"')
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "KeyError: 'boom'"
    assert failures.take() == []
    assert fail(b'"log"')[-1] == "ZeroDivisionError: division by zero"


def test_a_function_without_a_log_has_no_tracebacks(cloud: Cloud) -> None:
    cloud.emulator.wait(30)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/unheard-of")

    def program() -> None:
        role = aws.iam.Role("r", assume_role_policy=TRUST)
        code = pulumi.AssetArchive({"main.py": pulumi.StringAsset(CODE)})
        aws.lambda_.Function("f", role=role.arn, code=code, handler="main.handler", runtime="python3.13")

    assert Failures(cloud.site, [cloud.deploy(program).one("f")]).take() == []


def test_a_traceback_ends_with_the_exception() -> None:
    messages = [
        "START",
        "request failed",
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    1 / 0',
        "ZeroDivisionError: division by zero",
        "END",
    ]
    assert _tracebacks(messages) == [
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "    1 / 0",
        "ZeroDivisionError: division by zero",
    ]
