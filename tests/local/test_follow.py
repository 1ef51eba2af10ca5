"""How visits and batches are reported."""

import io
import re
from typing import Any

import pytest

from cli.console import Console
from local.failures import Failures
from local.follow import Follower
from tests.local.conftest import REGION, Cloud

REQUEST = {"event": "request", "method": "POST", "path": "/tag/tech", "status": 200, "milliseconds": 7, "answer": None}


@pytest.fixture
def report(cloud: Cloud) -> Any:
    stream = io.StringIO()
    follower = Follower(Console(stream), cloud.site, Failures(cloud.site, []))

    def report_event(**event: Any) -> str:
        follower.show(event)
        text = stream.getvalue()
        stream.truncate(0)
        stream.seek(0)
        time, _, rest = text.rstrip("\n").partition("  ")
        assert re.fullmatch(r"\d\d:\d\d:\d\d", time)
        return rest

    return report_event


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"answer": {"tag": "tech", "count": 3}}, "POST    /tag/tech  200  7 ms  count 3"),
        ({"answer": {"count": 3, "total": 9}}, "POST    /tag/tech  200  7 ms  count 3  total 9"),
        ({"path": "/tag/caf%C3%A9"}, "POST    /tag/café  200  7 ms"),
        ({"path": "/tag/%1B%5B2J"}, "POST    /tag/\ufffd[2J  200  7 ms"),
        ({"status": 400, "answer": {"detail": "bad\x1b tag"}}, "POST    /tag/tech  400  7 ms  bad\ufffd tag"),
        ({"answer": [1]}, "POST    /tag/tech  200  7 ms"),
    ],
)
def test_a_visit_is_one_line_without_control_characters(report: Any, changes: Any, expected: str) -> None:
    assert report(**{**REQUEST, **changes}) == expected


def test_a_batch_is_reported_with_the_total(report: Any, cloud: Cloud) -> None:
    cloud.emulator.wait(30)
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="followed",
        KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    batch = {"event": "batch", "function": "f", "records": 2, "table": "followed", "region": REGION}
    assert report(**batch) == "stream  2 records to f"
    client.put_item(TableName="followed", Item={"ID": {"S": "COUNTER"}, "TotalViews": {"N": "12"}})
    assert report(**{**batch, "records": 1}) == "stream  1 record to f  total 12"


def test_batch_of_another_region_is_reported_with_its_total(report: Any, cloud: Cloud) -> None:
    cloud.emulator.wait(30)
    client = cloud.site.clients.get("dynamodb", "us-east-2")
    client.create_table(
        TableName="elsewhere",
        KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="elsewhere", Item={"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}})
    batch = {"event": "batch", "function": "f", "records": 1, "table": "elsewhere", "region": "us-east-2"}
    assert report(**batch) == "stream  1 record to f  total 7"
    assert report(**{**batch, "region": REGION}) == "stream  1 record to f"


def test_a_batch_of_an_unknown_table_is_reported_without_a_total(report: Any) -> None:
    batch = {"event": "batch", "function": "f", "records": 1, "table": "nowhere", "region": REGION}
    assert report(**batch) == "stream  1 record to f"


def test_a_failed_batch_is_reported_with_its_reason(report: Any) -> None:
    failure = {"event": "failure", "function": "f", "table": "t", "reason": "KeyError: 'a'"}
    assert report(**failure) == "stream  f failed; its batch will be retried: KeyError: 'a'"
